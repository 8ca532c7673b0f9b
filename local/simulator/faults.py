"""Every fault that can be injected: what it is called, how often it happens, and what to say of it."""

from collections.abc import Mapping
from dataclasses import dataclass

ANYWHERE = {
    "crash_before": "the process died before",
    "crash_after": "the process died after",
    "crash_all": "every process died before",
    "stall": "the process stood still before",
    "preempt": "others were let go first before",
}
"""What can happen at each call of a port."""
DOCUMENTS = {
    "aborted": "Firestore answered ABORTED to",
    "unavailable": "Firestore was UNAVAILABLE, before it did",
    "unavailable_after": "Firestore was UNAVAILABLE, after it did",
    "slow": "Firestore was slow to do",
}
LEDGER = {
    "ledger_unreadable": "the ledger could not be read for",
    "ledger_unreadable_after": "the ledger's answer was lost, after it did",
    "slow": "Firestore was slow to do",
}
STORAGE = {
    "storage_503": "Cloud Storage answered 503 to",
    "storage_412": "Cloud Storage had done, but answered 412 to the retry of",
    "slow": "Cloud Storage was slow to do",
}
TASKS = {
    "enqueue_unavailable": "Cloud Tasks was UNAVAILABLE, before it did",
    "enqueue_unavailable_after": "Cloud Tasks was UNAVAILABLE, after it did",
    "task_late": "Cloud Tasks will be minutes late with",
    "task_early": "Cloud Tasks will be early, its clock being ahead, with",
    "task_lost": "Cloud Tasks lost",
}
SCHEDULES = {
    "scheduler_unavailable": "Cloud Scheduler was UNAVAILABLE, before it did",
    "scheduler_unavailable_after": "Cloud Scheduler was UNAVAILABLE, after it did",
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
JOB = {
    "job_fails": "the audience job failed:",
    "job_hangs": "the audience job hung:",
    "job_nonsense": "the audience job returned nonsense:",
}
DELIVERY = {
    "delivered_twice": "Cloud Tasks delivered twice at once:",
    "delivered_again": "Cloud Tasks delivered once more, later:",
    "lost_response": "the answer was lost of",
    "old_payload": "an older release had written the body of",
}
FIRES = {
    "fire_twice": "Cloud Scheduler fired twice:",
    "fire_late": "Cloud Scheduler fired late:",
    "fire_never": "Cloud Scheduler never fired:",
}
EVENTS = {
    "redeploy": "a new release was deployed: every process ended",
    "poison": "a task that means nothing was enqueued:",
    "cancel": "somebody cancelled",
    "stop": "somebody stopped",
    "edit": "somebody edited",
    "pause": "somebody paused",
    "resume": "somebody resumed",
    "delete": "somebody deleted",
    "malformed": "somebody broke by hand, in the store,",
    "look": "somebody looked at the report of",
}
"""What people do, and what else comes out of the blue."""

WORDS: Mapping[str, str] = (
    ANYWHERE | DOCUMENTS | LEDGER | STORAGE | TASKS | SCHEDULES | FCM | JOB | DELIVERY | FIRES | EVENTS
)

_AT_PORTS: Mapping[str, Mapping[str, str]] = {
    "recipes": DOCUMENTS,
    "audit": DOCUMENTS,
    "executions": DOCUMENTS,
    "devices": DOCUMENTS,
    "ledger": LEDGER,
    "files": STORAGE,
    "tasks": TASKS,
    "schedules": SCHEDULES,
    "engine": {},
    "sender": {},
    "alerts": {},
}
_HARSH: Mapping[str, float] = {
    "crash_before": 0.004,
    "crash_after": 0.004,
    "crash_all": 0.0004,
    "stall": 0.002,
    "preempt": 0.12,
    "slow": 0.004,
    "task_lost": 0.02,
    "task_late": 0.08,
    "task_early": 0.04,
    "ledger_unreadable": 0.01,
    "ledger_unreadable_after": 0.01,
    "storage_503": 0.006,
    "storage_412": 0.02,
    "fcm_429": 0.01,
    "fcm_503": 0.02,
    "fcm_reset_before": 0.02,
    "fcm_reset_after": 0.02,
    "fcm_dead": 0.02,
    "fcm_refused": 0.01,
    "fcm_denied": 0.002,
    "fcm_slow": 0.01,
    "job_fails": 0.01,
    "job_hangs": 0.02,
    "job_nonsense": 0.05,
    "delivered_twice": 0.06,
    "delivered_again": 0.04,
    "lost_response": 0.04,
    "old_payload": 0.02,
    "fire_twice": 0.05,
    "fire_late": 0.05,
    "fire_never": 0.03,
}
_RARELY = 0.005
"""The harsh rate of every other fault at a port."""
_NORMAL_SHARE = 0.1
LEVELS = ("none", "normal", "harsh")


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How often each fault happens, as a share of the calls at which it could.

    `events` is how many of each kind of `EVENTS` a day has on average, at most.
    """

    share: float
    events: float

    def of(self, kind: str) -> float:
        """Return a fault's rate."""
        return _HARSH.get(kind, _RARELY) * self.share

    def at_port(self, port: str) -> tuple[tuple[str, float], ...]:
        """Return the faults that can happen at a call of a port, with their rates."""
        return tuple((kind, self.of(kind)) for kind in (*ANYWHERE, *_AT_PORTS[port]))

    def among(self, kinds: Mapping[str, str]) -> tuple[tuple[str, float], ...]:
        """Return faults with their rates."""
        return tuple((kind, self.of(kind)) for kind in kinds)


def rates(level: str) -> Rates:
    """Return the rates of a level: none, normal or harsh."""
    return {
        "none": Rates(share=0, events=0),
        "normal": Rates(share=_NORMAL_SHARE, events=0.1),
        "harsh": Rates(share=1, events=1),
    }[level]
