"""Every fault that can be injected: its name, its rate, and the words for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

ANYWHERE = {
    "crash_before": "the process died before",
    "crash_after": "the process died after",
    "crash_all": "every process died before",
    "stall": "the process paused before",
    "preempt": "other processes ran first before",
}
"""Faults at each call of a port."""
INTERRUPTIONS = {
    "stop_now": "an operator stopped the execution in the middle of",
    "cancel_now": "an operator cancelled the execution in the middle of",
    "pause_now": "an operator paused the recipe in the middle of",
}
"""Interruptions by people at each call for an execution."""
DOCUMENTS = {
    "aborted": "Firestore answered ABORTED to",
    "unavailable": "Firestore answered UNAVAILABLE, and did not do",
    "unavailable_after": "Firestore answered UNAVAILABLE, but did",
    "slow": "Firestore was slow to do",
}
LEDGER = {
    "ledger_unreadable": "the ledger could not be read for",
    "ledger_unreadable_after": "the ledger's answer was lost after",
    "slow": "Firestore was slow to do",
}
STORAGE = {
    "storage_503": "Cloud Storage answered 503 to",
    "slow_storage": "Cloud Storage was slow to do",
}
STORAGE_WRITES = {"storage_412": "Cloud Storage did, but answered 412 to the retry of"}
TASKS = {
    "enqueue_unavailable": "Cloud Tasks answered UNAVAILABLE, and did not do",
    "enqueue_unavailable_after": "Cloud Tasks answered UNAVAILABLE, but did",
    "task_late": "Cloud Tasks will deliver minutes late:",
    "task_early": "Cloud Tasks will deliver early, because its clock is ahead:",
    "task_lost": "Cloud Tasks lost",
}
SCHEDULES = {
    "scheduler_unavailable": "Cloud Scheduler answered UNAVAILABLE, and did not do",
    "scheduler_unavailable_after": "Cloud Scheduler answered UNAVAILABLE, but did",
}
FCM = {
    "fcm_429": "FCM answered 429 to",
    "fcm_503": "FCM answered 503 to",
    "fcm_reset_before": "the connection to FCM died before the request left:",
    "fcm_reset_after": "the connection to FCM died after the request left:",
    "fcm_dead": "FCM called the token UNREGISTERED:",
    "fcm_refused": "FCM refused the message as INVALID_ARGUMENT:",
    "fcm_denied": "FCM refused our credentials:",
    "fcm_slow": "FCM was slow with",
}
CHANNELS = {
    "channel_503": "the webhook answered 503 to",
    "channel_429": "the webhook answered 429 to",
    "channel_404": "the webhook refused",
    "channel_lost_answer": "the webhook accepted, but its answer was lost:",
    "channel_slow": "the webhook was slow with",
}
JOB = {
    "job_fails": "the audience job failed:",
    "job_hangs": "the audience job hung:",
    "job_nonsense": "the audience job returned nonsense:",
}
DELIVERY = {
    "delivered_twice": "Cloud Tasks delivered twice at once:",
    "delivered_again": "Cloud Tasks delivered once more, later:",
    "lost_response": "the queue never got the answer to",
    "old_payload": "an older release wrote the body of",
}
FIRES = {
    "fire_twice": "Cloud Scheduler fired twice:",
    "fire_late": "Cloud Scheduler fired late:",
    "fire_never": "Cloud Scheduler never fired:",
}
STRAY = {
    "fcm_stray": "FCM called the token SENDER_ID_MISMATCH:",
    "fcm_third_party": "FCM had no valid key for the token's push service:",
}
WRONG_SETTING = {
    "fcm_wrong_project": "FCM called every token SENDER_ID_MISMATCH:",
    "fcm_no_key": "FCM had no valid key for any token's push service:",
}
"""A wrong setting, which affects all users, in all tests of an execution or in its whole live phase."""
EVENTS = {
    "redeploy": "a new release was deployed: every process ended",
    "poison": "a meaningless task was enqueued:",
    "force": "an operator forced every waiting task to run at once, for",
    "cancel": "an operator cancelled",
    "stop": "an operator stopped",
    "edit": "an operator edited",
    "pause": "an operator paused",
    "resume": "an operator resumed",
    "delete": "an operator deleted",
    "malformed": "an operator broke the stored document of",
    "look": "an operator looked at the report of",
    "link": "an operator used the cancel link of an alert about",
    "once": "an operator sent a push once, beside",
    "tell": "another system wrote to the ledger and read it, beside",
    "hand": "an operator started by hand, twice with one key,",
    "halt": "an operator stopped all running executions of",
    "move": "an operator moved the running send of",
    "join": "an operator added a recipe shortly before its send, like",
}
"""Actions of people, and other unexpected events."""
SKIPS = {"skip": "an operator skipped the send of"}
"""People leave out a send. It is drawn apart from the other events, to keep the days of older seeds."""
MOVES = {"shift": "an operator moved one send:", "restore": "an operator restored the send of"}
"""People have one send go out at another time, and take that back; drawn apart, too."""
RELEASES = {"stricter": "a new release was deployed that cannot read the running executions of"}
"""Releases that read less than the one before. They come after all others, to keep the moods of older seeds."""
LIFTS = {"lift": "an operator lifted graves of dead tokens, beside"}
"""What operators do to dead tokens. At the end for the same reason."""
RULES = {"rules": "a new release was deployed, whose workspace has other cadence rules"}
OUTLIVES = {"outlives_deadline": "the attempt went on after its deadline, which passed before"}
THROTTLED = {"queue_throttled": "Cloud Tasks slowed the whole queue down after"}
INDEX = {"index_missing": "an index was missing for a while, so Firestore refused"}
PERMISSION = {"permission_missing": "a permission was missing for a while, so Google refused"}
IMAGES = {"image_gone": "the host of an image answered 404 to", "image_slow": "the host of an image was too slow for"}
TAKEN = {"existing_403": "Cloud Storage answered 403 because the file was there, to"}
CHANGES_OF_SEGMENTS = {
    "segment": "an operator changed a segment, beside",
    "drop": "an operator deleted a segment, beside",
}
"""Changes of the conditions that recipes share, drawn apart from the other events, too."""

WORDS: Mapping[str, str] = (
    ANYWHERE
    | INTERRUPTIONS
    | DOCUMENTS
    | LEDGER
    | STORAGE
    | STORAGE_WRITES
    | TASKS
    | SCHEDULES
    | FCM
    | JOB
    | DELIVERY
    | FIRES
    | EVENTS
    | CHANNELS
    | STRAY
    | WRONG_SETTING
    | RELEASES
    | LIFTS
    | RULES
    | OUTLIVES
    | THROTTLED
    | INDEX
    | PERMISSION
    | TAKEN
    | IMAGES
    | SKIPS
    | MOVES
    | CHANGES_OF_SEGMENTS
)

_DOCUMENTS, _QUERIES = DOCUMENTS | PERMISSION, DOCUMENTS | PERMISSION | INDEX
_AT_PORTS: Mapping[str, Mapping[str, str]] = {
    "recipes": _DOCUMENTS,
    "recipes.plans": _QUERIES,
    "audit": _DOCUMENTS,
    "executions": _DOCUMENTS,
    "executions.unfinished": _QUERIES,
    "executions.search": _QUERIES,
    "shards": _DOCUMENTS,
    "shards.of": _QUERIES,
    "shards.under_way": _QUERIES,
    "logs": _DOCUMENTS,
    "violations": _DOCUMENTS,
    "violations.of": _QUERIES,
    "devices": _DOCUMENTS,
    "segments": _DOCUMENTS,
    "ledger": LEDGER,
    "files": STORAGE | PERMISSION,
    "files.write_once": STORAGE | STORAGE_WRITES | PERMISSION,
    "tasks.add": TASKS | PERMISSION,
    "schedules": SCHEDULES | PERMISSION,
    "alert_store": _DOCUMENTS,
    "alert_store.waiting": _QUERIES,
    "channels": CHANNELS,
    "engine.run": PERMISSION,
}
_HARSH: Mapping[str, float] = {
    "crash_before": 0.003,
    "crash_after": 0.003,
    "crash_all": 0.0005,
    "stall": 0.002,
    "preempt": 0.1,
    "stop_now": 0.0006,
    "cancel_now": 0.0003,
    "pause_now": 0.0002,
    "fcm_503": 0.015,
    "fcm_reset_after": 0.015,
    "task_lost": 0.02,
    "task_late": 0.06,
    "task_early": 0.04,
    "ledger_unreadable": 0.01,
    "ledger_unreadable_after": 0.01,
    "storage_412": 0.02,
    "fcm_denied": 0.001,
    "fcm_slow": 0.01,
    "job_fails": 0.02,
    "job_hangs": 0.03,
    "job_nonsense": 0.1,
    "delivered_twice": 0.06,
    "delivered_again": 0.04,
    "lost_response": 0.04,
    "old_payload": 0.03,
    "fire_twice": 0.04,
    "fire_late": 0.04,
    "fire_never": 0.06,
    "fcm_wrong_project": 0.08,
    "fcm_no_key": 0.02,
    "channel_503": 0.1,
    "channel_429": 0.05,
    "channel_lost_answer": 0.05,
    "outlives_deadline": 0.0005,
    "queue_throttled": 0.02,
    "index_missing": 0.001,
    "permission_missing": 0.0005,
    "existing_403": 0.5,
    "image_gone": 0.1,
    "image_slow": 0.1,
}
_RARELY = 0.005
"""The harsh rate of every other fault, for each call or message that it can hit."""
_MORE_CRASHES = {
    "alerts.send": 20,
    "schedules.put": 20,
    "schedules.delete": 20,
    "devices.bury": 20,
    "shards.get": 20,
    "violations.of": 20,
    "violations.resolve": 20,
    "segments.all": 20,
    "segments.change": 20,
}
"""How many times as often a process dies at rare calls."""
_MOST_RARE_CRASHES = 0.2
"""The highest rate of crashes there, before a call and after it: else a step that makes one never ends."""
_MORE_INTERRUPTIONS = {"executions.change": 20}
"""The same for people who act just before a state changes, above all a cancel that races the checkpoint."""
_NORMAL_SHARE = 0.1
_MOODS = (0, 0, 0.5, 1, 1, 3)
"""Factors for the rate of one kind of fault in a run: some runs have none of it, some a storm."""
LEVELS = ("none", "normal", "harsh")


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How often each fault happens, as a share of the calls where it can.

    `events` is the average number of events of each kind in `EVENTS` that a day has, at most. `acts` multiplies it
    for a kind. With `races`, people interrupt only calls that are about to change a state.
    """

    shares: Mapping[str, float]
    events: float
    acts: Mapping[str, float] = field(default_factory=dict)
    races: bool = False

    def at_call(self, port: str, method: str) -> tuple[tuple[str, float], ...]:
        """Return the faults that can happen at a call of a port, with their rates."""
        call = f"{port}.{method}"
        own = _AT_PORTS.get(call, _AT_PORTS.get(port, {}))
        crashes, acts = _MORE_CRASHES.get(call, 1), _MORE_INTERRUPTIONS.get(call, 1)
        if self.races:
            acts = _MORE_INTERRUPTIONS.get(call, 0)

        def at_this(kind: str, rate: float) -> float:
            if kind.startswith("crash_"):
                return min(rate * crashes, _MOST_RARE_CRASHES)
            return rate * acts if kind in INTERRUPTIONS else rate

        table = self.among({**ANYWHERE, **INTERRUPTIONS, **own, **OUTLIVES})
        return tuple((kind, at_this(kind, rate)) for kind, rate in table)

    def among(self, kinds: Mapping[str, str]) -> tuple[tuple[str, float], ...]:
        """Return faults with their rates, without those that never happen."""
        return tuple((kind, self.shares[kind]) for kind in kinds if self.shares.get(kind))


def usual_share(kind: str) -> float:
    """Return the harsh rate of a fault, before the mood of a seed."""
    return _HARSH.get(kind, _RARELY)


def rates(level: str, seed: int) -> Rates:
    """Return the rates of a level, none, normal or harsh, in the mood of a seed."""
    if level == "none":
        return Rates(shares={}, events=0)
    random, share = Random(f"mood {seed}"), 1 if level == "harsh" else _NORMAL_SHARE  # noqa: S311 - reproducible
    shares = {kind: usual_share(kind) * share * random.choice(_MOODS) for kind in WORDS}
    return Rates(shares=shares, events=share)
