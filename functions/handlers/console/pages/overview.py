"""What runs now, what is next, what happened, what waits for somebody, and whether everything answers."""

from typing import Any

from flask import Response

from functions.domain.execution import Execution
from functions.domain.roles import Role
from functions.handlers.console.answering import page, part, to, unchanged
from functions.handlers.console.charts import slices
from functions.handlers.console.told import control_of, sentence
from functions.handlers.console.visit import Route, Visit
from functions.ports import ExecutionSearch
from functions.usecases.check_health import check_health
from functions.usecases.show_executions import Watched, find_executions, watch_execution
from functions.usecases.steps import run_or_problem
from functions.usecases.upcoming import upcoming
from functions.usecases.violations import open_violations, resolve_violation

_NEXT = 8
_LATEST = 10
_OPEN = 20
_SHOWN_ANEW_SECONDS = 10


def show(visit: Visit) -> Response:
    """Show all of it; health is asked for by the page, as some answers take their time."""
    found = open_violations(visit.ports, most=_OPEN)
    return page(
        visit,
        "overview.html",
        **_running(visit),
        upcoming=upcoming(visit.ports, most=_NEXT),
        latest=_latest(visit),
        violations=found.violations,
        more_violations=found.next is not None,
    )


def show_live(visit: Visit) -> Response:
    """Answer what runs now; nothing where the visitor sees it already."""
    values = _running(visit)
    if visit.asked("known") == values["version"]:
        return unchanged(visit)
    return part(visit, "overview_running.html", **values)


def show_health(visit: Visit) -> Response:
    """Ask everything that Tminus depends on whether it answers."""
    health = check_health(visit.ports)
    if visit.by_htmx:
        return part(visit, "health.html", health=health)
    return page(visit, "health_page.html", health=health)


def resolve(visit: Visit) -> Response:
    """Mark a violation as looked after."""
    execution_id = visit.field("execution")
    resolve_violation(visit.ports, execution_id, visit.field("violation"), by=visit.caller.name)
    back = visit.field("back")
    return to(visit, back if back == f"/executions/{execution_id}" else "/")


def _running(visit: Visit) -> dict[str, Any]:
    unfinished = visit.ports.executions.unfinished()
    found = [_watched(visit, execution) for execution in unfinished if not execution.state.final]
    versions = "-".join(watched.version[:8] for watched, _ in found)
    return {
        "running": [row for _, row in found],
        "version": f"{versions}-{int(visit.now.timestamp()) // _SHOWN_ANEW_SECONDS}",
    }


def _watched(visit: Visit, execution: Execution) -> tuple[Watched, dict[str, Any]]:
    watched = watch_execution(visit.ports, execution.recipe_id, execution.id)
    told, run = watched.document(), run_or_problem(watched.execution)[0]
    return watched, {
        "execution": watched.execution,
        "report": told,
        "zone": run.recipe.schedule.zone.key if run else "UTC",
        "slices": slices(told["totals"]),
        "sentence": sentence(watched.execution, told, visit.now),
        "control": control_of(watched.execution),
    }


def _latest(visit: Visit) -> list[dict[str, Any]]:
    found = find_executions(visit.ports, ExecutionSearch(until=visit.now), most=_LATEST)
    return [each for each in map(dict, found.executions) if each["totals"] or each["reason"]]


ROUTES = (
    Route(method="GET", path="/", serve=show),
    Route(method="GET", path="/live", serve=show_live),
    Route(method="GET", path="/health", serve=show_health),
    Route(method="POST", path="/violations", serve=resolve, least=Role.OPERATOR),
)
