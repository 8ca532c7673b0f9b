"""Executions, page by page."""

from datetime import UTC, date, datetime, time
from urllib.parse import urlencode

from flask import Response

from functions.domain.errors import BadInput
from functions.domain.execution.execution import State
from functions.handlers.console.answering import page
from functions.handlers.console.visit import Route, Visit
from functions.handlers.http.paging import cursor_of, place_of
from functions.ports.executions import ExecutionSearch
from functions.usecases.reports.executions import find_executions

_AT_ONCE = 50


def show(visit: Visit) -> Response:
    """Show executions of all recipes or of one, in any state or in one."""
    state, recipe_id = visit.asked("state"), visit.asked("recipe")
    since, until = visit.asked("since"), visit.asked("until")
    wanted = ExecutionSearch(recipe_id=recipe_id or None, state=_state(state), since=_day(since), until=_day(until))
    found = find_executions(visit.ports, wanted, most=_AT_ONCE, after=place_of(visit.asked("after")))
    named = (("state", state), ("recipe", recipe_id), ("since", since), ("until", until))
    kept = {name: value for name, value in named if value}
    following = cursor_of(*found.next) if found.next else ""
    return page(
        visit,
        "executions.html",
        executions=found.executions,
        total=found.total,
        state=state,
        recipe_id=recipe_id,
        period=" ".join(f"{word} {day}" for word, day in (("from", since), ("before", until)) if day),
        states=[each.value for each in State],
        newer=urlencode(kept) if visit.asked("after") else None,
        older=urlencode({**kept, "after": following}) if following else None,
    )


def _day(written: str) -> datetime | None:
    """Return the beginning of a day in UTC; None if it is empty."""
    try:
        return datetime.combine(date.fromisoformat(written), time(), UTC) if written else None
    except ValueError:
        raise BadInput(f"{written!r} is not a day; use YYYY-MM-DD") from None


def _state(written: str) -> State | None:
    try:
        return State(written) if written else None
    except ValueError:
        raise BadInput(f"unknown state {written!r}; choose one of {', '.join(State)}") from None


ROUTES = (Route(method="GET", path="/executions", serve=show),)
