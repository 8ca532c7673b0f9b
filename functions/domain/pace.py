"""How fast to send: FCM's project quota, shared out over the shards under way, after a minute of ramping up.

FCM takes 600,000 messages a minute from a project and asks for a ramp of a minute up to it:
firebase.google.com/docs/cloud-messaging/scale-fcm.
"""

import math
from datetime import timedelta

RAMP = timedelta(seconds=60)
_FIRST_SHARE = 0.1
"""The share of the quota with which the ramp begins."""
_GAIN = (1 - _FIRST_SHARE) / RAMP.total_seconds()
_LONGEST_CHUNK_SECONDS = 2


def rate(quota_per_second: int, shards_under_way: int, since_start: timedelta) -> float:
    """Return the messages a second that one of the shards under way may send, so long after its push began."""
    seconds = max(0.0, since_start.total_seconds())
    share = min(1.0, _FIRST_SHARE + _GAIN * seconds)
    return max(1.0, quota_per_second * share / max(1, shards_under_way))


def sending_time(rows: int, quota_per_second: int) -> timedelta:
    """Return how long the first `rows` messages of a push take at the whole quota, its ramp included."""
    full_seconds = rows / quota_per_second
    on_ramp = (1 + _FIRST_SHARE) / 2 * RAMP.total_seconds()
    if full_seconds > on_ramp:
        return RAMP + timedelta(seconds=full_seconds - on_ramp)
    root = math.sqrt(_FIRST_SHARE**2 + 2 * _GAIN * full_seconds)
    return timedelta(seconds=(root - _FIRST_SHARE) / _GAIN)


def chunk_rows(most: int, per_second: float) -> int:
    """Return how many rows to announce at once: fewer where they would take longer than two seconds to send."""
    return max(1, min(most, int(per_second * _LONGEST_CHUNK_SECONDS)))
