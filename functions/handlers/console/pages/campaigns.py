"""The list of campaigns: found by words, status, tag and owner."""

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Response

from functions.domain.errors import BadInput
from functions.domain.recipe.status import Status
from functions.handlers.console.answering import page
from functions.handlers.console.schedule_words import in_words
from functions.handlers.console.viewer_zone import zone_of_viewer
from functions.handlers.console.visit import Route, Visit
from functions.usecases.reports.campaigns import CampaignSearch, Order, find_campaigns

_AT_ONCE = 50
_MOST_PAGES = 10_000
_ORDERS = {Order.NAME: "Name", Order.NEXT_SEND: "Next send", Order.LAST_SEND: "Last send"}


def show(visit: Visit) -> Response:
    """Show a page of campaigns."""
    wanted, number = _search(visit), _number(visit.asked("page"))
    found = find_campaigns(visit.ports, wanted, skip=(number - 1) * _AT_ONCE, most=_AT_ONCE)
    last = max(1, -(-found.total // _AT_ONCE))
    return page(
        visit,
        "recipes.html",
        found=found,
        wanted=wanted,
        words={each.labelled.id: in_words(each.recipe) for each in found.campaigns if each.recipe},
        zone=zone_of_viewer(visit),
        statuses=[each.value for each in Status],
        tags=[(each, each) for each in found.tags],
        owners=[(each, each) for each in found.owners],
        orders=_ORDERS,
        has_segments=visit.ports.workspace.has_models,
        filtered=bool(wanted.text or wanted.status or wanted.tag or wanted.owner),
        page_number=number,
        pages=last,
        newer=_address(visit, number - 1) if number > 1 else "",
        older=_address(visit, number + 1) if number < last else "",
    )


def _search(visit: Visit) -> CampaignSearch:
    status, order = visit.asked("status"), visit.asked("sort") or Order.NAME.value
    if status and status not in list(Status):
        raise BadInput(f"unknown status {status!r}; choose one of {', '.join(Status)}")
    if order not in list(Order):
        raise BadInput(f"unknown order {order!r}; choose one of {', '.join(Order)}")
    return CampaignSearch(
        text=visit.asked("q")[:200],
        status=status,
        tag=visit.asked("tag"),
        owner=visit.asked("owner"),
        order=Order(order),
    )


def _number(written: str) -> int:
    if not written:
        return 1
    if not (written.isascii() and written.isdecimal() and 1 <= int(written[:9]) <= _MOST_PAGES):
        raise BadInput(f"{written!r} is not the number of a page; leave it out for the first page")
    return int(written[:9])


def _address(visit: Visit, number: int) -> str:
    kept: Mapping[str, str] = {name: visit.asked(name) for name in ("q", "status", "tag", "owner", "sort")}
    return urlencode({name: value for name, value in kept.items() if value} | {"page": str(number)})


ROUTES = (Route(method="GET", path="/recipes", serve=show),)
