"""Create, change and duplicate a recipe. The form keeps its content until it is valid."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from flask import Response
from werkzeug.datastructures import MultiDict

from functions.domain.audit import ABOUT_SENDS
from functions.domain.documents import without_nan
from functions.domain.errors import BadRecipe, FieldError, NotPossible, Stale
from functions.domain.execution.execution import Execution
from functions.domain.recipe.content_fields import MOST_BUTTONS
from functions.domain.recipe.first_send import ScheduleUnderWay, Underway
from functions.domain.recipe.moved import OF_ITS_OWN
from functions.domain.recipe.read import Document, Recipe, read
from functions.domain.recipe.skips import without_skips
from functions.domain.recipe.status import Status, read_status
from functions.domain.roles import Role
from functions.handlers.console.answering import page, to
from functions.handlers.console.changes import changes_between
from functions.handlers.console.forms.criteria_form import at_fields, names_of
from functions.handlers.console.forms.form_fields import button_fields, push_fields, translation_fields
from functions.handlers.console.forms.form_sections import form_sections
from functions.handlers.console.forms.job_parameters import JOB, parameter_fields
from functions.handlers.console.forms.live_schedule import live_schedule
from functions.handlers.console.forms.push_rows import NOTHING, button_count, languages, missing_in
from functions.handlers.console.forms.recipe_form import (
    Sent,
    Values,
    as_shown,
    default_values,
    errors_by_field,
    field_names,
)
from functions.handlers.console.forms.reshaping import ACTIONS, LANGUAGES, Reshaped, reshaped
from functions.handlers.console.forms.segment_fields import kept_as_segment
from functions.handlers.console.forms.whole_form import criteria_field, read_form, show_form
from functions.handlers.console.layer_words import layers_of, usual_layer
from functions.handlers.console.notices import with_notices
from functions.handlers.console.pages.audience import audience_view
from functions.handlers.console.pages.compose import composer_for
from functions.handlers.console.pages.recipes import agreed
from functions.handlers.console.visit import Route, Visit
from functions.handlers.console.words import zone_of
from functions.usecases.dry_run.describe_jobs import describe_jobs
from functions.usecases.people.testers import tester_of
from functions.usecases.recipes.check_saved import checked_recipe
from functions.usecases.recipes.save import create_recipe, stored_recipe, update_recipe, version_of
from functions.usecases.timeline.control import would_cancel

_OWN = (*OF_ITS_OWN, "id", "owner", "status")
"""Fields that a copy does not get."""
_LATEST_ENTRIES = 20
_REMOVABLE = ("name", "description", "tags", "owner", "type")


def new(visit: Visit) -> Response:
    """Show an empty form, or one with the values of another recipe."""
    document = _copied(visit, visit.asked("from"))
    values, pushes = show_form(visit, document)
    if document:
        values["name"] = f"{document.get('name') or visit.asked('from')} (copy)"
    else:
        values["schedule.timezone"] = _usual_zone(visit)
        if "layerId" not in visit.ports.workspace.pushes.defaults:
            values["pushSequence[0].layerId"] = usual_layer(visit.ports)
        values["settings.testUserIds"] = _own_id(visit)
    return _form(visit, values | {"copy": visit.asked("from")}, pushes)


def _own_id(visit: Visit) -> str:
    """Return the visitor's user id if the deployment has no test users, which each send needs; empty if unknown."""
    me = tester_of(visit.ports, visit.caller.name)
    return me.user_id if me and not visit.ports.policy.default_test_user_ids else ""


def create(visit: Visit) -> Response:
    """Create the recipe, or show the form again with errors."""
    base = _copied(visit, visit.field("copy"))
    sent = read_form(visit, visit.request.form, base)
    if changed := kept_as_segment(visit, sent.values, sent.pushes) or reshaped(sent.values, sent.pushes):
        return _after(visit, changed, base)
    reviews = _reviews_first(visit, sent, {})
    document = {**sent.document, **({"id": visit.field("id")} if visit.field("id") else {})}
    try:
        recipe = _unless_unread(
            visit, sent, document, lambda: create_recipe(visit.ports, document, by=visit.caller.name)
        )
    except BadRecipe as error:
        return _form(visit, sent.values, sent.pushes, errors=error.errors)
    except NotPossible as error:
        return _form(visit, sent.values, sent.pushes, errors=[FieldError("id", str(error))])
    path = f"/recipes/{recipe.id}{'/review' if reviews else ''}"
    return to(visit, path, outcome="created", **with_notices(path, recipe.notices))


def edit(visit: Visit) -> Response:
    """Show the form of a recipe."""
    recipe_id = visit.path["recipe_id"]
    document = stored_recipe(visit.ports, recipe_id)
    values, pushes = show_form(visit, document)
    values |= {"version": version_of(document)}
    broken = as_shown(_problems(document), document)
    return _form(visit, values, pushes, recipe_id=recipe_id, errors=broken, status=200)


def change(visit: Visit) -> Response:
    """Change the recipe, or show the form again, with errors or with another person's changes."""
    recipe_id = visit.path["recipe_id"]
    stored = stored_recipe(visit.ports, recipe_id)
    sent = read_form(visit, visit.request.form, without_nan(stored))
    if changed := kept_as_segment(visit, sent.values, sent.pushes) or reshaped(sent.values, sent.pushes):
        return _after(visit, changed, stored, recipe_id=recipe_id)
    reviews = _reviews_first(visit, sent, stored)
    cancels = () if sent.errors or _sends(sent.document) else would_cancel(visit.ports, recipe_id)
    if cancels and not agreed(visit, cancels):
        return _form(visit, sent.values, sent.pushes, recipe_id=recipe_id, cancels=cancels)
    versions = (visit.field("version"),)
    changes = {name: value for name, value in sent.document.items() if name not in ("id", "isActive")}
    changes |= {name: None for name in _REMOVABLE if name in stored and name not in sent.document}
    save = partial(
        update_recipe,
        visit.ports,
        recipe_id,
        changes,
        by=visit.caller.name,
        versions=versions,
        underway=_underway(visit),
    )
    try:
        document = {**stored, **changes}
        recipe = _unless_unread(visit, sent, document, save)
    except BadRecipe as error:
        return _form(visit, sent.values, sent.pushes, recipe_id=recipe_id, errors=error.errors)
    except ScheduleUnderWay as error:
        return _form(visit, sent.values, sent.pushes, recipe_id=recipe_id, underway=error, status=409)
    except Stale:
        values = sent.values | {"version": version_of(stored)}
        return _form(visit, values, sent.pushes, recipe_id=recipe_id, rival=_rival(visit, recipe_id), status=409)
    outcome = "changed" if _sends(sent.document) else "stopped"
    path, ids = f"/recipes/{recipe_id}{'/review' if reviews else ''}", " ".join(each.id for each in recipe.cancelled)
    return to(visit, path, outcome=outcome, cancelled=ids, **with_notices(path, recipe.notices))


def _sends(document: Document) -> bool:
    """Return whether a recipe saved with this status sends. A status that cannot be read stops nothing."""
    return _status({"status": document.get("status")}) in (Status.ACTIVE, None)


def _reviews_first(visit: Visit, sent: Sent, stored: Document) -> bool:
    """Return whether the review follows the save. The form activates nothing: an inactive recipe stays as it is."""
    before, wanted = _status(stored), _status({"status": sent.document.get("status")})
    if before is Status.ACTIVE:
        return False
    if wanted is Status.ACTIVE:
        sent.document["status"] = (before or Status.DRAFT).value
    return wanted is Status.ACTIVE or visit.field("then") == "review"


def _status(document: Document) -> Status | None:
    """Return the effective status of a document; None if it cannot be read."""
    try:
        return read_status(document)[0]
    except BadRecipe:
        return None


def _problems(document: Document) -> Sequence[FieldError]:
    """Return why a stored document cannot be read; empty if it can."""
    try:
        read(document)
    except BadRecipe as error:
        return error.errors
    return ()


def _underway(visit: Visit) -> Underway | None:
    chosen = visit.field("underway")
    return Underway(chosen) if chosen in tuple(Underway) else None


def _unless_unread(visit: Visit, sent: Sent, document: Document, save: Callable[[], Recipe]) -> Recipe:
    """Save the submitted form. If a part of it cannot be read, BadRecipe names all errors."""
    if not sent.errors:
        return save()
    raise BadRecipe(_errors(visit, sent, document))


def _errors(visit: Visit, sent: Sent, document: Document) -> list[FieldError]:
    """Return all errors of a submitted form and of the document that it makes."""
    ports, unread = visit.ports, {error.field for error in sent.errors}
    try:
        checked_recipe(
            document, policy=ports.policy, find_job=ports.find_job, workspace=ports.workspace, now=visit.now
        )
    except BadRecipe as error:
        return [*sent.errors, *(each for each in error.errors if each.field not in unread)]
    return [*sent.errors]


def _after(visit: Visit, changed: Reshaped, stored: Document, *, recipe_id: str = "") -> Response:
    """Return the form with a part added, removed or moved, and with all errors if it showed errors before."""
    values, errors = {name: text for name, text in changed.values.items() if name not in ACTIONS}, [*changed.errors]
    if visit.field("checked"):
        sent = read_form(visit, MultiDict(values), without_nan(stored))
        errors += _errors(visit, sent, {**stored, **sent.document})
    return _form(visit, values, changed.pushes, recipe_id=recipe_id, errors=errors, changed=changed, status=200)


def _form(
    visit: Visit,
    values: Values,
    pushes: int,
    *,
    recipe_id: str = "",
    errors: Sequence[FieldError] = (),
    rival: Mapping[str, Any] | None = None,
    cancels: Sequence[Execution] = (),
    underway: ScheduleUnderWay | None = None,
    changed: Reshaped | None = None,
    status: int = 0,
) -> Response:
    workspace, query = visit.ports.workspace, criteria_field(visit)
    names, jobs = [*field_names(pushes, values), *names_of(values)], describe_jobs(workspace)
    found = errors_by_field(at_fields(errors, values, workspace), names, query)
    return page(
        visit,
        "recipe_form.html",
        status=status or (422 if errors else 200),
        values=values,
        pushes=pushes,
        recipe_id=recipe_id,
        errors=found,
        problems=len(errors),
        names=names,
        unsaved=visit.request.method == "POST",
        rival=rival,
        cancels=cancels,
        zones_of={each.id: zone_of(each.recipe) for each in cancels},
        underway=underway,
        jobs=jobs,
        job_fields=parameter_fields(jobs),
        chosen_job=values.get(JOB, ""),
        topics=workspace.pushes.topics,
        defaults=default_values(workspace.pushes.defaults),
        composer=composer_for(visit, values),
        live=live_schedule(values, visit.now),
        sends=bool(recipe_id) and _status(stored_recipe(visit.ports, recipe_id)) is Status.ACTIVE,
        sections=form_sections(pushes, query, new=not recipe_id, hidden=() if "status" in found else ("status",)),
        layers=layers_of(visit.ports),
        focus=changed.focus if changed else "",
        said=changed.said if changed else "",
        push_fields=push_fields(),
        button_fields=button_fields(),
        translation_fields=translation_fields(),
        button_count=partial(button_count, values),
        languages_of=partial(languages, values),
        missing_in=partial(missing_in, values),
        LANGUAGES=LANGUAGES,
        NOTHING=NOTHING,
        MOST_BUTTONS=MOST_BUTTONS,
        **audience_view(visit, values),
    )


def _usual_zone(visit: Visit) -> str:
    """Return the zone of the campaign that sends next; UTC if none does."""
    return next((plan.zone for plan in visit.ports.recipes.plans(most=1)), "UTC")


def _copied(visit: Visit, recipe_id: str) -> Document:
    if not recipe_id:
        return {}
    return without_skips(
        {name: value for name, value in stored_recipe(visit.ports, recipe_id).items() if name not in _OWN}
    )


def _rival(visit: Visit, recipe_id: str) -> Mapping[str, Any]:
    """Return the last change of the recipe: who, when, and what."""
    entries = visit.ports.audit.of_recipe(recipe_id, most=_LATEST_ENTRIES)
    entry = next((entry for entry in entries if entry.deed.action not in ABOUT_SENDS), None)
    if entry is None:
        return {"by": "a manual edit in the store", "at": visit.now, "changes": ()}
    return {"by": entry.deed.by, "at": entry.deed.at, "changes": changes_between(entry.before, entry.after)}


ROUTES = (
    Route(method="GET", path="/recipes/new", serve=new, least=Role.OPERATOR),
    Route(method="POST", path="/recipes/new", serve=create, least=Role.OPERATOR),
    Route(method="GET", path="/recipes/<recipe_id>/edit", serve=edit, least=Role.OPERATOR),
    Route(method="POST", path="/recipes/<recipe_id>/edit", serve=change, least=Role.OPERATOR),
)
