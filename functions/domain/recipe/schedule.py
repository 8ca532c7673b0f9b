"""Schedules of recipes: from wall-clock times to UTC instants, and to the cron of a scheduler's job.

The send time is T-0 in the recipe's zone. The lead time is subtracted exactly once, here, in UTC: a send at 00:10
starts the evening before, and a clock change never moves a send.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from functions.domain.recipe.cron import Cron

CRON_HORIZON = timedelta(days=400)
"""How far ahead a scheduler's cron is valid. Reconcile renews it long before it ends."""
_ANY_YEAR = date(2000, 1, 1)
_SECOND = timedelta(seconds=1)
_MOST_SENDS = 3_000
LAST_DAY = date(9999, 12, 1)
"""The last day with a send: Python's calendar ends in the same month."""
_LONGEST_GAP_DAYS = 3_000
"""29 February can be eight years away. A cron that matches no day within that time never sends."""


class Frequency(StrEnum):
    """How often a recipe sends."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    CUSTOM = "custom"


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The rule for a recipe's send instants. Days of the week count from Sunday, 0. `skip` are sends left out."""

    zone: ZoneInfo
    frequency: Frequency
    send_time: time
    lead: timedelta
    start_date: date = date.min
    end_date: date = LAST_DAY
    days_of_week: frozenset[int] = frozenset({1})
    day_of_month: int = 1
    cron: Cron | None = None
    skip: frozenset[datetime] = frozenset()

    @property
    def by_day(self) -> bool:
        """Whether it sends at most once a day. Only a cron can send more often."""
        return self.frequency is not Frequency.CUSTOM

    def day_of(self, at: datetime) -> date:
        """Return the day of an instant in the schedule's zone."""
        return at.astimezone(self.zone).date()

    @cached_property
    def skipped_days(self) -> frozenset[date]:
        """The days in the schedule's zone with a skipped send."""
        return frozenset(map(self.day_of, self.skip))

    def day_bounds(self, day: date) -> tuple[datetime, datetime]:
        """Return the beginning and the end of a day in the schedule's zone."""
        midnights = (datetime.combine(each, time.min) for each in (day, day + timedelta(days=1)))
        begins, ends = (instant_of(midnight, self.zone) for midnight in midnights)
        return begins, ends


def instant_of(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of a naive wall-clock time.

    A time that the zone skips becomes the first valid minute after the gap. Of a time that occurs twice, the first
    counts.
    """
    early = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if wall_clock(early, zone) == local:
        return early
    valid, skipped = early, local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    before = skipped.astimezone(zone).utcoffset()
    while valid - skipped > timedelta(seconds=1):
        middle = skipped + (valid - skipped) // 2
        if middle.astimezone(zone).utcoffset() == before:
            skipped = middle
        else:
            valid = middle
    return valid.replace(microsecond=0)


def wall_clock(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the naive local time of an instant in a zone."""
    return at.astimezone(zone).replace(tzinfo=None)


@dataclass(frozen=True, kw_only=True)
class ClockPlan:
    """The wall-clock time of a push: the time of T-0, then a step for each following push.

    A step is a delay in real time, or a wall-clock time. The zone may skip the wall-clock time of T-0.
    """

    clock: datetime
    steps: tuple[timedelta | datetime, ...] = ()

    def instant(self, zone: ZoneInfo, shift: timedelta = timedelta()) -> datetime:
        """Return the instant of the push in a sequence planned `shift` later on the wall clock."""
        at = instant_of(self.clock + shift, zone)
        for step in self.steps:
            at = at + step if isinstance(step, timedelta) else max(at, instant_of(step + shift, zone))
        return at


def planned_clock(schedule: Schedule, send_at: datetime) -> datetime:
    """Return the wall-clock time for which a schedule plans a send, which may be one that the clocks skip.

    If the schedule plans several times within a gap, this is the first; if none, it is the local time.
    """
    shown = wall_clock(send_at, schedule.zone)
    skipped = wall_clock(send_at - _SECOND, schedule.zone) + _SECOND
    if skipped >= shown:
        return shown
    for day in takewhile(lambda day: day <= shown.date(), _days(schedule, skipped.date())):
        for clock in _times(schedule):
            if skipped <= (planned := datetime.combine(day, clock)) < shown:
                return planned
    return shown


def is_skipped(schedule: Schedule, send_at: datetime) -> bool:
    """Return whether a send is left out. A daily send stays left out if its time of day changes."""
    return schedule.day_of(send_at) in schedule.skipped_days if schedule.by_day else send_at in schedule.skip


def sends_from(schedule: Schedule, since: datetime) -> Iterator[datetime]:
    """Yield the distinct send instants at or after `since`, in order, without the skipped ones."""
    return (send_at for send_at in planned_from(schedule, since) if not is_skipped(schedule, send_at))


def planned_from(schedule: Schedule, since: datetime) -> Iterator[datetime]:
    """Yield the distinct send instants at or after `since`, in order, with the skipped ones."""
    last = since - timedelta(microseconds=1)
    for day in _days(schedule, since.astimezone(schedule.zone).date() - timedelta(days=2)):
        for clock in _times(schedule):
            instant = instant_of(datetime.combine(day, clock), schedule.zone)
            if instant > last:
                last = instant
                yield instant


def never_sends(schedule: Schedule) -> bool:
    """Return whether a schedule can never send: 30 February, or no day between its first day and its last."""
    first = schedule.start_date if schedule.start_date.year > 1 else _ANY_YEAR
    since = datetime.combine(first, time(0, 0), UTC) - timedelta(days=2)
    return next(planned_from(schedule, since), None) is None


def slot_for(schedule: Schedule, fired_at: datetime) -> datetime | None:
    """Return the send instant whose start is in the minute of `fired_at`; None if there is none."""
    send_at = fired_at.astimezone(UTC).replace(second=0, microsecond=0) + schedule.lead
    return send_at if next(sends_from(schedule, send_at), None) == send_at else None


def starts_from(schedule: Schedule, since: datetime) -> Iterator[datetime]:
    """Yield the start instants of executions at or after `since`: send instant minus lead time."""
    return (send_at - schedule.lead for send_at in sends_from(schedule, since + schedule.lead))


def scheduler_cron(schedule: Schedule, since: datetime) -> str | None:
    """Return a cron expression in the schedule's zone that fires at every start of the next 400 days.

    Around clock changes it may fire more often: `slot_for` decides. None: no send is left on the UTC day of `since`
    or later.
    """
    return _scheduler_cron(schedule, since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0))


@lru_cache(maxsize=10_000)
def _scheduler_cron(schedule: Schedule, since: datetime) -> str | None:
    near = takewhile(lambda start: start < since + CRON_HORIZON, starts_from(schedule, since))
    starts = [start.astimezone(schedule.zone) for start in islice(near, _MOST_SENDS)]
    if not starts:
        starts = [start.astimezone(schedule.zone) for start in islice(starts_from(schedule, since), 1)]
        if not starts:
            return None
    minutes = _list({start.minute for start in starts})
    hours = "*" if len(starts) == _MOST_SENDS else _list({start.hour for start in starts})
    days = months = weekdays = "*"
    if schedule.frequency in (Frequency.ONCE, Frequency.MONTHLY):
        days = _list({start.day for start in starts})
    if schedule.frequency is Frequency.ONCE:
        months = _list({start.month for start in starts})
    if schedule.frequency is Frequency.WEEKLY:
        weekdays = _list({start.isoweekday() % 7 for start in starts})
    return f"{minutes} {hours} {days} {months} {weekdays}"


def _list(values: set[int]) -> str:
    return ",".join(str(value) for value in sorted(values))


def _times(schedule: Schedule) -> list[time]:
    if schedule.cron is None:
        return [schedule.send_time]
    return [time(hour, minute) for hour in sorted(schedule.cron.hours) for minute in sorted(schedule.cron.minutes)]


def _days(schedule: Schedule, since: date) -> Iterator[date]:
    day = max(since, schedule.start_date)
    if schedule.frequency is Frequency.ONCE:
        yield from [schedule.start_date] if day <= schedule.start_date <= LAST_DAY else []
        return
    idle = 0
    while day <= min(schedule.end_date, LAST_DAY) and idle < _LONGEST_GAP_DAYS:
        idle += 1
        if _is_send_day(schedule, day):
            idle = 0
            yield day
        day += timedelta(days=1)


def _is_send_day(schedule: Schedule, day: date) -> bool:
    if schedule.frequency is Frequency.WEEKLY:
        return day.isoweekday() % 7 in schedule.days_of_week
    if schedule.frequency is Frequency.MONTHLY:
        return day.day == min(schedule.day_of_month, calendar.monthrange(day.year, day.month)[1])
    return schedule.cron is None or schedule.cron.on_day(day)
