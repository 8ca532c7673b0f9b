"""The time zone of a visitor's lists: the one that the address asks for, else the visitor's own."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Response

from functions.domain.errors import BadInput
from functions.domain.recipe.schedule import instant_of
from functions.domain.recipe.zones import zone_names
from functions.handlers.console.visit import ZONE_COOKIE, Visit
from functions.handlers.http.headers import transport_security

_A_YEAR = timedelta(days=365)
_DAY = timedelta(days=1)


def zone_of_viewer(visit: Visit) -> ZoneInfo:
    """Return the zone that the address asks for, else the visitor's; BadInput for an unknown one."""
    asked = visit.asked("zone")
    if asked and asked not in zone_names():
        raise BadInput(f"{asked!r} is not a time zone; enter one such as America/New_York")
    return ZoneInfo(asked) if asked else visit.zone


def remember_zone(visit: Visit, response: Response) -> Response:
    """Keep the zone that the visitor has chosen, for a year."""
    if visit.asked("zone"):
        keep_zone(visit, response, visit.asked("zone"))
    return response


def keep_zone(visit: Visit, response: Response, zone: str) -> None:
    """Keep a zone as the visitor's for a year. An empty one is forgotten: the browser's counts again."""
    if zone:
        secure = bool(transport_security(visit.request))
        path = visit.root or "/"
        response.set_cookie(ZONE_COOKIE, zone, max_age=_A_YEAR, path=path, samesite="Lax", secure=secure)
    else:
        response.delete_cookie(ZONE_COOKIE, path=visit.root or "/", samesite="Lax")


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which a day begins in a zone."""
    return instant_of(datetime.combine(day, time(0, 0)), zone).astimezone(UTC)


def read_day(written: str) -> date:
    """Return a day that a visitor wrote; BadInput names it if it is none."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise BadInput(f"{written!r} is not a day; enter it as YYYY-MM-DD") from None
    if not 1970 <= day.year <= 9998:
        raise BadInput(f"{written} is outside the calendar")
    return day


def days_asked(visit: Visit, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Return the instants from the first to the end of the last day that the address asks for."""
    first, last = visit.asked("from"), visit.asked("to")
    since = midnight(read_day(first), zone) if first else None
    return since, midnight(read_day(last) + _DAY, zone) if last else None
