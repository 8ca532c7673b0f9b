"""Executions, page by page."""

from urllib.parse import urlencode

from flask import Response

from functions.domain.errors import BadInput
from functions.domain.execution.execution import State
from functions.domain.instants import instant, stamp
from functions.handlers.console.answering import page
from functions.handlers.console.visit import Route, Visit
from functions.ports.executions import ExecutionSearch, Place
from functions.usecases.reports.executions import find_executions

_AT_ONCE = 50


def show(visit: Visit) -> Response:
    """Show executions of all recipes or of one, in any state or in one."""
    state, recipe_id = visit.asked("state"), visit.asked("recipe")
    wanted = ExecutionSearch(recipe_id=recipe_id or None, state=_state(state))
    found = find_executions(visit.ports, wanted, most=_AT_ONCE, after=_place(visit.asked("after")))
    kept = {name: value for name, value in (("state", state), ("recipe", recipe_id)) if value}
    following = f"{stamp(found.next[0])}~{found.next[1]}" if found.next else ""
    return page(
        visit,
        "executions.html",
        executions=found.executions,
        total=found.total,
        state=state,
        recipe_id=recipe_id,
        states=[each.value for each in State],
        newer=urlencode(kept) if visit.asked("after") else None,
        older=urlencode({**kept, "after": following}) if following else None,
    )


def _state(written: str) -> State | None:
    try:
        return State(written) if written else None
    except ValueError:
        raise BadInput(f"unknown state {written!r}; choose one of {', '.join(State)}") from None


def _place(cursor: str) -> Place | None:
    at, _, execution_id = cursor.partition("~")
    if not cursor:
        return None
    try:
        return instant(at), execution_id
    except (ValueError, OverflowError):
        raise BadInput("this page address is broken; start from the newest sends") from None


ROUTES = (Route(method="GET", path="/executions", serve=show),)
