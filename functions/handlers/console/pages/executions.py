"""The list of sends: found by campaign, state, kind and days; and the list as CSV."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Response

from functions.domain.errors import BadInput
from functions.domain.execution.execution import Kind, State
from functions.domain.instants import stamp
from functions.handlers.console.answering import download, page
from functions.handlers.console.viewer_zone import days_asked, zone_of_viewer
from functions.handlers.console.visit import Route, Visit
from functions.handlers.http.paging import cursor_of, place_of
from functions.usecases.dry_run.csv_blocks import csv_blocks
from functions.usecases.reports.campaign_index import campaign_index, matching, named
from functions.usecases.reports.executions import ExecutionSummary
from functions.usecases.reports.receipt import plain
from functions.usecases.reports.sends import (
    MOST_CAMPAIGNS,
    FoundSends,
    SendSearch,
    all_sends,
    find_sends,
    largest_sends,
)
from functions.usecases.reports.so_far import with_numbers_so_far

_AT_ONCE = 50
_MOST_EXPORTED = 10_000
_SUGGESTED = 8
_FILTERS = ("recipe", "state", "kind", "from", "to", "sort")
_SORTS = {"": "Time", "size": "Size"}
_RANGES = {"Today": 0, "Last 7 days": 6, "Last 30 days": 29}
_COLUMNS = "send_at campaign campaign_id send_id kind state people reached messages sent failed reason".split()


def show(visit: Visit) -> Response:
    """Show a page of sends, or say that none matches."""
    zone, campaigns = zone_of_viewer(visit), _campaigns(visit)
    wanted, cut = _search(visit, zone, campaigns), False
    if len(campaigns or ()) > MOST_CAMPAIGNS:
        found = FoundSends(sends=(), next=None, total=0)
    elif visit.asked("sort") == "size":
        found, cut = largest_sends(visit.ports, wanted, most=_AT_ONCE)
    else:
        found = find_sends(visit.ports, wanted, most=_AT_ONCE, after=place_of(visit.asked("after")))
    kept = {name: visit.asked(name) for name in _FILTERS if visit.asked(name)}
    return page(
        visit,
        "executions.html",
        executions=with_numbers_so_far(visit.ports, found.sends),
        total=found.total,
        cut=cut,
        zone=zone,
        asked={name: visit.asked(name) for name in _FILTERS},
        kept=urlencode(kept),
        campaigns=_several(visit, campaigns),
        states=[each.value for each in State],
        sorts=_SORTS,
        ranges=_ranges(visit.now, zone, kept),
        newer=urlencode(kept) if visit.asked("after") else None,
        older=urlencode({**kept, "after": cursor_of(*found.next)}) if found.next else None,
    )


def _campaigns(visit: Visit) -> Sequence[str] | None:
    """Return the ids of the campaigns that the visitor means; None without one."""
    text = visit.asked("recipe")[:200]
    return named(campaign_index(visit.ports), text) if text else None


def _several(visit: Visit, campaigns: Sequence[str] | None) -> Sequence[tuple[str, str]]:
    """Return the first of several campaigns that the visitor may mean, each with its name."""
    if campaigns is None or len(campaigns) < 2:
        return ()
    names = {each.id: each.name for each in campaign_index(visit.ports)}
    return [(recipe_id, names[recipe_id]) for recipe_id in campaigns[:_SUGGESTED]]


def _search(visit: Visit, zone: ZoneInfo, campaigns: Sequence[str] | None) -> SendSearch:
    since, until = days_asked(visit, zone)
    state, kind = visit.asked("state"), visit.asked("kind")
    if state and state not in list(State):
        raise BadInput(f"unknown state {state!r}; choose one of {', '.join(State)}")
    if kind and kind not in list(Kind):
        raise BadInput(f"unknown kind {kind!r}; choose one of {', '.join(Kind)}")
    return SendSearch(
        recipe_ids=campaigns,
        state=State(state) if state else None,
        kind=Kind(kind) if kind else None,
        since=since,
        until=until,
    )


def _ranges(now: datetime, zone: ZoneInfo, kept: Mapping[str, str]) -> Sequence[tuple[str, str, bool]]:
    """Return the quick ranges: each with its address, and whether it is the current one."""
    today, found = now.astimezone(zone).date(), []
    for name, days in _RANGES.items():
        asked = {"from": str(today - timedelta(days=days)), "to": str(today)}
        current = asked.items() <= kept.items()
        found.append((name, urlencode({**kept, **asked}), current))
    return found


def suggest(visit: Visit) -> Response:
    """Return the names of campaigns that match what the visitor has typed."""
    text = visit.asked("recipe")[:200]
    found = matching(campaign_index(visit.ports), text)[:_SUGGESTED] if text else ()
    return page(visit, "executions_suggest.html", found=found)


def export(visit: Visit) -> Response:
    """Download the sends that match the filters, at most 10,000, newest first."""
    wanted = _search(visit, zone_of_viewer(visit), _campaigns(visit))
    return download("sends.csv", csv_blocks(_rows(all_sends(visit.ports, wanted, most=_MOST_EXPORTED))))


def _rows(sends: Iterator[ExecutionSummary]) -> Iterator[Sequence[object]]:
    yield _COLUMNS
    for each in sends:
        totals = each.totals
        counts = (totals.audience_size, totals.sent, totals.failed) if totals else ("", "", "")
        named = (stamp(each.send_at), plain(each.recipe_name), each.recipe_id, each.execution_id)
        numbers = (each.people, each.people_reached, *counts)
        yield (*named, each.kind.value, each.status.value, *numbers, plain(each.reason))


ROUTES = (
    Route(method="GET", path="/executions", serve=show),
    Route(method="GET", path="/executions/suggest", serve=suggest),
    Route(method="GET", path="/executions/export", serve=export),
)
