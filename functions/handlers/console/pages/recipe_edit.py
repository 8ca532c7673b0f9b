"""Create, change and duplicate a recipe. The form keeps its content until it is valid."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from flask import Response

from functions.domain.audit import ABOUT_SENDS
from functions.domain.documents import without_nan
from functions.domain.errors import BadRecipe, FieldError, NotPossible, Stale
from functions.domain.execution.execution import Execution
from functions.domain.recipe.first_send import ScheduleUnderWay, Underway
from functions.domain.recipe.read import FIRST_SEND_AT, Document, Recipe, read
from functions.domain.recipe.status import Status, read_status
from functions.domain.roles import Role
from functions.handlers.console.answering import page, to
from functions.handlers.console.changes import changes_between
from functions.handlers.console.forms.field_labels import label_of
from functions.handlers.console.forms.form_fields import QueryField, query_field
from functions.handlers.console.forms.form_sections import form_sections
from functions.handlers.console.forms.job_parameters import JOB, parameter_fields, shown_in_fields, with_parameters
from functions.handlers.console.forms.recipe_form import (
    Sent,
    Values,
    as_shown,
    default_values,
    errors_by_field,
    field_names,
    read_recipe,
    values_of,
    without_push,
)
from functions.handlers.console.notices import with_notices
from functions.handlers.console.pages.recipes import agreed
from functions.handlers.console.visit import Route, Visit
from functions.handlers.console.words import zone_of
from functions.usecases.dry_run.describe_jobs import describe_jobs
from functions.usecases.recipes.audience import criteria_example
from functions.usecases.recipes.check_saved import checked_recipe
from functions.usecases.recipes.save import create_recipe, stored_recipe, update_recipe, version_of
from functions.usecases.timeline.control import would_cancel

_OWN = ("id", "owner", "status", "isActive", "createdAt", "updatedAt", FIRST_SEND_AT, "problem")
"""Fields that a copy does not get."""
_LATEST_ENTRIES = 20
_REMOVABLE = ("name", "description", "tags", "owner", "type")
_ZONES = (
    *("UTC", "Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "America/New_York"),
    *("America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "Asia/Kolkata"),
    *("Asia/Singapore", "Asia/Tokyo", "Australia/Sydney"),
)


def new(visit: Visit) -> Response:
    """Show an empty form, or one with the values of another recipe."""
    document = _copied(visit, visit.asked("from"))
    values, pushes = _values(visit, document)
    if document:
        values["name"] = f"{document.get('name') or visit.asked('from')} (copy)"
    return _form(visit, values | {"copy": visit.asked("from")}, pushes)


def create(visit: Visit) -> Response:
    """Create the recipe, or show the form again with errors."""
    base = _copied(visit, visit.field("copy"))
    sent = _sent(visit, base)
    if changed := _reshaped(visit, sent):
        return _form(visit, *changed)
    document = {**sent.document, **({"id": visit.field("id")} if visit.field("id") else {})}
    try:
        recipe = _unless_unread(
            visit, sent, document, lambda: create_recipe(visit.ports, document, by=visit.caller.name)
        )
    except BadRecipe as error:
        return _form(visit, sent.values, sent.pushes, errors=error.errors)
    except NotPossible as error:
        return _form(visit, sent.values, sent.pushes, errors=[FieldError("id", str(error))])
    path = f"/recipes/{recipe.id}"
    return to(visit, path, outcome="created", **with_notices(path, recipe.notices))


def edit(visit: Visit) -> Response:
    """Show the form of a recipe."""
    recipe_id = visit.path["recipe_id"]
    document = stored_recipe(visit.ports, recipe_id)
    values, pushes = _values(visit, document)
    values |= {"version": version_of(document)}
    broken = as_shown(_problems(document), document)
    return _form(visit, values, pushes, recipe_id=recipe_id, errors=broken, status=200)


def change(visit: Visit) -> Response:
    """Change the recipe, or show the form again, with errors or with another person's changes."""
    recipe_id = visit.path["recipe_id"]
    stored = stored_recipe(visit.ports, recipe_id)
    sent = _sent(visit, without_nan(stored))
    if changed := _reshaped(visit, sent):
        return _form(visit, *changed, recipe_id=recipe_id)
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
    path, ids = f"/recipes/{recipe_id}", " ".join(each.id for each in recipe.cancelled)
    return to(visit, path, outcome=outcome, cancelled=ids, **with_notices(path, recipe.notices))


def _values(visit: Visit, document: Document) -> tuple[Values, int]:
    values, pushes = values_of(document, _query(visit))
    return shown_in_fields(values, describe_jobs(visit.ports.workspace)), pushes


def _sent(visit: Visit, stored: Document) -> Sent:
    sent = read_recipe(visit.request.form, stored, _query(visit))
    return with_parameters(sent, describe_jobs(visit.ports.workspace))


def _query(visit: Visit) -> QueryField:
    workspace = visit.ports.workspace
    return query_field(workspace.old_filters, criteria_example(workspace))


def _sends(document: Document) -> bool:
    """Return whether a recipe saved with this status sends. A status that cannot be read stops nothing."""
    try:
        return read_status({"status": document.get("status")})[0] is Status.ACTIVE
    except BadRecipe:
        return True


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
    ports, unread = visit.ports, {error.field for error in sent.errors}
    try:
        checked_recipe(
            document, policy=ports.policy, find_job=ports.find_job, workspace=ports.workspace, now=visit.now
        )
    except BadRecipe as error:
        others = [each for each in error.errors if each.field not in unread]
        raise BadRecipe([*sent.errors, *others]) from None
    raise BadRecipe(sent.errors)


def _reshaped(visit: Visit, sent: Sent) -> tuple[Values, int] | None:
    """Return the form with a push added or removed, if the visitor asked for that."""
    form = visit.request.form
    if "add" in form:
        return sent.values, sent.pushes + 1
    if "remove" in form and form["remove"].isdecimal() and sent.pushes > 1:
        return without_push(sent.values, int(form["remove"])), sent.pushes - 1
    return None


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
    status: int = 0,
) -> Response:
    names, jobs, query = field_names(pushes), describe_jobs(visit.ports.workspace), _query(visit)
    return page(
        visit,
        "recipe_form.html",
        status=status or (422 if errors else 200),
        values=values,
        pushes=pushes,
        recipe_id=recipe_id,
        errors=errors_by_field(errors, names, query),
        problems=len(errors),
        names=names,
        label_of=label_of,
        unsaved=visit.request.method == "POST",
        rival=rival,
        cancels=cancels,
        zones_of={each.id: zone_of(each.recipe) for each in cancels},
        underway=underway,
        jobs=jobs,
        job_fields=parameter_fields(jobs),
        chosen_job=values.get(JOB, ""),
        topics=visit.ports.workspace.pushes.topics,
        defaults=default_values(visit.ports.workspace.pushes.defaults),
        zones=_ZONES,
        sections=form_sections(pushes, query, new=not recipe_id),
    )


def _copied(visit: Visit, recipe_id: str) -> Document:
    if not recipe_id:
        return {}
    return {name: value for name, value in stored_recipe(visit.ports, recipe_id).items() if name not in _OWN}


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
