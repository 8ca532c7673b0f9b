"""The state of a send in sentences, and its button, always from the stored state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.recipe.timeline import Phase
from functions.handlers.console.words import city, clock, listed, plural, short_day, state_word, zone_of
from functions.usecases.reports.execution import ExecutionReport
from functions.usecases.reports.executions import ExecutionSummary, phase_of, possible_for
from functions.usecases.reports.numbers import AllTotals
from functions.usecases.reports.tested_people import Tested
from functions.usecases.reports.watch_execution import ExecutionDetail

_ENDED = {
    State.COMPLETED: "Finished",
    State.CANCELLED: "Cancelled before the send time",
    State.STOPPED: "Stopped. Everyone else receives nothing",
    State.BLOCKED: "Blocked by a safeguard",
    State.EXPIRED: "Missed: it could not be sent in time, and a late push is worse than none",
    State.FAILED: "Failed",
}
OUTCOMES = {
    "cancelled": ("good", "Cancelled. Nobody receives the push."),
    "stopped": ("good", "Stopped. No more messages are sent."),
    "live": ("bad", "Too late to cancel: the live send had already started. You can still stop remaining messages."),
    "over": ("wait", "Nothing changed: the send had already ended."),
    "sent": ("wait", "Nothing changed: everyone had already been sent to."),
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


def state_of(each: Execution | ExecutionSummary | ExecutionDetail, *, everyone_sent: bool = False) -> str:
    """Return the state of a send, a key of `words.STATES`.

    `everyone_sent` says that a live one has nothing left. The line of a list knows that from its totals.
    """
    state, phase = (each.state, phase_of(each)) if isinstance(each, Execution) else (each.status, each.phase)
    if each.waiting:
        return "waiting"
    if isinstance(each, ExecutionSummary) and each.totals:
        everyone_sent = not each.totals.not_reached
    if state is State.LIVE and everyone_sent:
        return "everyone_sent"
    if state is State.AUDIENCE_READY and each.kind is Kind.ONE_OFF:
        return State.TESTED.value
    if state is State.AUDIENCE_READY and phase is Phase.TEST_SENDING:
        return "testing"
    return state.value


def control_of(
    execution: Execution, window_ends_at: datetime | None = None, *, everyone_sent: bool = False
) -> Control:
    """Return the button for an execution. `window_ends_at` comes from its report; see `state_of`."""
    possible = possible_for(execution)
    if everyone_sent:
        return Control(kind="over", label="Sent", explanation="Everyone was sent to. There is nothing left to stop.")
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


def sentence(execution: Execution, report: ExecutionReport, now: datetime, *, everyone_sent: bool = False) -> str:
    """Describe the state of an execution in a sentence; see `state_of`."""
    if report.problem:
        return "This release cannot read this execution. It sends nothing more, and ends as failed."
    if execution.state in _ENDED:
        return _ended(execution, report)
    if execution.state in (State.LAUNCHED, State.AUDIENCE_READY):
        return _building(execution, report)
    if execution.state is State.TESTED:
        return _waiting(execution, report, now)
    if everyone_sent:
        final_at = _at(execution, _planned(report, Phase.CLEANUP))
        return f"{received(report.totals, len(report.pushes))}. Final numbers at {final_at}."
    return _live(report, now)


def _waiting(execution: Execution, report: ExecutionReport, now: datetime) -> str:
    goes_at = report.window_ends_at or execution.send_at
    if now >= goes_at:
        return "The send time has come. Sending starts at any moment."
    tests = "Test pushes are sent. Please check them. " if report.totals.test_sent else ""
    return f"{tests}Sends automatically at {_at(execution, goes_at)}."


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
    audiences = "Audiences are ready" if built else "Building audiences"
    if phase_of(execution) is Phase.TEST_SENDING:
        return f"{audiences}. Sending test pushes."
    return f"{audiences}. Test pushes are sent at {_at(execution, _planned(report, Phase.TEST_SENDING))}."


def _planned(report: ExecutionReport, phase: Phase) -> datetime | None:
    return next(entry.planned_at for entry in report.timeline if entry.phase is phase)


def _live(report: ExecutionReport, now: datetime) -> str:
    pushes, sent = report.pushes, report.totals.sent
    waiting = [push for push in pushes if push.due_at is not None and push.due_at > now]
    if len(pushes) == 1:
        return f"{plural(sent, 'person has', 'people have')} received it so far."
    text = f"{sent:,} of {plural(report.totals.audience_size, 'message')} sent so far."
    return f"Sending push {len(pushes) - len(waiting)} of {len(pushes)}. {text}" if waiting else text


def cancelled_words(executions: Sequence[Execution], zone: ZoneInfo) -> str:
    """Return a sentence about the cancelled sends."""
    sends = ", ".join(f"{short_day(each.send_at, zone)} {city(zone)}" for each in executions)
    return f"{plural(len(executions), 'send was', 'sends were')} cancelled: {sends}."


def _ended(execution: Execution, report: ExecutionReport) -> str:
    if execution.kind is Kind.TEST and execution.state is State.COMPLETED:
        tests = plural(report.totals.test_sent, "test push was", "test pushes were")
        return f"Test finished. {tests} sent to test users."
    text = f"{_ENDED[execution.state]}."
    if not execution.went_live and execution.state is not State.FAILED:
        text += " Only test users received anything." if report.totals.test_sent else " Nobody received anything."
    elif report.totals.sent or execution.state is State.COMPLETED:
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
    messages = f"{totals.sent:,} of {plural(totals.audience_size, 'message')} sent"
    if totals.people is None:
        return messages
    people = plural(totals.people, "person", "people")
    if pushes == 1:
        return f"{totals.sent:,} of {people} received it"
    if totals.people_reached is None:
        return messages
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
    return "Finished" if execution.state is State.COMPLETED else state_word(execution.state.value)
