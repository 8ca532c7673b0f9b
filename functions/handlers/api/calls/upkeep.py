"""Upkeep: schedules made to match recipes, drift, who changed what, and the health of everything."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import AliasChoices, Field

from functions import bootstrap
from functions.domain.errors import FieldCode, FieldError
from functions.domain.instants import stamp
from functions.domain.roles import Role
from functions.handlers.api.codes import ErrorCode
from functions.handlers.api.models import Instant
from functions.handlers.api.recipe_schema import AuditedRecipe
from functions.handlers.api.refusals import Refused
from functions.handlers.api.route import Call, Model, Query, Reply, Route
from functions.usecases.check_health import check_health
from functions.usecases.recipes.schedule_job import reschedule
from functions.usecases.reports.audit import history_of
from functions.usecases.timeline.reconcile import find_drift, reconcile


class WhichRecipe(Model):
    """The recipe whose scheduler job is rebuilt."""

    recipe_id: str = Field(validation_alias=AliasChoices("recipeId", "id"))


class Schedule(Model):
    """A scheduler's job."""

    name: str
    cron: str
    timezone: str


class Rescheduled(Model):
    """The scheduler's job of a recipe as it is now; null where the recipe is not active, or sends no more."""

    recipe_id: str
    status: str
    schedule: Schedule | None
    next_send_at: Instant | None


class Restored(Model):
    """What differed and was mended, each as a sentence."""

    drift: list[str]


class Audit(Query):
    """Whose changes to show; without a recipe, what differs from what should be is shown."""

    recipe_id: str = ""
    before: int | None = Field(default=None, ge=1, le=2**53, description="Only entries before this number.")
    limit: int = Field(default=20, ge=1, le=100)


class AuditEntry(Model):
    """A change of a recipe: who, when, what, and the document before and after."""

    number: int
    by: str
    at: Instant
    action: str
    before: AuditedRecipe | None
    after: AuditedRecipe | None


class Audited(Model):
    """What differs from what should be, each as a sentence."""

    in_order: bool
    drift: list[str]


class Changes(Model):
    """A page of a recipe's changes, newest first; `next` is the `before` of the next page."""

    recipe_id: str
    entries: list[AuditEntry]
    next: int | None


class Health(Model):
    """Each dependency with the word `ok`, and when the parts of this process last worked, where it has any."""

    status: str
    dependencies: dict[str, str]
    last_worked: dict[str, Instant]


class Version(Model):
    """Which Tminus runs; `commit` is null where nobody says it."""

    version: str
    commit: str | None
    python: str


def post_reschedule(call: Call) -> Reply:
    """Rebuild a recipe's scheduler job."""
    done = reschedule(call.ports, call.body.recipe_id)
    return Reply(data=done, message=f"the schedule of {done['recipeId']} is as it should be")


def post_restore(call: Call) -> Reply:
    """Make what is match what should be."""
    drift = list(reconcile(call.ports).sentences)
    return Reply(data={"drift": drift}, message=f"{len(drift)} differences are mended" if drift else "all was well")


def get_audit(call: Call) -> Reply:
    """Answer what differs, without mending it, or a recipe's changes."""
    asked: Audit = call.query
    if asked.recipe_id:
        return Reply(data=history_of(call.ports, asked.recipe_id, before=asked.before, most=asked.limit))
    drift = find_drift(call.ports)
    message = f"{len(drift)} differences" if drift else "all is well"
    return Reply(data={"inOrder": not drift, "drift": drift}, message=message)


def get_health(call: Call) -> Reply:
    """Answer whether everything that Tminus depends on answers."""
    found = check_health(call.ports)
    ill = {name: word for name, word in found.words.items() if word != "ok"}
    if ill:
        errors = [
            FieldError(name, _of_ill(name, word, found.last_worked), FieldCode.UNHEALTHY)
            for name, word in ill.items()
        ]
        raise Refused(503, f"{', '.join(ill)}: not well", {"Retry-After": "30"}, errors, ErrorCode.UNHEALTHY)
    last_worked = {name: stamp(at) for name, at in found.last_worked.items()}
    return Reply(data={"status": "ok", "dependencies": found.words, "lastWorked": last_worked}, message="all is well")


def get_version(_: Call) -> Reply:
    """Answer which version of Tminus runs."""
    return Reply(data=bootstrap.running_version())


def _of_ill(name: str, word: str, last_worked: Mapping[str, datetime]) -> str:
    since = f"; last worked at {stamp(last_worked[name])}" if name in last_worked else ""
    return f"does not answer as it should: {word}{since}"


ROUTES = (
    Route(
        method="POST",
        path="/api/automation/debug/reschedule",
        least=Role.OPERATOR,
        summary="Rebuild a recipe's scheduler job",
        serve=post_reschedule,
        body=WhichRecipe,
        answer=Rescheduled,
        refusals=(404,),
    ),
    Route(
        method="POST",
        path="/api/automation/restore",
        least=Role.OPERATOR,
        summary="Make schedules match recipes, launch or expire missed sends",
        serve=post_restore,
        answer=Restored,
    ),
    Route(
        method="GET",
        path="/api/automation/audit",
        least=Role.VIEWER,
        summary="See what differs from what should be, or who changed a recipe",
        serve=get_audit,
        query=Audit,
        answer=Audited | Changes,
    ),
    Route(
        method="GET",
        path="/api/health",
        least=Role.VIEWER,
        summary="See whether everything that Tminus depends on answers",
        serve=get_health,
        answer=Health,
    ),
    Route(
        method="GET",
        path="/api/version",
        least=Role.VIEWER,
        summary="See which version of Tminus runs",
        serve=get_version,
        answer=Version,
    ),
)
