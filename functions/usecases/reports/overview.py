"""What happens now, and what has happened, at a glance."""

from dataclasses import dataclass
from typing import Any

from functions.domain.execution.execution import Execution, State
from functions.domain.instants import stamp
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch, Place
from functions.usecases.reports.execution import pushes_of
from functions.usecases.reports.executions import summary
from functions.usecases.timeline.steps import run_or_problem

_LATEST = 10


@dataclass(frozen=True, kw_only=True)
class PushLogs:
    """The pushes of a page of executions; `next` is the place behind which the next page begins, None: no more."""

    pushes: list[dict[str, Any]]
    next: Place | None


def overview(ports: Ports, *, recipe_id: str | None = None) -> dict[str, Any]:
    """Return counts of executions by state, what is under way, and the latest; of one recipe or of all."""
    now = ports.clock.now()
    counts = {
        state.value: ports.executions.count(ExecutionSearch(recipe_id=recipe_id, state=state)) for state in State
    }
    under_way = [
        summary(execution, now)
        for execution in ports.executions.unfinished()
        if not execution.state.final and recipe_id in (None, execution.recipe_id)
    ]
    latest = ports.executions.search(ExecutionSearch(recipe_id=recipe_id), most=_LATEST)
    return {
        "now": stamp(now),
        "recipeId": recipe_id,
        "executions": ports.executions.count(ExecutionSearch(recipe_id=recipe_id)),
        "byStatus": counts,
        "underWay": under_way,
        "latest": [summary(execution, now) for execution in latest],
    }


def push_logs(
    ports: Ports, wanted: ExecutionSearch, *, most: int, after: Place | None = None, oldest_first: bool = False
) -> PushLogs:
    """Return what became of each push of a page of executions, with the texts of its template."""
    found = ports.executions.search(wanted, most=most + 1, after=after, oldest_first=oldest_first)
    page = found[:most]
    return PushLogs(
        pushes=[push for execution in page for push in _push_log(ports, execution)],
        next=(page[-1].send_at, page[-1].id) if len(found) > most else None,
    )


def _push_log(ports: Ports, execution: Execution) -> list[dict[str, Any]]:
    run, problem = run_or_problem(execution)
    about = {
        "executionId": execution.id,
        "recipeId": execution.recipe_id,
        "status": execution.state.value,
        "dryRun": run.recipe.test_mode if run else None,
        "problem": problem or None,
    }
    pushes = pushes_of(ports, execution, run)
    if run is None:
        return [{**about, **numbers, "title": None, "body": None} for numbers in pushes]
    return [
        {**about, **numbers, **{name: text.source for name, text in push.texts.items()}}
        for numbers, push in zip(pushes, run.recipe.pushes, strict=True)
    ]
