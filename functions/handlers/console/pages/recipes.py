"""The page of a recipe: messages, audience, schedule, past sends, and actions."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from flask import Response

from functions.domain.documents import shown
from functions.domain.errors import BadRecipe
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.recipe.defaults import in_force
from functions.domain.recipe.labels import owner_of, tags_of
from functions.domain.recipe.moved import moved_from
from functions.domain.recipe.read import Recipe, read
from functions.domain.recipe.status import Status
from functions.domain.roles import Role
from functions.handlers.console.answering import page, part, to
from functions.handlers.console.campaign_pushes import in_language, shown_pushes
from functions.handlers.console.charts import slices, sparkline
from functions.handlers.console.execution_sentences import cancelled_words
from functions.handlers.console.forms.reshaping import LANGUAGES
from functions.handlers.console.notices import notices_of
from functions.handlers.console.pages.schedule import next_sends, skip_outcome
from functions.handlers.console.schedule_words import in_words
from functions.handlers.console.subjects import of_recipe
from functions.handlers.console.visit import Route, Visit
from functions.handlers.console.words import city, short_day, zone_of
from functions.ports.executions import ExecutionSearch
from functions.usecases.dry_run.sample_messages import sample_messages
from functions.usecases.dry_run.sample_people import SamplePeople, last_people
from functions.usecases.recipes.launched_sends import LaunchedSends, launched_sends, next_send
from functions.usecases.recipes.save import delete_recipe, pause_recipe, stored_recipe, update_recipe, version_of
from functions.usecases.reports.executions import ExecutionSummary, find_executions
from functions.usecases.reports.recipe_audience import RecipeAudience, recipe_audience
from functions.usecases.reports.so_far import with_numbers_so_far
from functions.usecases.timeline.control import would_cancel

AT = "/recipes/<recipe_id>"
_HISTORY = 12
_DONE = {
    "created": "Created.",
    "changed": "Saved. Applies from the next send; a send in progress is unchanged.",
    "stopped": "Saved. Nothing will be sent until you activate it.",
    "archived": "Archived. Nothing will be sent until you activate it again.",
    "paused": "Paused. Nothing will be sent until you resume it.",
    "resumed": "Resumed.",
    "activated": "Activated.",
}
_DONE_WHILE_LIVE = {
    "stopped": "Saved. No further send starts until you activate it.",
    "paused": "Paused. No further send starts until you resume it.",
}
_MOST_TOLD = 20


def show(visit: Visit) -> Response:
    """Show a recipe."""
    recipe_id = visit.path["recipe_id"]
    document = stored_recipe(visit.ports, recipe_id)
    found = find_executions(visit.ports, ExecutionSearch(recipe_id=recipe_id), most=_HISTORY)
    history = with_numbers_so_far(visit.ports, found.executions)
    shown_with = partial(page, visit, history=history, version=version_of(document))
    try:
        recipe = read(document)
    except BadRecipe as error:
        return shown_with("recipe_broken.html", document=document, recipe_id=recipe_id, broken=error.errors)
    launched = launched_sends(visit.ports, visit.now, recipe_id)
    live = [] if recipe.is_active else [each for each in history if each.status is State.LIVE]
    sent = [each for each in reversed(history) if each.kind is not Kind.TEST and each.totals and each.totals.sent]
    people = [each.people for each in sent if each.people is not None]
    sends, audience = next_sends(visit.ports, recipe, launched), recipe_audience(visit.ports, recipe)
    return shown_with(
        "recipe.html",
        outcome=_outcome(visit, recipe, launched, live),
        notices=notices_of(visit),
        live=live,
        recipe=recipe,
        description=_as_text(document.get("description")),
        tags=tags_of(document),
        owner=owner_of(document),
        words=in_words(recipe),
        sends=sends,
        following=next((each for each in sends if each.may_skip), None),
        skipped=skip_outcome(visit, recipe, launched),
        sizes=people,
        line=sparkline(people),
        slices={each.execution_id: slices(each.totals) for each in history if each.totals},
        **_pushes(visit, recipe, audience, execution_id=_latest_built(history) if visit.may(Role.OPERATOR) else ""),
        **vars(audience),
    )


def show_pushes(visit: Visit) -> Response:
    """Answer the pushes with the values of a person of the last audiences, and how many people lack each value."""
    recipe_id = visit.path["recipe_id"]
    recipe = read(stored_recipe(visit.ports, recipe_id), default_id=recipe_id)
    people = last_people(visit.ports, recipe)
    pushes = _pushes(visit, recipe, recipe_audience(visit.ports, recipe), people=people)
    return part(visit, "recipe_pushes.html", recipe=recipe, **pushes)


def _pushes(
    visit: Visit,
    recipe: Recipe,
    audience: RecipeAudience,
    *,
    execution_id: str = "",
    people: Sequence[SamplePeople] = (),
) -> dict[str, Any]:
    """Return the values for the pushes: with a row of an execution's TEST audience, or with `people`."""
    with suppress(BadRecipe):  # saving the recipe says why
        recipe = in_force(recipe, visit.ports.workspace.pushes.defaults)
    languages = list(dict.fromkeys(tag for push in recipe.pushes for tag in push.translations))
    language = visit.asked("language") if visit.asked("language") in languages else ""
    recipe = in_language(recipe, language)
    samples = sample_messages(visit.ports, recipe, execution_id)
    return {
        "pushes": shown_pushes(recipe, samples, people, audience),
        "languages": languages,
        "language": language,
        "LANGUAGES": LANGUAGES,
        "loads": bool(execution_id) and any(each.columns for each in samples),
    }


def _as_text(value: Any) -> str:
    """Return a field of any type as text; empty without a value."""
    return value if isinstance(value, str) else shown(value) if value else ""


def _latest_built(history: Sequence[ExecutionSummary]) -> str:
    built = (each.execution_id for each in history if each.totals or each.phase)
    return next(built, "")


def _outcome(visit: Visit, recipe: Recipe, launched: LaunchedSends, live: Sequence[ExecutionSummary]) -> str:
    """Return the result of a form: the next send, or the cancelled ones. `live` are the sends that go on."""
    outcome = visit.asked("outcome")
    if outcome not in _DONE:
        return ""
    words = _DONE_WHILE_LIVE.get(outcome, _DONE[outcome]) if live else _DONE[outcome]
    if outcome in ("resumed", "activated"):
        following, zone = next_send(recipe, visit.now, launched), recipe.schedule.zone
        which = "First send" if outcome == "activated" else "Next send"
        return f"{words} {which}: {short_day(following, zone)} {city(zone)}." if following else words
    found = [visit.ports.executions.get(each) for each in visit.asked("cancelled").split()[:_MOST_TOLD]]
    mine = [each for each in found if each and each.recipe_id == recipe.id and each.state is State.CANCELLED]
    return " ".join([words, cancelled_words(mine, recipe.schedule.zone)]) if mine else words


def pause(visit: Visit) -> Response:
    """Pause a recipe. If that cancels a send, ask first and name the send."""
    return _stop(visit, "pause", partial(pause_recipe, visit.ports, visit.path["recipe_id"], by=visit.caller.name))


def archive(visit: Visit) -> Response:
    """Archive a recipe: it sends nothing until it is activated again. Ask first as in `pause`."""
    changes = {"status": Status.ARCHIVED.value}
    change = partial(update_recipe, visit.ports, visit.path["recipe_id"], changes, by=visit.caller.name)
    return _stop(visit, "archive", change)


def _stop(visit: Visit, action: str, change: Callable[[], Recipe]) -> Response:
    recipe_id = visit.path["recipe_id"]
    found = would_cancel(visit.ports, recipe_id)
    if not agreed(visit, found):
        return _ask(visit, "recipe_pause.html", found, action=action)
    recipe = change()
    outcome, cancelled = f"{action}d", " ".join(each.id for each in recipe.cancelled)
    return to(visit, f"/recipes/{recipe_id}", outcome=outcome, cancelled=cancelled)


def agreed(visit: Visit, found: Sequence[Execution]) -> bool:
    """Return whether the submitted form names every execution that the change would cancel."""
    return {each.id for each in found} <= {*visit.field("cancels").split()}


def _ask(visit: Visit, template: str, found: Sequence[Execution], action: str = "delete") -> Response:
    """Show a page that asks for confirmation before executions are cancelled."""
    recipe_id = visit.path["recipe_id"]
    document = stored_recipe(visit.ports, recipe_id)
    zones = {each.id: zone_of(each.recipe) for each in found}
    return page(
        visit,
        template,
        document=document,
        recipe_id=recipe_id,
        found=found,
        zones=zones,
        action=action,
        origin=moved_from(document),
    )


def ask_delete(visit: Visit) -> Response:
    """Ask whether to delete a recipe, and name the sends that deleting it cancels."""
    found = would_cancel(visit.ports, visit.path["recipe_id"], tests=True)
    return _ask(visit, "recipe_delete.html", found)


def delete(visit: Visit) -> Response:
    """Delete a recipe. Its executions and its audit log are kept."""
    if not agreed(visit, would_cancel(visit.ports, visit.path["recipe_id"], tests=True)):
        return ask_delete(visit)
    delete_recipe(visit.ports, visit.path["recipe_id"], by=visit.caller.name)
    return to(visit, "/recipes")


ROUTES = (
    Route(method="GET", path=AT, serve=show),
    Route(
        method="GET",
        path=f"{AT}/pushes",
        serve=show_pushes,
        least=Role.OPERATOR,
        reads=of_recipe,
        expensive=True,
    ),
    Route(method="POST", path=f"{AT}/archive", serve=archive, least=Role.OPERATOR),
    Route(method="POST", path=f"{AT}/pause", serve=pause, least=Role.OPERATOR),
    Route(method="GET", path=f"{AT}/delete", serve=ask_delete, least=Role.OPERATOR),
    Route(method="POST", path=f"{AT}/delete", serve=delete, least=Role.OPERATOR),
)
