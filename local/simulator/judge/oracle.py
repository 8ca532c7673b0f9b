"""Compute when a recipe sends, in the simplest way: by walking through the minutes in UTC.

This module shares nothing with `functions.domain.recipe.schedule`, so the two cannot have the same defect.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)


def sends(recipe: Mapping[str, Any], first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the instants from `first` to `last` at which a recipe of a scenario sends.

    That is the first minute at which the wall clock shows the send time or more: the end of the gap if a clock change
    skips the time, the first occurrence if the time occurs twice.
    """
    schedule = recipe["schedule"]
    zone = ZoneInfo(schedule["timezone"])
    day = first.astimezone(zone).date() - timedelta(days=1)
    found = set()
    while day <= last.astimezone(zone).date():
        if _sends_on(schedule, day):
            found |= {first_minute(datetime.combine(day, clock), zone) for clock in _clocks(schedule)}
        day += timedelta(days=1)
    yield from sorted(at for at in found if first <= at <= last and not _skipped(schedule, at, zone))


def _skipped(schedule: Mapping[str, Any], at: datetime, zone: ZoneInfo) -> bool:
    skips = [datetime.fromisoformat(written) for written in schedule.get("skip", ())]
    if schedule["frequency"] == "custom":
        return at in skips
    return at.astimezone(zone).date() in [skip.astimezone(zone).date() for skip in skips]


def first_minute(wanted: datetime, zone: ZoneInfo) -> datetime:
    """Return the first minute at which a zone's wall clock is not before a naive time."""
    at = wanted.replace(tzinfo=ZoneInfo("UTC")) - timedelta(hours=15)
    while at.astimezone(zone).replace(tzinfo=None) < wanted:
        ahead = wanted - at.astimezone(zone).replace(tzinfo=None)
        at += max(_MINUTE, ahead - timedelta(hours=3))
    return at


def _clocks(schedule: Mapping[str, Any]) -> list[time]:
    if schedule["frequency"] == "custom":
        minute, hours, *_ = schedule["cronExpression"].split()
        return [time(int(hour), int(minute)) for hour in hours.split(",")]
    return [time.fromisoformat(schedule["executionTime"])]


def _sends_on(schedule: Mapping[str, Any], day: date) -> bool:
    frequency = schedule["frequency"]
    if frequency == "weekly":
        return day.isoweekday() % 7 in schedule["daysOfWeek"]
    if frequency == "monthly":
        tomorrow = day + timedelta(days=1)
        return day.day == schedule["dayOfMonth"] or (tomorrow.month != day.month and day.day < schedule["dayOfMonth"])
    if frequency == "once":
        return day.isoformat() == str(schedule["startDate"])
    return True
