"""The monitor: an overview, violations, executions and health; delivery logs; the pushes of a user."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field

from functions.domain.access import Subject, SubjectKind
from functions.domain.errors import BadFields, FieldCode, FieldError
from functions.domain.roles import Role
from functions.handlers.api.calls.executions import History, executions_page, page_to, searched
from functions.handlers.api.calls.upkeep import get_health
from functions.handlers.api.route import Call, Model, Page, Reply, Route
from functions.handlers.http.paging import broken_cursor, cursor_of, place_of
from functions.ports.violations import ViolationPlace
from functions.usecases.check_health import Health
from functions.usecases.reports.execution import ViolationShown, shown_violation
from functions.usecases.reports.executions import ExecutionSummary
from functions.usecases.reports.history import MOST_DAYS, Notifications, notifications_of
from functions.usecases.reports.overview import Overview, PushLog, overview, push_logs
from functions.usecases.reports.violations import LONGEST_NOTE, open_violations, reopen_violation, resolve_violation


class Monitor(History):
    """The kind of report. `status`, `since`, `until`, `order` and `cursor` select executions."""

    type: Literal["overview", "violations", "executions", "health"] = "overview"
    recipe_id: str = Field(default="", description="Only what belongs to this recipe.")


class Resolved(Model):
    """The violation to resolve or to reopen."""

    violation_id: str
    execution_id: str = Field(default="", description="Its execution; required for a resolved violation.")
    action: Literal["resolve", "reopen"] = Field(default="resolve", description="`reopen` takes a resolution back.")
    note: str = Field(default="", max_length=LONGEST_NOTE, description="What was done about it, for the log.")


class PushLogs(History):
    """The executions whose pushes to list."""

    limit: int = Field(default=10, ge=1, le=50, description="The most executions to return.")
    recipe_id: str = Field(default="", description="Only those of this recipe.")


class UserLookUp(Model):
    """The user to look up, and the number of days to look back. The id is not in the address, which logs keep."""

    user_id: str
    days: int = Field(default=30, ge=1, le=MOST_DAYS)


def get_monitor(call: Call) -> Reply:
    """Answer one kind of report."""
    return _SHOWN[call.query.type](call)


def _overview(call: Call) -> Reply:
    return _page_of_one(overview(call.ports, recipe_id=call.query.recipe_id or None))


def _violations(call: Call) -> Reply:
    asked: Monitor = call.query
    found = open_violations(
        call.ports, most=asked.limit, recipe_id=asked.recipe_id or None, after=_violation_place(asked.cursor)
    )
    following = cursor_of(*found.next) if found.next else None
    data = [shown_violation(violation) for violation in found.violations]
    return Reply(data=data, page=Page(limit=asked.limit, next=following))


def _violation_place(cursor: str) -> ViolationPlace | None:
    place = place_of(cursor)
    if place is None:
        return None
    execution_id, tilde, violation_id = place[1].partition("~")
    if not tilde:
        raise broken_cursor()
    return place[0], execution_id, violation_id


def _executions(call: Call) -> Reply:
    return executions_page(call, call.query.recipe_id or None)


def _health(call: Call) -> Reply:
    return _page_of_one(get_health(call).data)


def _page_of_one(data: Any) -> Reply:
    return Reply(data=data, page=Page(limit=1, next=None))


_SHOWN: dict[str, Callable[[Call], Reply]] = {
    "overview": _overview,
    "violations": _violations,
    "executions": _executions,
    "health": _health,
}


def post_monitor(call: Call) -> Reply:
    """Mark a violation as resolved, or as open again."""
    asked: Resolved = call.body
    by = call.caller.name
    if asked.action == "reopen":
        if not asked.execution_id:
            raise BadFields([FieldError("executionId", "is missing; reopen needs it", FieldCode.MISSING)])
        found = reopen_violation(call.ports, asked.execution_id, asked.violation_id, by=by)
        return Reply(data=shown_violation(found), message=f"violation {found.id} is open again")
    found = resolve_violation(call.ports, asked.execution_id, asked.violation_id, by=by, note=asked.note)
    return Reply(data=shown_violation(found), message=f"violation {found.id} is resolved by {found.resolved_by}")


def get_push_logs(call: Call) -> Reply:
    """Answer the pushes of a page of executions, with their users by outcome."""
    asked: PushLogs = call.query
    found = push_logs(
        call.ports,
        searched(asked, asked.recipe_id or None),
        most=asked.limit,
        after=place_of(asked.cursor),
        oldest_first=asked.order == "asc",
    )
    return Reply(data=found.pushes, page=page_to(asked.limit, found.next))


def post_user_notifications(call: Call) -> Reply:
    """Answer the pushes that a user got, or did not get and why."""
    asked: UserLookUp = call.body
    until = call.ports.clock.now()
    return Reply(data=notifications_of(call.ports, asked.user_id, until=until, days=asked.days))


ROUTES = (
    Route(
        method="GET",
        path="/api/automation/monitor",
        least=Role.VIEWER,
        summary="Get an overview, violations, executions, or health",
        serve=get_monitor,
        query=Monitor,
        answer=Overview | list[ViolationShown] | list[ExecutionSummary] | Health,
        refusals=(404,),
        paged=True,
    ),
    Route(
        method="POST",
        path="/api/automation/monitor",
        least=Role.OPERATOR,
        summary="Resolve a violation, or reopen it",
        serve=post_monitor,
        body=Resolved,
        answer=ViolationShown,
        refusals=(404,),
    ),
    Route(
        method="GET",
        path="/api/push-logs",
        least=Role.VIEWER,
        summary="List pushes with their users by outcome",
        serve=get_push_logs,
        query=PushLogs,
        answer=list[PushLog],
        paged=True,
    ),
    Route(
        method="POST",
        path="/api/users/notifications",
        least=Role.OPERATOR,
        summary="List the pushes that a user got, or did not get and why",
        serve=post_user_notifications,
        reads=lambda call: Subject(kind=SubjectKind.USER, name=call.body.user_id),
        body=UserLookUp,
        answer=Notifications,
    ),
)
