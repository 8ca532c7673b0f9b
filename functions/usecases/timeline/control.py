"""Cancel an execution before T-0, or stop it at any time.

`by` is the person who asks for it. The transaction that ends the execution then adds an entry to the audit log of its
recipe. Tminus itself names nobody: the log of the recipe has what a person did, such as a pause, and its execution
says why it ended.
"""

from collections.abc import Iterable

from functions.domain.audit import Action, Deed
from functions.domain.errors import NotPossible
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.alerting.alert import raise_end_alert
from functions.usecases.timeline.journal import note


def cancel(ports: Ports, execution_id: str, why: str, *, by: str = "") -> Execution:
    """Cancel before T-0; NotPossible once the live phase has begun. Cancelling twice changes nothing."""
    return _end(ports, execution_id, State.CANCELLED, why, by)


def stop(ports: Ports, execution_id: str, why: str, *, by: str = "") -> Execution:
    """Stop at any time: no chunk of messages starts after this returns. Stopping again changes nothing."""
    return _end(ports, execution_id, State.STOPPED, why, by)


def stop_all(ports: Ports, why: str, *, recipe_id: str | None = None, by: str = "") -> list[Execution]:
    """Stop all running executions, of one recipe or of all, and return them."""
    stopped = []
    for execution in ports.executions.unfinished():
        if execution.state.final or recipe_id not in (None, execution.recipe_id):
            continue
        try:
            stopped.append(stop(ports, execution.id, why, by=by))
        except NotPossible:
            continue  # it ended at the same moment
    return stopped


def cancel_before_live(
    ports: Ports, recipe_id: str, why: str, *, tests: bool = False, by: str = ""
) -> list[Execution]:
    """Cancel a recipe's executions before T-0, and return them. Live executions go on.

    Executions of kind TEST, which need no active recipe, are cancelled only if asked for.
    """
    return cancel_all(ports, would_cancel(ports, recipe_id, tests=tests), why, by=by)


def would_cancel(ports: Ports, recipe_id: str, *, tests: bool = False) -> list[Execution]:
    """Return the executions that `cancel_before_live` would cancel."""
    return [
        execution
        for execution in ports.executions.unfinished()
        if execution.recipe_id == recipe_id
        and not execution.state.final
        and execution.state is not State.LIVE
        and (tests or execution.kind is not Kind.TEST)
    ]


def live_of(ports: Ports, recipe_id: str) -> list[Execution]:
    """Return a recipe's live executions, which only a stop can end."""
    found = ports.executions.unfinished()
    return [each for each in found if each.recipe_id == recipe_id and each.state is State.LIVE]


def cancel_all(ports: Ports, executions: Iterable[Execution], why: str, *, by: str = "") -> list[Execution]:
    """Cancel the given executions that are before T-0, and return them."""
    cancelled = []
    for execution in executions:
        if execution.state.final or execution.state is State.LIVE:
            continue
        try:
            cancelled.append(cancel(ports, execution.id, why, by=by))
        except NotPossible:
            continue  # it went live or ended at the same moment
    return cancelled


def _end(ports: Ports, execution_id: str, state: State, why: str, by: str) -> Execution:
    now = ports.clock.now()
    before = state

    def change(execution: Execution) -> Execution:
        nonlocal before
        before = execution.state
        return execution if execution.state is state else execution.to(state, now, why)

    deed = Deed(by=by, at=now, action=Action(state.value)) if by else None
    after = ports.executions.change(execution_id, change, deed)
    if before is not state:
        phase = Phase.LIVE_EXECUTION if before is State.LIVE else Phase.CANCELLATION_WINDOW
        note(ports, execution_id, phase, f"{state.value}: {why}", "warning")
    raise_end_alert(ports, after)
    return after
