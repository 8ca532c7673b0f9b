"""Where an execution stands, in sentences, and what its one large button does: always as the store has it now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from functions.domain.execution import Execution, Kind, State
from functions.domain.instants import instant
from functions.handlers.console.words import city, plural, short_day
from functions.usecases.show_executions import possible_for

_ENDED = {
    State.COMPLETED: "It is over",
    State.CANCELLED: "It was cancelled before T-0, and nobody was sent anything but the tests",
    State.STOPPED: "It was stopped; whoever had not been sent to by then gets nothing",
    State.BLOCKED: "A safeguard blocked it, and nobody was sent anything but the tests",
    State.EXPIRED: "It was too late, so it was skipped: no push beats a stale one",
    State.FAILED: "It failed",
}
OUTCOMES = {
    "cancelled": ("good", "Cancelled. The live pushes will not be sent."),
    "stopped": ("good", "Stopped. No further message leaves."),
    "live": (
        "bad",
        "Too late to cancel: the live send had begun when your cancel arrived. You can still stop what is left.",
    ),
    "over": ("wait", "Nothing was changed: the execution had ended before your request arrived."),
    "started": ("good", "Started. This page follows it."),
}
"""What a form did, by the word that stands in the address of the page after it."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """The large button: `kind` is `cancel`, `stop` or `over`."""

    kind: str
    label: str
    explanation: str


def control_of(execution: Execution) -> Control:
    """Return what can be done to an execution now."""
    possible = possible_for(execution)
    if "cancel" in possible:
        return Control(
            kind="cancel",
            label="Cancel this send",
            explanation="Until T-0 anybody may cancel. Nobody gets a live push then.",
        )
    if possible:
        return Control(
            kind="stop",
            label="Emergency stop",
            explanation="The live send has begun. A stop lets no further message leave; what has left stays.",
        )
    return Control(kind="over", label=_over(execution), explanation=execution.reason or _ENDED[execution.state])


def sentence(execution: Execution, report: Mapping[str, Any], now: datetime) -> str:
    """Say where an execution stands."""
    if execution.state in _ENDED:
        return _ended(execution, report)
    if execution.state in (State.LAUNCHED, State.AUDIENCE_READY):
        return _building(execution, report)
    if execution.state is State.TESTED:
        if now >= execution.send_at:
            return "T-0 has come: the decision is due any moment."
        return "The test pushes are out. Look at them: the live send begins by itself at T-0."
    return _live(report, now)


def _building(execution: Execution, report: Mapping[str, Any]) -> str:
    built = execution.state is State.AUDIENCE_READY
    if execution.kind is Kind.ONE_OFF:
        audience = "The audience is ready" if built else "The audience is built first"
        return f"{audience}; the push goes out at {execution.send_at:%H:%M} UTC."
    due = {entry["phase"]: instant(entry["plannedAt"]) for entry in report["timeline"]}
    audiences = "The audiences are ready" if built else "The audiences are built first"
    return f"{audiences}; the test pushes go out at {due['test_sending']:%H:%M} UTC."


def _live(report: Mapping[str, Any], now: datetime) -> str:
    pushes = report["pushes"]
    begun = [push for push in pushes if instant(push["dueAt"]) <= now]
    waiting = [push for push in pushes if instant(push["dueAt"]) > now]
    sent = f"{plural(report['totals']['sent'], 'person has', 'people have')} got a push"
    if waiting:
        return f"Push {len(begun)} of {len(pushes)} is going out; {sent} so far."
    return f"All {plural(len(pushes), 'push', 'pushes')} are on their way; {sent} so far."


def cancelled_words(executions: Sequence[Execution], zone: ZoneInfo) -> str:
    """Say which sends were cancelled."""
    sends = ", ".join(f"{short_day(each.send_at, zone)} {city(zone)}" for each in executions)
    return f"{plural(len(executions), 'send was', 'sends were')} cancelled: {sends}."


def _ended(execution: Execution, report: Mapping[str, Any]) -> str:
    if execution.kind is Kind.TEST and execution.state is State.COMPLETED:
        return "It was a test only: the test users got every push, nobody else did."
    totals = report["totals"]
    told = _ENDED[execution.state]
    if totals["sent"] or execution.state is State.COMPLETED:
        told += f": {plural(totals['sent'], 'person', 'people')} of {totals['audienceSize']:,} got a push"
    return f"{told}."


def _over(execution: Execution) -> str:
    return {State.CANCELLED: "Cancelled", State.STOPPED: "Stopped"}.get(execution.state, "Over: nothing to stop")
