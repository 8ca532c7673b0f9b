"""What happens now, and what has happened, at a glance."""

from typing import Any

from functions.domain.execution import State
from functions.domain.instants import stamp
from functions.ports import ExecutionSearch, Ports
from functions.usecases.report import report
from functions.usecases.show_executions import find_executions, summary
from functions.usecases.steps import load_run

_LATEST = 10


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
    latest = find_executions(ports, ExecutionSearch(recipe_id=recipe_id), most=_LATEST)
    return {
        "now": stamp(now),
        "recipeId": recipe_id,
        "executions": sum(counts.values()),
        "byStatus": counts,
        "underWay": under_way,
        "latest": latest.executions,
    }


def push_log(ports: Ports, execution_id: str) -> list[dict[str, Any]]:
    """Return what became of each push of an execution, with the texts of its template."""
    told, pushes = report(ports, execution_id), load_run(ports, execution_id).recipe.pushes
    about = {name: told[name] for name in ("executionId", "recipeId", "status", "dryRun")}
    return [
        {**about, **numbers, **{name: text.source for name, text in push.texts.items()}}
        for numbers, push in zip(told["pushes"], pushes, strict=True)
    ]
