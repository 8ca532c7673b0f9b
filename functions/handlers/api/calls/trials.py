"""The four test modes of a recipe: dry runs answer what would happen, sending modes start an execution."""

from typing import Literal

from pydantic import Field

from functions.domain.access import Subject, SubjectKind
from functions.domain.execution.safeguards import Severity
from functions.domain.roles import Role
from functions.handlers.api.calls.control import followed
from functions.handlers.api.route import Call, Query, Reply, Route
from functions.handlers.http.errors import Refused
from functions.usecases.by_hand.deduplicate import asked_once
from functions.usecases.by_hand.start import SENDING_MODES, start_by_hand
from functions.usecases.dry_run.preview import preview
from functions.usecases.dry_run.previewed import Preview
from functions.usecases.recipes.save import stored_recipe
from functions.usecases.reports.executions import ExecutionSummary, summary

_AT = "/api/automation/test/{recipeId}"


class Mode(Query):
    """The mode of a trial: on the TEST audience or the real one, sending or not."""

    mode: Literal["test-dry-run", "test-live-send", "real-dry-run", "live-send"] = Field(
        default="test-dry-run", description="Modes that send need POST."
    )


def recipe_read(call: Call) -> Subject | None:
    """Return the subject of a call that shows messages of a recipe to users; None for a viewer, who sees none."""
    sees = call.caller.role.includes(Role.OPERATOR)
    return Subject(kind=SubjectKind.RECIPE, name=call.path["recipeId"]) if sees else None


def get_test(call: Call) -> Reply:
    """Answer a dry run; a viewer gets no messages. GET never sends: link previews request every address."""
    if call.query.mode in SENDING_MODES:
        raise Refused(405, f"{call.query.mode} sends: ask for it by POST", {"Allow": "POST"})
    return _dry_run(call)


def post_test(call: Call) -> Reply:
    """Answer a dry run, or start a sending mode."""
    kind = SENDING_MODES.get(call.query.mode)
    if kind is None:
        return _dry_run(call)
    recipe_id = call.path["recipeId"]
    asked = {"recipeId": recipe_id, "mode": call.query.mode}
    at = asked_once(call.ports, call.key, by=call.caller.name, call=_AT, asked=asked)
    execution = start_by_hand(call.ports, recipe_id, kind, at, by=call.caller.name)
    return followed(summary(execution, call.ports.clock.now()), execution)


def _dry_run(call: Call) -> Reply:
    document = stored_recipe(call.ports, call.path["recipeId"])
    found = preview(call.ports, document, test=call.query.mode == "test-dry-run")
    if not call.caller.role.includes(Role.OPERATOR):
        found = found.without_messages()
    totals = found.totals
    text = f"{totals.eligible_people:,} of {totals.people:,} users would get {totals.messages:,} messages"
    return Reply(data=found, message=text if found.valid else why_not(found))


def why_not(found: Preview) -> str:
    """Say why the result of a dry run is not ready to be sent."""
    critical = [each.message for each in found.problems if each.severity is Severity.CRITICAL]
    return f"not ready to send: {'; '.join(critical)}"


ROUTES = (
    Route(
        method="GET",
        path=_AT,
        least=Role.VIEWER,
        summary="Try a recipe without sending",
        serve=get_test,
        reads=recipe_read,
        expensive=True,
        query=Mode,
        answer=Preview,
        refusals=(405, 409),
    ),
    Route(
        method="POST",
        path=_AT,
        least=Role.OPERATOR,
        summary="Try a recipe, sending to the test users or to all users",
        serve=post_test,
        reads=lambda call: None if call.query.mode in SENDING_MODES else recipe_read(call),
        expensive=True,
        query=Mode,
        answer=Preview | ExecutionSummary,
        later=True,
        refusals=(409,),
        keyed=True,
    ),
)
