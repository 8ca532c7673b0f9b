"""Move one send of a campaign: the page that asks for its new time as people type it."""

from collections.abc import Sequence
from datetime import datetime
from http.client import OK, UNPROCESSABLE_ENTITY

from flask import Response

from functions.domain.errors import BadRecipe, NotPossible
from functions.domain.instants import stamp
from functions.domain.recipe.moved import moved_from
from functions.domain.recipe.read import Recipe, read
from functions.domain.recipe.schedule import Frequency
from functions.domain.roles import Role
from functions.handlers.console.answering import page, to
from functions.handlers.console.forms.live_schedule import live_schedule
from functions.handlers.console.forms.recipe_form import Values
from functions.handlers.console.notices import with_notices
from functions.handlers.console.pages.schedule import named_send, send_of
from functions.handlers.console.visit import Route, Visit
from functions.usecases.recipes.move_send import move_send
from functions.usecases.recipes.save import stored_recipe

_TYPED = ("schedule.startDate", "schedule.executionTime")


def ask(visit: Visit) -> Response:
    """Ask when a send should go out instead. A campaign that sends once is edited, a moved send is moved again."""
    recipe_id, at = visit.path["recipe_id"], named_send(visit.asked("at"))
    stored = stored_recipe(visit.ports, recipe_id)
    if origin := moved_from(stored):
        return to(visit, f"/recipes/{origin[0]}/move", at=stamp(origin[1]) or "")
    recipe = read(stored, default_id=recipe_id)
    if recipe.schedule.frequency is Frequency.ONCE:
        return to(visit, f"/recipes/{recipe_id}/edit")
    local = at.astimezone(recipe.schedule.zone)
    return _shown(visit, recipe, at, _values(recipe, "", f"{local:%H:%M}"), status=OK)


def move(visit: Visit) -> Response:
    """Move a send, or ask again with what speaks against the time."""
    recipe_id, at = visit.path["recipe_id"], named_send(visit.field("at"))
    recipe = read(stored_recipe(visit.ports, recipe_id), default_id=recipe_id)
    values = _values(recipe, *(visit.field(name) for name in _TYPED))
    live = live_schedule(values, visit.now)
    if live.errors or not live.sends:
        return _shown(visit, recipe, at, values)
    try:
        moved = move_send(visit.ports, recipe_id, at, live.sends[0].at, by=visit.caller.name)
    except BadRecipe as error:
        return _shown(visit, recipe, at, values, [each.reason for each in error.errors])
    except NotPossible as error:
        return _shown(visit, recipe, at, values, [str(error)])
    path = f"/recipes/{recipe_id}"
    return to(visit, path, outcome="moved", at=stamp(at) or "", **with_notices(path, moved.copy.notices))


def _values(recipe: Recipe, day: str, clock: str) -> Values:
    schedule = recipe.document()["schedule"]
    kept = {"schedule.frequency": "once", "schedule.timezone": recipe.schedule.zone.key}
    if "leadTimeMinutes" in schedule:
        kept["schedule.leadTimeMinutes"] = str(schedule["leadTimeMinutes"])
    if recipe.test_mode:
        kept["audienceCriteria.testMode"] = "yes"
    return {**kept, **dict(zip(_TYPED, (day, clock), strict=True))}


def _shown(
    visit: Visit,
    recipe: Recipe,
    at: datetime,
    values: Values,
    problems: Sequence[str] = (),
    *,
    status: int = UNPROCESSABLE_ENTITY,
) -> Response:
    live = live_schedule(values, visit.now)
    errors = {name: reason for name, reason in live.errors.items() if values[name]}
    if status != OK and not values[_TYPED[0]]:
        errors[_TYPED[0]] = "Choose a day"
    return page(
        visit,
        "form/schedule_move.html",
        status=status,
        recipe=recipe,
        values=values,
        typed=_TYPED,
        live=live,
        errors=errors,
        problems=[] if live.warning else problems,
        **send_of(visit, recipe, at),
    )


_AT = "/recipes/<recipe_id>/move"
ROUTES = (
    Route(method="GET", path=_AT, serve=ask, least=Role.OPERATOR),
    Route(method="POST", path=_AT, serve=move, least=Role.OPERATOR),
)
