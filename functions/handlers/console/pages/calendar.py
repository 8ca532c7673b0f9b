"""The calendar: the sends of the next 30 days, by day in a time zone."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from operator import attrgetter, itemgetter
from zoneinfo import ZoneInfo

from flask import Response

from functions.domain.errors import BadInput
from functions.domain.recipe.schedule import instant_of
from functions.domain.recipe.zones import zone_names
from functions.handlers.console.answering import page
from functions.handlers.console.visit import Route, Visit
from functions.usecases.reports.upcoming import Upcoming, upcoming

_DAYS = 30
_SHOWN_A_DAY = 5
_MOST_ON_ONE_DAY = 200
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day and its first sends; `more` others are not shown. A day outside the 30 days has none."""

    date: date
    sends: Sequence[Upcoming]
    more: int
    inside: bool


def show(visit: Visit) -> Response:
    """Show the next 30 days, or all sends of one of them."""
    sends = upcoming(visit.ports)
    zones = Counter(map(attrgetter("zone"), sends))
    zone = _zone(visit.asked("zone") or next(iter(zones), "UTC"))
    today = visit.now.astimezone(zone).date()
    shown = partial(
        page,
        visit,
        zone=zone,
        today=today,
        zones=sorted({*zones, "UTC", zone.key}),
        total=len(sends) - sum(send.is_off for send in sends if send.execution),
    )
    if visit.asked("day"):
        day = _day(sends, _date(visit.asked("day")), zone, inside=True, most=_MOST_ON_ONE_DAY)
        return shown("calendar_day.html", day=day)
    first = today - _DAY * today.weekday()
    last = today + _DAY * (_DAYS - 1)
    weeks = (last - first).days // 7 + 1
    dates = [first + _DAY * number for number in range(7 * weeks)]
    days = [_day(sends, each, zone, inside=today <= each <= last, most=_SHOWN_A_DAY) for each in dates]
    return shown("calendar.html", days=days)


def _day(sends: Sequence[Upcoming], day: date, zone: ZoneInfo, *, inside: bool, most: int) -> Day:
    if not inside:
        return Day(date=day, sends=(), more=0, inside=False)
    begin, end = (bisect_left(sends, _midnight(each, zone), key=itemgetter(0)) for each in (day, day + _DAY))
    return Day(date=day, sends=sends[begin : min(end, begin + most)], more=max(0, end - begin - most), inside=True)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return instant_of(datetime.combine(day, time(0, 0)), zone).astimezone(UTC)


def _zone(name: str) -> ZoneInfo:
    if name not in zone_names():
        raise BadInput(f"{name!r} is not a time zone; enter one such as America/New_York")
    return ZoneInfo(name)


def _date(written: str) -> date:
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise BadInput(f"{written!r} is not a day; enter it as YYYY-MM-DD") from None
    if not 1970 <= day.year <= 9998:
        raise BadInput(f"{written} is outside the calendar")
    return day


ROUTES = (Route(method="GET", path="/calendar", serve=show),)
