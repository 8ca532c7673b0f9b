"""Upkeep: rebuild schedules, reconcile, read the audit log, and check the health of all parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import AliasChoices, Field

from functions import bootstrap
from functions.domain.errors import FieldCode, FieldError
from functions.domain.instants import stamp
from functions.domain.roles import Role
from functions.handlers.api.route import Call, Model, Query, Reply, Route
from functions.handlers.http.codes import ErrorCode
from functions.handlers.http.errors import Refused
from functions.usecases.check_health import Health, check_health
from functions.usecases.recipes.schedule_job import Rescheduled, reschedule
from functions.usecases.reports.audit import Changes, history_of
from functions.usecases.reports.verify_audit import Verified, verify_audit
from functions.usecases.timeline.reconcile import find_drift, reconcile
from functions.version import Version


class WhichRecipe(Model):
    """The recipe whose scheduler job to rebuild."""

    recipe_id: str = Field(validation_alias=AliasChoices("recipeId", "id"))


@dataclass(frozen=True, kw_only=True)
class Restored:
    """Differences that were fixed, each as a sentence."""

    drift: Sequence[str]


class Audit(Query):
    """The recipe whose changes to list. Without a recipe, the answer lists differences that reconcile would fix."""

    recipe_id: str = ""
    before: int | None = Field(default=None, ge=1, le=2**53, description="Only entries before this number.")
    limit: int = Field(default=20, ge=1, le=100)


@dataclass(frozen=True, kw_only=True)
class Audited:
    """Differences that reconcile would fix, each as a sentence."""

    in_order: bool
    drift: Sequence[str]


def post_reschedule(call: Call) -> Reply:
    """Rebuild a recipe's scheduler job."""
    done = reschedule(call.ports, call.body.recipe_id)
    return Reply(data=done, message=f"the schedule of {done.recipe_id} is up to date")


def post_restore(call: Call) -> Reply:
    """Reconcile schedules, executions and tasks with the recipes."""
    drift = list(reconcile(call.ports).sentences)
    return Reply(
        data=Restored(drift=drift), message=f"{len(drift)} differences are fixed" if drift else "all was well"
    )


def get_audit(call: Call) -> Reply:
    """Answer the differences without fixing them, or a recipe's changes."""
    asked: Audit = call.query
    if asked.recipe_id:
        return Reply(data=history_of(call.ports, asked.recipe_id, before=asked.before, most=asked.limit))
    drift = find_drift(call.ports)
    message = f"{len(drift)} differences" if drift else "all is well"
    return Reply(data=Audited(in_order=not drift, drift=drift), message=message)


def get_audit_verification(call: Call) -> Reply:
    """Verify the hash chains of the whole audit log."""
    found = verify_audit(call.ports)
    message = "the audit log is sound" if found.sound else f"{len(found.problems)} problems"
    return Reply(data=found, message=message)


def get_health(call: Call) -> Reply:
    """Answer whether everything that Tminus depends on works."""
    found = check_health(call.ports)
    if found.ill:
        errors = [
            FieldError(name, _of_ill(name, word, found.last_worked), FieldCode.UNHEALTHY)
            for name, word in found.ill.items()
        ]
        raise Refused(503, f"{', '.join(found.ill)}: not healthy", {"Retry-After": "30"}, errors, ErrorCode.UNHEALTHY)
    return Reply(data=found, message="all is well")


def get_version(_: Call) -> Reply:
    """Answer the running version of Tminus."""
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
        summary="List differences that reconcile would fix, or a recipe's changes",
        serve=get_audit,
        query=Audit,
        answer=Audited | Changes,
    ),
    Route(
        method="GET",
        path="/api/audit/verification",
        least=Role.ADMIN,
        summary="Verify that no entry of the audit log was changed, left out or reordered",
        serve=get_audit_verification,
        answer=Verified,
    ),
    Route(
        method="GET",
        path="/api/health",
        least=Role.VIEWER,
        summary="Check whether everything that Tminus depends on works",
        serve=get_health,
        answer=Health,
    ),
    Route(
        method="GET",
        path="/api/version",
        least=Role.VIEWER,
        summary="Get the running version of Tminus",
        serve=get_version,
        answer=Version,
    ),
)
