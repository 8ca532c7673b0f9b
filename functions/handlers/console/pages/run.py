"""Run a recipe by hand in one of four modes; two of them send."""

from dataclasses import dataclass
from uuid import uuid4

from flask import Response

from functions.domain.access import Subject, SubjectKind
from functions.domain.errors import BadInput, Forbidden
from functions.domain.roles import Role
from functions.handlers.console.answering import page, to
from functions.handlers.console.pages.recipes import AT
from functions.handlers.console.visit import Route, Visit
from functions.usecases.by_hand.deduplicate import asked_once
from functions.usecases.by_hand.start import SENDING_MODES, start_by_hand
from functions.usecases.dry_run.preview import preview
from functions.usecases.dry_run.previewed import Preview
from functions.usecases.dry_run.sample_messages import Piece, Text
from functions.usecases.recipes.save import stored_recipe

_DRY = ("test-dry-run", "real-dry-run")


def ask(visit: Visit) -> Response:
    """Show the four modes."""
    return page(
        visit,
        "run.html",
        document=stored_recipe(visit.ports, visit.path["recipe_id"]),
        recipe_id=visit.path["recipe_id"],
        once=uuid4().hex,
    )


def run(visit: Visit) -> Response:
    """Show a dry run, or start an execution and redirect to its page.

    A form that is sent twice starts one execution.
    """
    mode, recipe_id = visit.field("mode"), visit.path["recipe_id"]
    if mode in _DRY:
        found = preview(visit.ports, stored_recipe(visit.ports, recipe_id), test=mode == "test-dry-run")
        found = found if visit.may(Role.OPERATOR) else found.without_messages()
        return page(visit, "preview.html", found=found, mode=mode, recipe_id=recipe_id, samples=_samples(found))
    if mode not in SENDING_MODES:
        raise BadInput(f"unknown mode {mode!r}; choose one of {', '.join([*_DRY, *SENDING_MODES])}")
    if not visit.may(Role.OPERATOR):
        raise Forbidden(f"only an operator can do this; your role is {visit.caller.role}")
    if mode == "live-send" and visit.field("sure") != "yes":
        raise BadInput("Nothing was started. Tick the box to confirm that real users will receive this")
    asked = {"recipeId": recipe_id, "mode": mode}
    at = asked_once(visit.ports, visit.field("once"), by=visit.caller.name, call=visit.request.path, asked=asked)
    execution = start_by_hand(visit.ports, recipe_id, SENDING_MODES[mode], at, by=visit.caller.name)
    return to(visit, f"/executions/{execution.id}", outcome="tested" if mode == "test-live-send" else "started")


@dataclass(frozen=True, kw_only=True)
class _Phone:
    """A message for the templates."""

    title: Text
    body: Text
    link: str | None


def _messages(visit: Visit) -> Subject | None:
    shown = visit.field("mode") in _DRY and visit.may(Role.OPERATOR)
    return Subject(kind=SubjectKind.RECIPE, name=visit.path["recipe_id"]) if shown else None


def _samples(found: Preview) -> dict[int, _Phone]:
    """Return the first message of each push."""
    return {
        push.order: _Phone(title=[Piece(text=sample.title)], body=[Piece(text=sample.body)], link=sample.deep_link)
        for push in found.pushes
        for sample in push.samples[:1]
    }


ROUTES = (
    Route(method="GET", path=f"{AT}/run", serve=ask),
    Route(method="POST", path=f"{AT}/run", serve=run, reads=_messages, expensive=True),
)
