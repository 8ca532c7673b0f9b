"""Decide whether an execution may go on besides those created before it."""

from functions.domain.execution.execution import Execution, Kind
from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.timeline.steps import Run
from functions.usecases.timeline.turn import too_many

_MOST_A_DAY = 100


def bar(ports: Ports, run: Run) -> Finding | None:
    """Return the finding that prevents an execution from going on besides those created before it, or None.

    Only earlier ones count. So of several executions at one instant exactly the excess is barred, and one that may go
    on is never barred later. If the finding does not end the execution, it waits for its turn.
    """
    execution = run.execution
    earlier = [
        other for other in ports.executions.unfinished() if not other.state.final and other.created_before(execution)
    ]
    rival = next((other for other in earlier if rivals(other, execution)), None)
    if rival is not None:
        return _another(rival)
    sent = send_of_that_day(ports, run)
    return too_many(ports, run, earlier) if sent is None else _sent_that_day(run, sent)


def send_of_that_day(ports: Ports, run: Run) -> Execution | None:
    """Return the scheduled execution that already uses the day of this one, in the recipe's zone."""
    execution, schedule = run.execution, run.recipe.schedule
    if execution.kind is not Kind.SCHEDULED or not schedule.by_day:
        return None
    since, until = schedule.day_bounds(schedule.day_of(execution.send_at))
    wanted = ExecutionSearch(recipe_id=execution.recipe_id, since=since, until=until)
    for other in ports.executions.search(wanted, most=_MOST_A_DAY):
        may_send = other.went_live or not other.state.final
        if other.kind is Kind.SCHEDULED and may_send and other.created_before(execution):
            return other
    return None


def _sent_that_day(run: Run, other: Execution) -> Finding:
    day = run.recipe.schedule.day_of(run.execution.send_at)
    return Finding(
        type=ViolationType.SENT_THAT_DAY,
        severity=Severity.CRITICAL,
        message=f"the recipe's send of {day} is {other.id}, and it sends once a day",
        action="blocked",
        data={"executionId": other.id},
    )


def rivals(one: Execution, other: Execution) -> bool:
    """Return whether two executions of a recipe would send its sequence twice: one of them was started by hand.

    Two scheduled executions are two planned sends, and a TEST reaches only the test users.
    """
    kinds = {one.kind, other.kind}
    return one.recipe_id == other.recipe_id and Kind.MANUAL in kinds and Kind.TEST not in kinds


def _another(rival: Execution) -> Finding:
    return Finding(
        type=ViolationType.ANOTHER_UNDER_WAY,
        severity=Severity.CRITICAL,
        message=f"execution {rival.id} of the same recipe is under way: its users would get the sequence twice",
        action="blocked",
        data={"underWay": rival.id},
    )
