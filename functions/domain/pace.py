"""How fast to send: FCM's project quota, divided among the running shards, after a ramp of one minute.

FCM accepts 600,000 messages a minute per project and asks for a ramp of one minute:
firebase.google.com/docs/cloud-messaging/scale-fcm.
"""

import math
from datetime import timedelta

RAMP = timedelta(seconds=60)
_FIRST_SHARE = 0.1
"""The share of the quota at the beginning of the ramp."""
_GAIN = (1 - _FIRST_SHARE) / RAMP.total_seconds()
_LONGEST_CHUNK_SECONDS = 2


def rate(quota_per_second: int, shards_under_way: int, since_start: timedelta) -> float:
    """Return the messages a second that one of the running shards may send, this long after its push began."""
    seconds = max(0.0, since_start.total_seconds())
    share = min(1.0, _FIRST_SHARE + _GAIN * seconds)
    return max(1.0, quota_per_second * share / max(1, shards_under_way))


def sending_time(rows: int, quota_per_second: int) -> timedelta:
    """Return how long the first `rows` messages of a push take at the whole quota, including the ramp."""
    full_seconds = rows / quota_per_second
    on_ramp = (1 + _FIRST_SHARE) / 2 * RAMP.total_seconds()
    if full_seconds > on_ramp:
        return RAMP + timedelta(seconds=full_seconds - on_ramp)
    root = math.sqrt(_FIRST_SHARE**2 + 2 * _GAIN * full_seconds)
    return timedelta(seconds=(root - _FIRST_SHARE) / _GAIN)


def chunk_rows(most: int, per_second: float) -> int:
    """Return the number of rows per chunk: fewer if they would take longer than two seconds to send."""
    return max(1, min(most, int(per_second * _LONGEST_CHUNK_SECONDS)))
