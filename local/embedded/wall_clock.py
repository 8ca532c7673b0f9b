"""The instants at which a cron strikes, as in Cloud Scheduler.

Every UTC minute whose wall clock in the zone matches: a local time that a zone skips does not strike, one that
occurs twice strikes twice.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from functions.domain.recipe.cron import Cron

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_HORIZON = timedelta(days=366 * 8 + 1)
"""29 February can be eight years away; an expression with no match until then has none."""


def next_strike(cron: Cron, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Return the first strike later than `after`; None if there is none within eight years."""
    at = after.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
    end = at + _HORIZON
    while at < end:
        local = at.astimezone(zone)
        if cron.matches(local):
            return at
        stride = _stride(cron, local)
        steady = (at + stride).astimezone(zone).utcoffset() == local.utcoffset()
        at += stride if steady else _MINUTE
    return None


def last_strike(cron: Cron, zone: ZoneInfo, first: datetime, until: datetime) -> datetime:
    """Return the last strike not later than `until`, given one of them: `first`."""
    strike = first
    recent = next_strike(cron, zone, max(first, until - _DAY))
    if recent is not None and recent <= until:
        strike = recent
    while (following := next_strike(cron, zone, strike)) is not None and following <= until:
        strike = following
    return strike


def _stride(cron: Cron, local: datetime) -> timedelta:
    """Return how far the next match is at least, if the clocks do not change on the way."""
    if not cron.on_day(local.date()):
        return timedelta(hours=24 - local.hour, minutes=-local.minute)
    later = [minute for minute in cron.minutes if minute > local.minute] if local.hour in cron.hours else []
    return timedelta(minutes=min(later, default=60) - local.minute)
