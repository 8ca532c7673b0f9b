"""Executions: a recipe's history, an execution while it runs, its log, and its receipt."""

import re
from datetime import UTC, date, datetime, time
from typing import Literal

from pydantic import Field

from functions.domain.access import Subject, SubjectKind
from functions.domain.errors import BadFields, FieldError
from functions.domain.execution.execution import State
from functions.domain.instants import instant
from functions.domain.roles import Role
from functions.handlers.api.route import Call, Page, Paging, Reply, Route
from functions.handlers.http.paging import cursor_of, place_of
from functions.handlers.http.streaming import begun
from functions.ports.executions import ExecutionSearch, Place
from functions.usecases.reports.executions import (
    ExecutionSummary,
    LogLine,
    execution_of,
    find_executions,
    log_of_execution,
)
from functions.usecases.reports.receipt import export
from functions.usecases.reports.watch_execution import ExecutionDetail, watch_execution

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_OF_RECIPE = "/api/automation/{recipeId}"
_ONE = f"{_OF_RECIPE}/executions/{{executionId}}"


class History(Paging):
    """Which executions to list."""

    status: State | None = Field(default=None, description="Only those in this state.")
    since: str = Field(default="", description="Only sends from this instant or UTC day on.")
    until: str = Field(default="", description="Only sends before this instant or UTC day.")
    order: Literal["desc", "asc"] = Field(
        default="desc", description="By their sends, the newest or the oldest first."
    )


def get_history(call: Call) -> Reply:
    """Answer a page of a recipe's executions."""
    return executions_page(call, call.path["recipeId"])


def executions_page(call: Call, recipe_id: str | None) -> Reply:
    """Answer a page of executions that match the query, of one recipe or of all."""
    asked: History = call.query
    found = find_executions(
        call.ports,
        searched(asked, recipe_id),
        most=asked.limit,
        after=place_of(asked.cursor),
        oldest_first=asked.order == "asc",
    )
    return Reply(data=found.executions, page=page_to(asked.limit, found.next, found.total))


def searched(asked: History, recipe_id: str | None) -> ExecutionSearch:
    """Return the search for a query; BadFields names the invalid parameter."""
    return ExecutionSearch(
        recipe_id=recipe_id,
        state=asked.status,
        since=asked_instant(asked.since, "since"),
        until=asked_instant(asked.until, "until"),
    )


def page_to(limit: int, following: Place | None, total: int | None = None) -> Page:
    """Return the page, given the place after which the next one begins."""
    return Page(limit=limit, next=cursor_of(*following) if following else None, total=total)


def get_execution(call: Call) -> Reply:
    """Answer an execution with its numbers; 304 while nothing has changed."""
    execution = execution_of(call.ports, call.path["recipeId"], call.path["executionId"])
    watched = watch_execution(call.ports, execution)

    def whole() -> Reply:
        return Reply(data=watched.detail(), etag=watched.version)

    return Reply(data=whole, etag=watched.version_now)


def get_execution_log(call: Call) -> Reply:
    """Answer an execution's log."""
    return Reply(data=log_of_execution(call.ports, call.path["recipeId"], call.path["executionId"]))


def get_export(call: Call) -> Reply:
    """Answer the outcome of every user as CSV, line by line."""
    execution = execution_of(call.ports, call.path["recipeId"], call.path["executionId"])
    name = f'attachment; filename="{execution.id}.csv"'
    lines = begun(export(call.ports, execution))
    return Reply(content=lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})


def asked_instant(text: str, field: str) -> datetime | None:
    """Return the instant or UTC day in a parameter, None for an empty one; BadFields of the field."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(0, 0), UTC) if _DAY.fullmatch(text) else instant(text)
    except ValueError as error:
        reason = f"must be an instant such as 2026-11-23T18:00:00Z or a day such as 2026-11-23: {error}"
        raise BadFields([FieldError(field, reason)]) from None


ROUTES = (
    Route(
        method="GET",
        path=f"{_OF_RECIPE}/history",
        least=Role.VIEWER,
        summary="List a recipe's executions",
        serve=get_history,
        query=History,
        answer=list[ExecutionSummary],
        paged=True,
    ),
    Route(
        method="GET",
        path=_ONE,
        least=Role.VIEWER,
        summary="Get an execution; repeated requests with its ETag are cheap",
        serve=get_execution,
        answer=ExecutionDetail,
        etag=True,
    ),
    Route(
        method="GET",
        path=f"{_ONE}/log",
        least=Role.VIEWER,
        summary="Read an execution's log",
        serve=get_execution_log,
        answer=list[LogLine],
    ),
    Route(
        method="GET",
        path=f"{_ONE}/export",
        reads=lambda call: Subject(kind=SubjectKind.EXECUTION, name=call.path["executionId"]),
        least=Role.OPERATOR,
        summary="Get the outcome of every user, as CSV",
        serve=get_export,
        answer="text/csv",
        refusals=(409,),
    ),
)
