"""The state of a send in sentences, and its button, always from the stored state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.recipe.timeline import Phase
from functions.handlers.console.words import city, clock, listed, plural, short_day, zone_of
from functions.usecases.reports.execution import ExecutionReport
from functions.usecases.reports.executions import possible_for
from functions.usecases.reports.numbers import AllTotals
from functions.usecases.reports.tested_people import Tested

_ENDED = {
    State.COMPLETED: "Finished",
    State.CANCELLED: "Cancelled before the send time. Only test users received anything",
    State.STOPPED: "Stopped. Everyone else receives nothing",
    State.BLOCKED: "Blocked by a safeguard. Only test users received anything",
    State.EXPIRED: "Skipped, because it was too late: a late push is worse than none",
    State.FAILED: "Failed",
}
OUTCOMES = {
    "cancelled": ("good", "Cancelled. Nobody receives the push."),
    "stopped": ("good", "Stopped. No more messages are sent."),
    "live": ("bad", "Too late to cancel: the live send had already started. You can still stop remaining messages."),
    "over": ("wait", "Nothing changed: the send had already ended."),
    "started": ("good", "Started. This page updates automatically."),
    "tested": ("good", "Test started. This page updates automatically."),
}
"""The result of a form, by the word in the address of the next page."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """The large button: `kind` is `cancel`, `stop` or `over`."""

    kind: str
    label: str
    explanation: str


def control_of(execution: Execution, window_ends_at: datetime | None = None) -> Control:
    """Return the button for an execution. `window_ends_at` comes from its report."""
    possible = possible_for(execution)
    if "cancel" in possible:
        return Control(
            kind="cancel",
            label="Cancel this send",
            explanation=f"{_cancellable(execution, window_ends_at)} If you do, nobody receives the push.",
        )
    if possible:
        return Control(
            kind="stop",
            label="Emergency stop",
            explanation="Stops all remaining messages. Messages already sent can't be recalled.",
        )
    return Control(kind="over", label=_over(execution), explanation=_why_over(execution))


def _cancellable(execution: Execution, window_ends_at: datetime | None) -> str:
    if execution.waiting:
        return "Anyone can cancel while it waits."
    return f"Anyone can cancel before {_at(execution, window_ends_at)}."


def sentence(execution: Execution, report: ExecutionReport, now: datetime) -> str:
    """Describe the state of an execution in a sentence."""
    if report.problem:
        return "This release cannot read this execution. It sends nothing more, and ends as failed."
    if execution.state in _ENDED:
        return _ended(execution, report)
    if execution.state in (State.LAUNCHED, State.AUDIENCE_READY):
        return _building(execution, report)
    if execution.state is State.TESTED:
        goes_at = report.window_ends_at or execution.send_at
        if now >= goes_at:
            return "The send time has come. Sending starts at any moment."
        return f"Test pushes are sent. Please check them. Sends automatically at {_at(execution, goes_at)}."
    return _live(report, now)


def _building(execution: Execution, report: ExecutionReport) -> str:
    wait = execution.waiting
    if wait is not None:
        return (
            f"Waits its turn: {plural(wait.limit, 'send that', 'sends that')} started before it must finish sending "
            f"first. Nothing is built or sent yet. If its turn has not come by {_at(execution, wait.until)}, it is "
            "blocked."
        )
    built = execution.state is State.AUDIENCE_READY
    if execution.kind is Kind.ONE_OFF:
        audience = "The audience is ready" if built else "Building the audience"
        return f"{audience}. Sends automatically at {_at(execution)}."
    [tests_at] = [entry.planned_at for entry in report.timeline if entry.phase is Phase.TEST_SENDING]
    audiences = "Audiences are ready" if built else "Building audiences"
    return f"{audiences}. Test pushes are sent at {_at(execution, tests_at)}."


def _live(report: ExecutionReport, now: datetime) -> str:
    pushes, sent = report.pushes, report.totals.sent
    waiting = [push for push in pushes if push.due_at is not None and push.due_at > now]
    if len(pushes) == 1:
        return f"{plural(sent, 'person has', 'people have')} received it so far."
    text = f"{plural(sent, 'message')} sent so far."
    return f"Sending push {len(pushes) - len(waiting)} of {len(pushes)}. {text}" if waiting else text


def cancelled_words(executions: Sequence[Execution], zone: ZoneInfo) -> str:
    """Return a sentence about the cancelled sends."""
    sends = ", ".join(f"{short_day(each.send_at, zone)} {city(zone)}" for each in executions)
    return f"{plural(len(executions), 'send was', 'sends were')} cancelled: {sends}."


def _ended(execution: Execution, report: ExecutionReport) -> str:
    if execution.kind is Kind.TEST and execution.state is State.COMPLETED:
        return "Test finished. Only test users received the pushes."
    text = f"{_ENDED[execution.state]}."
    if report.totals.sent or execution.state is State.COMPLETED:
        text += f" {received(report.totals, len(report.pushes))}."
    return text


def tested_words(people: Sequence[Tested], *, named: bool) -> str:
    """Return who got a test: Sent to Ana (iOS, Android) and Ben (Android). Without names, how many people."""
    got, others = [each for each in people if each.got_it], [each for each in people if not each.got_it]
    if not named:
        return f"Sent to {len(got)} of {plural(len(people), 'test person', 'test people')}."
    text = f"Sent to {_and(got)}." if got else "Nobody received the test."
    return f"{text} Not sent to {_and(others)}." if others else text


def _and(people: Sequence[Tested]) -> str:
    return listed([f"{each.name} ({', '.join(each.platforms)})" if each.platforms else each.name for each in people])


def received(totals: AllTotals, pushes: int) -> str:
    """Return how many people received a message, each counted once, and the number of messages."""
    sent, size = totals.sent, totals.audience_size
    if pushes == 1:
        return f"{sent:,} of {plural(size, 'person', 'people')} received it"
    messages = f"{sent:,} of {plural(size, 'message')} sent"
    if totals.people is None or totals.people_reached is None:
        return messages
    people = plural(totals.people, "person", "people")
    return f"{totals.people_reached:,} of {people} received at least one push; {messages}"


def _at(execution: Execution, instant_: datetime | None = None) -> str:
    """Return the send time, or another instant, in the recipe's zone."""
    zone = zone_of(execution.recipe)
    return f"{clock(instant_ or execution.send_at, zone)} {city(zone)}"


def _why_over(execution: Execution) -> str:
    if execution.state is State.COMPLETED:
        return "There is nothing left to cancel or to stop."
    return execution.reason or _ENDED[execution.state]


def _over(execution: Execution) -> str:
    return {State.CANCELLED: "Cancelled", State.STOPPED: "Stopped"}.get(execution.state, "Finished")
