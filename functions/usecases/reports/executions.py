"""Show executions in lists, and the log of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from functions.domain.documents import Described
from functions.domain.errors import NotFound
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch, Level, LogEntry, Place
from functions.usecases.reports.numbers import Totals, totals_of

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The wait of an execution for its turn, because the most executions that can run at once started before it."""

    since: datetime
    until: datetime
    """When it is blocked if its turn has not come: after that it could not be in time."""
    limit: int
    """How many executions can run at once."""
    message: str


@dataclass(frozen=True, kw_only=True)
class ExecutionSummary:
    """An execution in a list. `secondsToSend` counts down to T-0. `totals` are present once it is cleaned up."""

    execution_id: str
    recipe_id: str
    recipe_name: str
    kind: Kind
    status: State
    reason: str
    send_at: datetime
    created_at: datetime
    phase: Phase | None
    seconds_to_send: int | None
    waiting: Waiting | None
    """Why it has not begun although its time has come; null if it does not wait."""
    totals: Totals | None
    people: int | None
    """The number of distinct users in all audiences; null before T-30."""
    people_reached: int | None
    """The number of distinct users who were sent at least one push; null before the end."""


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """A line of an execution's log."""

    at: datetime
    phase: Annotated[str, Described("Phase")]
    level: Level
    message: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """A page of executions. The next page begins after the place `next`; None: there is none."""

    executions: Sequence[ExecutionSummary]
    next: Place | None
    total: int


def find_executions(
    ports: Ports,
    wanted: ExecutionSearch,
    *,
    most: int,
    after: Place | None = None,
    oldest_first: bool = False,
) -> Found:
    """Return a page of executions in order of their sends; NotFound for a recipe that neither exists nor has sent."""
    found = ports.executions.search(wanted, most=most + 1, after=after, oldest_first=oldest_first)
    if not found and wanted.recipe_id is not None:
        _check_known(ports, wanted.recipe_id)
    page, now = found[:most], ports.clock.now()
    return Found(
        executions=[summary(execution, now) for execution in page],
        next=(page[-1].send_at, page[-1].id) if len(found) > most else None,
        total=ports.executions.count(wanted),
    )


def _check_known(ports: Ports, recipe_id: str) -> None:
    if ports.recipes.get(recipe_id) is not None:
        return
    if not ports.executions.search(ExecutionSearch(recipe_id=recipe_id), most=1):
        raise NotFound(f"there is no recipe {recipe_id!r}, and there was none that has sent")


def summary(execution: Execution, now: datetime) -> ExecutionSummary:
    """Return the entry of an execution in a list. `totals` are present once it is cleaned up."""
    return ExecutionSummary(
        execution_id=execution.id,
        recipe_id=execution.recipe_id,
        recipe_name=name_of(execution),
        kind=execution.kind,
        status=execution.state,
        reason=execution.reason,
        send_at=execution.send_at,
        created_at=execution.created_at,
        phase=phase_of(execution),
        seconds_to_send=seconds_to_send(execution, now),
        waiting=waiting(execution),
        totals=totals_of(execution.totals) if execution.totals else None,
        people=execution.people,
        people_reached=execution.people_reached,
    )


def name_of(execution: Execution) -> str:
    """Return the name of an execution's recipe, else its id."""
    return str(execution.recipe.get("name") or execution.recipe_id)


def waiting(execution: Execution) -> Waiting | None:
    """Return the wait of an execution for its turn; None if it does not wait."""
    wait = execution.waiting
    return Waiting(since=wait.since, until=wait.until, limit=wait.limit, message=wait.message) if wait else None


def phase_of(execution: Execution) -> Phase | None:
    """Return the current phase of an execution; None before the first and after the last."""
    begun = [
        phase for phase, times in execution.phases.items() if times.started_at is not None and times.ended_at is None
    ]
    return max(begun, key=list(Phase).index) if begun else None


def seconds_to_send(execution: Execution, now: datetime) -> int | None:
    """Return the seconds to T-0; None after T-0, or if the execution has ended."""
    if execution.state.final or execution.state is State.LIVE or now >= execution.send_at:
        return None
    return (execution.send_at - now) // _SECOND


def execution_of(ports: Ports, recipe_id: str, execution_id: str) -> Execution:
    """Return an execution of a recipe; NotFound if the recipe has none with that id."""
    execution = ports.executions.get(execution_id)
    if execution is None or execution.recipe_id != recipe_id:
        raise NotFound(f"recipe {recipe_id!r} has no execution {execution_id!r}")
    return execution


def log_of_execution(ports: Ports, recipe_id: str, execution_id: str) -> list[LogLine]:
    """Return an execution's log, oldest line first."""
    execution = execution_of(ports, recipe_id, execution_id)
    return [_line(entry) for entry in ports.logs.of(execution.id)]


def possible_for(execution: Execution) -> list[str]:
    """Return what people can do to an execution now."""
    if execution.state.final:
        return []
    return ["emergency_stop"] if execution.state is State.LIVE else ["cancel", "emergency_stop"]


def _line(entry: LogEntry) -> LogLine:
    return LogLine(at=entry.at, phase=entry.phase, level=entry.level, message=entry.message)
