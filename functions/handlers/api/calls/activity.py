"""What people did: entries of the audit log of all recipes, newest first."""

from pydantic import Field

from functions.domain.audit import Action
from functions.domain.roles import Role
from functions.handlers.api.calls.executions import asked_instant
from functions.handlers.api.route import Call, Page, Paging, Reply, Route
from functions.handlers.http.paging import activity_cursor, activity_place
from functions.usecases.reports.activity import MOST_AT_ONCE, ActivitySearch, find_activity
from functions.usecases.reports.audit import Activity, activity_shown


class Asked(Paging):
    """Which entries to list. A page may have fewer entries than `limit` while there are older ones."""

    limit: int = Field(default=20, ge=1, le=MOST_AT_ONCE, description="The most entries to return.")
    subject: str = Field(
        default="", max_length=200, description="Only what was done to this recipe, or to one-off, test.people, ..."
    )
    by: str = Field(
        default="", max_length=200, description="Only what this person did; a part of the name is enough."
    )
    action: Action | None = Field(default=None, description="Only this action.")
    since: str = Field(default="", description="Only from this instant or UTC day on.")
    until: str = Field(default="", description="Only before this instant or UTC day.")


def get_activity(call: Call) -> Reply:
    """Answer a page of what people did."""
    asked: Asked = call.query
    wanted = ActivitySearch(
        subjects=frozenset({asked.subject} - {""}),
        by=asked.by,
        actions=frozenset({asked.action} if asked.action else ()),
        since=asked_instant(asked.since, "since"),
        until=asked_instant(asked.until, "until"),
    )
    found = find_activity(call.ports, wanted, after=activity_place(asked.cursor), most=asked.limit)
    page = Page(limit=asked.limit, next=activity_cursor(found.next))
    return Reply(data=[activity_shown(entry) for entry in found.entries], page=page)


ROUTES = (
    Route(
        method="GET",
        path="/api/audit",
        least=Role.VIEWER,
        summary="List what people did to recipes, sends and settings, newest first",
        serve=get_activity,
        query=Asked,
        answer=list[Activity],
        paged=True,
    ),
)
