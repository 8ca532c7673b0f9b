"""Help: the terms of the console and its keyboard shortcuts; and the visitor's time zone."""

from flask import Response

from functions.domain.errors import BadInput
from functions.domain.recipe.zones import zone_names
from functions.handlers.console.answering import page, to
from functions.handlers.console.terms import TERMS
from functions.handlers.console.viewer_zone import keep_zone
from functions.handlers.console.visit import Route, Visit


def show(visit: Visit) -> Response:
    """Explain the terms and the shortcuts."""
    return page(visit, "help.html", terms=TERMS, zones=sorted(zone_names()))


def choose_zone(visit: Visit) -> Response:
    """Remember the visitor's time zone in a cookie, or forget it: the browser's counts again."""
    zone = "" if visit.field("forget") else visit.field("zone")
    if zone and zone not in zone_names():
        raise BadInput(f"unknown time zone {zone!r}; choose one such as Europe/Berlin")
    answer = to(visit, "/help", **({"outcome": "zone"} if zone else {}))
    keep_zone(visit, answer, zone)
    return answer


ROUTES = (
    Route(method="GET", path="/help", serve=show),
    Route(method="POST", path="/help/time-zone", serve=choose_zone),
)
