"""The calendar: the past and planned sends of a month, by day in the visitor's time zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from flask import Response

from functions.domain.errors import BadInput
from functions.handlers.console.answering import page
from functions.handlers.console.viewer_zone import midnight, read_day, remember_zone, zone_of_viewer
from functions.handlers.console.visit import Route, Visit
from functions.usecases.reports.calendar import DayOfSends, sends_of_days

_LINES_A_DAY = 4
_LINES_ON_ONE_DAY = 200
_FARTHEST_MONTHS = 24
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day of the calendar and its sends; `sends` is None for a day of another month."""

    date: date
    sends: DayOfSends | None


def show(visit: Visit) -> Response:
    """Show a month, or all sends of one day."""
    zone = zone_of_viewer(visit)
    today = visit.now.astimezone(zone).date()
    shown = partial(page, visit, zone=zone, today=today)
    if visit.asked("day"):
        day = read_day(visit.asked("day"))
        [sends] = _sends(visit, [day], zone, most=_LINES_ON_ONE_DAY)
        return remember_zone(visit, shown("calendar_day.html", day=Day(date=day, sends=sends)))
    first = _month(visit.asked("month"), today)
    following = _months_later(first, 1)
    dates = [first + _DAY * number for number in range((following - first).days)]
    found = dict(zip(dates, _sends(visit, dates, zone, most=_LINES_A_DAY), strict=True))
    begin, end = first - _DAY * first.weekday(), following + _DAY * (-following.weekday() % 7)
    grid = [begin + _DAY * number for number in range((end - begin).days)]
    zones = {line.first.zone for each in found.values() for line in each.lines}
    response = shown(
        "calendar.html",
        month=first,
        zones=sorted({zone.key, "UTC", *zones}),
        days=[Day(date=each, sends=found.get(each)) for each in grid],
        total=sum(each.total for each in found.values()),
        earlier=_neighbour(first, -1, today),
        later=_neighbour(first, 1, today),
    )
    return remember_zone(visit, response)


def _sends(visit: Visit, dates: Sequence[date], zone: ZoneInfo, *, most: int) -> Sequence[DayOfSends]:
    spans = [(midnight(each, zone), midnight(each + _DAY, zone)) for each in dates]
    return sends_of_days(visit.ports, spans, most=most)


def _month(written: str, today: date) -> date:
    """Return the first day of the month that the visitor asks for, or of the current one."""
    if not written:
        return today.replace(day=1)
    try:
        first = date.fromisoformat(f"{written}-01")
    except ValueError:
        raise BadInput(f"{written!r} is not a month; enter it as YYYY-MM") from None
    if abs(_distance(first, today)) > _FARTHEST_MONTHS:
        raise BadInput(f"{written} is too far away; the calendar has {_FARTHEST_MONTHS} months before and after now")
    return first


def _neighbour(first: date, months: int, today: date) -> date | None:
    found = _months_later(first, months)
    return found if abs(_distance(found, today)) <= _FARTHEST_MONTHS else None


def _months_later(first: date, months: int) -> date:
    years, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(years, month + 1, 1)


def _distance(first: date, today: date) -> int:
    return (first.year - today.year) * 12 + first.month - today.month


ROUTES = (Route(method="GET", path="/calendar", serve=show),)
