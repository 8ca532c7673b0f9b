"""What runs now, and what has run, at a glance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.domain.errors import Unreadable
from functions.domain.execution.execution import Execution, State
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch, Place
from functions.usecases.reports.execution import pushes_of
from functions.usecases.reports.executions import ExecutionSummary, summary
from functions.usecases.reports.numbers import PushNumbers
from functions.usecases.timeline.steps import run_or_problem

_LATEST = 10


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Executions by state, the running ones, and the latest."""

    now: datetime
    recipe_id: str | None
    executions: int
    by_status: Mapping[str, int]
    under_way: Sequence[ExecutionSummary]
    latest: Sequence[ExecutionSummary]


@dataclass(frozen=True, kw_only=True)
class _OfExecution:
    """The execution that a push belongs to."""

    execution_id: str
    recipe_id: str
    status: State
    dry_run: bool | None
    problem: str | None
    """Why this release cannot read the execution; null if it can."""


@dataclass(frozen=True, kw_only=True)
class PushLog(PushNumbers, _OfExecution):
    """One push of one execution, with its users by outcome and the texts of its template."""

    title: str | None
    body: str | None
    deep_link: str | None = None


@dataclass(frozen=True, kw_only=True)
class PushLogs:
    """The pushes of a page of executions. The next page begins after the place `next`; None: there is none."""

    pushes: Sequence[PushLog]
    next: Place | None


def overview(ports: Ports, *, recipe_id: str | None = None) -> Overview:
    """Return counts of executions by state, the running ones, and the latest, of one recipe or of all."""
    now = ports.clock.now()
    counts = {
        state.value: ports.executions.count(ExecutionSearch(recipe_id=recipe_id, state=state)) for state in State
    }
    under_way = [
        summary(execution, now)
        for execution in ports.executions.unfinished()
        if not execution.state.final and recipe_id in (None, execution.recipe_id)
    ]
    everything = ExecutionSearch(recipe_id=recipe_id)
    latest = ports.executions.search(everything, most=_LATEST)
    return Overview(
        now=now,
        recipe_id=recipe_id,
        # Not the sum of the counts: a newer release may have stored executions in states that this one does not know.
        executions=ports.executions.count(everything),
        by_status=counts,
        under_way=under_way,
        latest=[summary(execution, now) for execution in latest],
    )


def push_logs(
    ports: Ports, wanted: ExecutionSearch, *, most: int, after: Place | None = None, oldest_first: bool = False
) -> PushLogs:
    """Return the pushes of a page of executions, with their users by outcome and the texts of their templates."""
    found = ports.executions.search(wanted, most=most + 1, after=after, oldest_first=oldest_first)
    page = found[:most]
    return PushLogs(
        pushes=[push for execution in page for push in _push_log(ports, execution)],
        next=(page[-1].send_at, page[-1].id) if len(found) > most else None,
    )


def _push_log(ports: Ports, execution: Execution) -> list[PushLog]:
    run, problem = run_or_problem(execution)
    try:
        pushes = pushes_of(ports, execution, run)
    except Unreadable:  # its own page says why
        return []
    written = run.recipe.pushes if run else [None] * len(pushes)
    return [
        PushLog(
            **vars(numbers),
            execution_id=execution.id,
            recipe_id=execution.recipe_id,
            status=execution.state,
            dry_run=run.recipe.test_mode if run else None,
            problem=problem or None,
            title=push.title.source if push else None,
            body=push.body.source if push else None,
            deep_link=push.deep_link.source if push and push.deep_link else None,
        )
        for numbers, push in zip(pushes, written, strict=True)
    ]
