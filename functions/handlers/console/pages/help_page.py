"""Help: the terms of the console and its keyboard shortcuts; and the visitor's time zone."""

from datetime import timedelta
from zoneinfo import available_timezones

from flask import Response

from functions.domain.errors import BadInput
from functions.handlers.console.answering import page, to
from functions.handlers.console.terms import TERMS
from functions.handlers.console.visit import ZONE_COOKIE, Route, Visit

_A_YEAR = timedelta(days=365)


def show(visit: Visit) -> Response:
    """Explain the terms and the shortcuts."""
    return page(visit, "help.html", terms=TERMS, zones=sorted(available_timezones()))


def choose_zone(visit: Visit) -> Response:
    """Remember the visitor's time zone in a cookie, or forget it: the browser's counts again."""
    zone = "" if visit.field("forget") else visit.field("zone")
    if zone and zone not in available_timezones():
        raise BadInput(f"unknown time zone {zone!r}; choose one such as Europe/Berlin")
    answer = to(visit, "/help", **({"outcome": "zone"} if zone else {}))
    where = visit.root or "/"
    if zone:
        answer.set_cookie(ZONE_COOKIE, zone, max_age=_A_YEAR, path=where, samesite="Lax")
    else:
        answer.delete_cookie(ZONE_COOKIE, path=where, samesite="Lax")
    return answer


ROUTES = (
    Route(method="GET", path="/help", serve=show),
    Route(method="POST", path="/help/time-zone", serve=choose_zone),
)
