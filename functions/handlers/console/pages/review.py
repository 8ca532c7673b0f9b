"""Review a campaign before it becomes active: who gets it, when and what, what blocks, and what it costs.

The page is there at once. The numbers come from a dry run, which can take seconds and is loaded after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Response
from itsdangerous import BadSignature

from functions.domain.errors import BadInput, BadRecipe, FieldCode, FieldError, NotPossible, Stale
from functions.domain.recipe.read import Recipe
from functions.domain.recipe.status import Status
from functions.domain.roles import Role
from functions.handlers.console.answering import page, part, to
from functions.handlers.console.forms.field_labels import label_of
from functions.handlers.console.forms.recipe_form import errors_by_field, field_names
from functions.handlers.console.forms.whole_form import criteria_field
from functions.handlers.console.notices import with_notices
from functions.handlers.console.pages.recipes import AT
from functions.handlers.console.phones import Phone, phones_of, tried_phones
from functions.handlers.console.schedule_words import in_words, short_preparation
from functions.handlers.console.signing import read_signed, signed
from functions.handlers.console.subjects import of_recipe
from functions.handlers.console.typed_count import read_count
from functions.handlers.console.visit import Route, Visit
from functions.usecases.dry_run.sample_messages import sample_messages
from functions.usecases.recipes.activate import (
    CONFIRM_ABOVE,
    Plans,
    Review,
    Reviewed,
    activate_recipe,
    needs_review,
    plans_of,
    review,
)
from functions.usecases.recipes.save import resume_recipe, stored_recipe
from functions.usecases.reports.recipes import with_status

_AT = f"{AT}/review"
_LASTS = timedelta(hours=1)
_PURPOSE = "review"
_MOST_PUSHES = 20
"""Of an unreadable campaign, whose number of pushes is unknown."""
_TESTERS = "settings.testUserIds"
_NO_TESTER = "add at least one. Each send goes to them first, and is blocked without one."


@dataclass(frozen=True, kw_only=True)
class Fix:
    """A problem, and the field of the form that fixes it; `anchor` is empty if no field of the form does."""

    label: str
    reason: str
    anchor: str


def show(visit: Visit) -> Response:
    """Show the plans at once. The page loads the dry run."""
    return _page(visit, plans_of(visit.ports, visit.path["recipe_id"]), None)


def check(visit: Visit) -> Response:
    """Show the review with its dry run: a part of the page, or a page without scripts."""
    found = review(visit.ports, visit.path["recipe_id"])
    return _page(visit, found.plans, found)


def activate(visit: Visit) -> Response:
    """Activate the campaign as reviewed, or say why not and ask for a new review."""
    recipe_id = visit.path["recipe_id"]
    reviewed = _read(visit, recipe_id)
    if reviewed is None:
        return _again(visit, "Nothing was activated: the check has expired. Here is a new one.")
    confirmed = read_count(visit.field("people"))
    try:
        recipe = activate_recipe(visit.ports, recipe_id, reviewed, confirmed=confirmed, by=visit.caller.name)
    except BadInput:
        wrong = (
            f"Nothing was activated: you typed {visit.field('people')[:20] or 'nothing'}, not the number of people."
        )
        return _again(visit, wrong)
    except Stale:
        return _again(
            visit, "Nothing was activated: this campaign has changed since the check. Here is the new review.", 409
        )
    except (BadRecipe, NotPossible):
        return _again(visit, "Can't activate this campaign. Nothing was activated.")
    return _activated(visit, recipe, "activated")


def resume(visit: Visit) -> Response:
    """Resume a campaign that is as it was when it was paused. Any other campaign goes through its review."""
    recipe_id = visit.path["recipe_id"]
    if needs_review(visit.ports, recipe_id):
        return to(visit, f"/recipes/{recipe_id}/review")
    try:
        recipe = resume_recipe(visit.ports, recipe_id, by=visit.caller.name)
    except BadRecipe:
        return to(visit, f"/recipes/{recipe_id}/review")
    return _activated(visit, recipe, "resumed")


def _activated(visit: Visit, recipe: Recipe, outcome: str) -> Response:
    path = f"/recipes/{visit.path['recipe_id']}"
    return to(visit, path, outcome=outcome, **with_notices(path, recipe.notices))


def _again(visit: Visit, refused: str, status: int = 422) -> Response:
    plans = plans_of(visit.ports, visit.path["recipe_id"])
    return _page(visit, plans, None, refused=refused, status=status)


def _page(visit: Visit, plans: Plans, found: Review | None, *, refused: str = "", status: int = 200) -> Response:
    recipe_id = visit.path["recipe_id"]
    document = with_status(stored_recipe(visit.ports, recipe_id))
    if document["status"] == Status.ACTIVE:
        return to(visit, f"/recipes/{recipe_id}")
    recipe, preview = plans.recipe, found and found.found
    values: dict[str, Any] = {
        "recipe_id": recipe_id,
        "document": document,
        "plans": plans,
        "recipe": recipe,
        "words": in_words(recipe) if recipe else "",
        "hurry": short_preparation(recipe.schedule, plans.sends[0], visit.now) if recipe and plans.sends else "",
        "found": found,
        "preview": preview,
        "phones": _phones(visit, recipe, found),
        "blocking": _fixes(visit, found.blocking if found else plans.blocking, plans),
        "warnings": _fixes(visit, found.warnings if found else (), plans),
        "reviewed": found.reviewed if found else None,
        "token": _written(visit, found.reviewed) if found else "",
        "confirm_above": CONFIRM_ABOVE,
        "refused": refused,
    }
    if visit.by_htmx and found is not None:
        return part(visit, "review_body.html", **values)
    return page(visit, "review.html", status=status, **values)


def _phones(visit: Visit, recipe: Recipe | None, found: Review | None) -> dict[int, Phone]:
    """Return each push as phones show it: with the values of a real person after the dry run."""
    if recipe is None:
        return {}
    shown = dict(enumerate(phones_of(recipe, sample_messages(visit.ports, recipe)), 1))
    return shown | (tried_phones(recipe, found.found) if found and found.found else {})


def _fixes(visit: Visit, errors: Sequence[FieldError], plans: Plans) -> list[Fix]:
    """Return problems with links to their fields. Those of the dry run are sentences and need no label."""
    query = criteria_field(visit)
    names = field_names(len(plans.recipe.pushes) if plans.recipe else _MOST_PUSHES, {})
    found = []
    for error in errors:
        [nearest] = errors_by_field([error], names, query)
        anchor = next((name for name in names if name == nearest or name.startswith(f"{nearest}.")), "")
        label = label_of(error.field) if error in plans.blocking else ""
        no_tester = error.field == _TESTERS and error.code is FieldCode.MISSING
        found.append(Fix(label=label, reason=_NO_TESTER if no_tester else error.reason, anchor=anchor))
    return found


def _written(visit: Visit, reviewed: Reviewed) -> str:
    until = int((visit.now + _LASTS).timestamp())
    return signed(_PURPOSE, [visit.path["recipe_id"], reviewed.version, reviewed.people, reviewed.blocking, until])


def _read(visit: Visit, recipe_id: str) -> Reviewed | None:
    """Return the review that the form carries; None if it is of another campaign or too old."""
    try:
        name, version, people, blocking, until = read_signed(_PURPOSE, visit.field("review"))
    except (BadSignature, ValueError, TypeError):
        return None
    if name != recipe_id or datetime.fromtimestamp(until, visit.now.tzinfo) < visit.now:
        return None
    return Reviewed(version=version, people=people, blocking=blocking)


ROUTES = (
    Route(method="GET", path=_AT, serve=show, least=Role.OPERATOR),
    Route(method="GET", path=f"{_AT}/check", serve=check, least=Role.OPERATOR, reads=of_recipe, expensive=True),
    Route(method="POST", path=f"{AT}/activate", serve=activate, least=Role.OPERATOR),
    Route(method="POST", path=f"{AT}/resume", serve=resume, least=Role.OPERATOR),
)
