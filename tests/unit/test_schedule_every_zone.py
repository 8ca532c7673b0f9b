"""Every zone, every day of ten years, against an oracle made of the zones' offset changes.

Zones that keep the same clocks for the ten years are one class: one of them stands for all.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest

from functions.domain.recipe.cron import Cron
from functions.domain.recipe.schedule import (
    CRON_HORIZON,
    Frequency,
    Schedule,
    instant_of,
    scheduler_cron,
    sends_from,
    slot_for,
    starts_from,
)

FIRST, LAST = datetime(2025, 12, 1, tzinfo=UTC), datetime(2036, 2, 1, tzinfo=UTC)
DAYS = [date(2026, 1, 1) + timedelta(days=offset) for offset in range(3652)]
MINUTE = timedelta(minutes=1)

Clocks = tuple[tuple[datetime, timedelta], ...]
"""The offsets of a zone: from this instant on, this one."""


def clocks_of(zone: ZoneInfo) -> Clocks:
    steps: list[tuple[datetime, timedelta]] = [(FIRST, _offset(zone, FIRST))]
    at = FIRST
    while at < LAST:
        later = at + timedelta(days=5)  # no zone changes its clocks twice within five days and ends where it began
        if _offset(zone, later) != _offset(zone, at):
            changed = _first_after(zone, at, later)
            steps.append((changed, _offset(zone, changed)))
        at = later
    return tuple(steps)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _first_after(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    old = _offset(zone, before)
    while after - before > MINUTE:
        middle = before + (after - before) // MINUTE // 2 * MINUTE
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after


@cache
def classes() -> dict[Clocks, ZoneInfo]:
    return {clocks_of(ZoneInfo(name)): ZoneInfo(name) for name in sorted(available_timezones())}


def oracle(clocks: Clocks, wall: datetime) -> datetime:
    """Try each offset near the wall-clock time: the first valid instant, or else the end of the gap."""
    about = wall.replace(tzinfo=UTC)
    place = bisect_right(clocks, about - timedelta(days=2), key=lambda step: step[0])
    near = clocks[max(0, place - 1) : place + 4]
    ends = [changed for changed, _ in near[1:]] + [LAST + timedelta(days=9)]
    for (begins, offset), end in zip(near, ends, strict=True):
        if begins <= about - offset < end:
            return about - offset
    for (_, old), (changed, new) in pairwise(near):
        if about - new < changed <= about - old:
            return changed
    raise AssertionError(f"{wall} is neither on the clock nor in a gap")


def daily(zone: ZoneInfo, at: time, lead: int = 30, **changes: object) -> Schedule:
    fields: dict[str, object] = {"frequency": Frequency.DAILY, "send_time": at, "lead": lead * MINUTE, **changes}
    return Schedule(zone=zone, **fields)  # type: ignore[arg-type]


@pytest.mark.long
def test_the_zones_are_all_there() -> None:
    assert len(available_timezones()) > 400
    assert sum(len(clocks) > 10 for clocks in classes()) > 15, "many zones change their clocks twice a year"


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    "clock", ["02:30", *(pytest.param(clock, marks=pytest.mark.long) for clock in ("00:00", "00:10", "23:59"))]
)
def test_every_day_of_ten_years_has_its_one_send_in_every_zone(clock: str) -> None:
    at = time.fromisoformat(clock)
    for clocks, zone in classes().items():
        rule = daily(zone, at, start_date=DAYS[0], end_date=DAYS[-1])
        sends = list(sends_from(rule, FIRST))
        assert sends == [oracle(clocks, datetime.combine(day, at)) for day in DAYS], zone.key
        assert all(earlier < later for earlier, later in pairwise(sends)), zone.key


@pytest.mark.slow
@pytest.mark.parametrize("lead", [3, 30, 90])
def test_around_every_change_of_the_clocks_a_start_belongs_to_its_send_and_its_neighbours_to_none(lead: int) -> None:
    for clocks, zone in classes().items():
        changes = [changed for changed, _ in clocks[1:5]]
        for at in (time(0, 10), time(1, 30), time(2, 0), time(2, 30), time(3, 0), time(18, 30)):
            rule = daily(zone, at, lead)
            for changed in changes:
                day = changed.astimezone(zone).date()
                for wall in (datetime.combine(day + timedelta(days=offset), at) for offset in (-1, 0, 1)):
                    send_at = oracle(clocks, wall)
                    start = send_at - lead * MINUTE
                    assert slot_for(rule, start) == send_at, f"{zone.key} {wall}"
                    assert slot_for(rule, start - MINUTE) is None, f"{zone.key} {wall}"
                    assert slot_for(rule, start + MINUTE) is None, f"{zone.key} {wall}"


def shapes() -> Iterator[dict[str, object]]:
    yield {"frequency": Frequency.DAILY}
    yield {"frequency": Frequency.WEEKLY, "days_of_week": frozenset({0, 1, 3})}
    yield {"frequency": Frequency.MONTHLY, "day_of_month": 31}
    yield {"frequency": Frequency.MONTHLY, "day_of_month": 1}


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    ("clock", "lead"),
    [
        ("00:10", 30),
        ("02:15", 3),
        pytest.param("00:10", 3, marks=pytest.mark.long),
        pytest.param("02:30", 90, marks=pytest.mark.long),
        pytest.param("01:30", 30, marks=pytest.mark.long),
    ],
)
def test_the_schedulers_cron_fires_at_every_start_of_400_days_in_every_zone(clock: str, lead: int) -> None:
    since = datetime(2026, 11, 24, 9, 17, tzinfo=UTC)
    for zone in classes().values():
        for shape in shapes():
            check_cron(daily(zone, time.fromisoformat(clock), lead, **shape), since)


@pytest.mark.slow
@pytest.mark.parametrize("expression", ["30 1-3 * * *", "0,30 2 * * 0", "15 0 1,15 * *", "*/15 0-3 * * *"])
@pytest.mark.parametrize("lead", [3, 30, 90])
def test_the_schedulers_cron_fires_at_every_start_of_a_custom_schedule(expression: str, lead: int) -> None:
    since = datetime(2026, 9, 3, tzinfo=UTC)
    shape = {"frequency": Frequency.CUSTOM, "cron": Cron.parse(expression)}
    for name in ("America/New_York", "Europe/Dublin", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu"):
        horizon = DENSE_HORIZON if expression.startswith("*") else CRON_HORIZON
        check_cron(daily(ZoneInfo(name), time(0, 0), lead, **shape), since, horizon)


DENSE_HORIZON = timedelta(days=3_000 // 16)
"""A schedule of more than 3,000 sends in 400 days gets a cron for the first 3,000; reconciling renews it in time."""


def check_cron(rule: Schedule, since: datetime, horizon: timedelta = CRON_HORIZON) -> None:
    expression = scheduler_cron(rule, since)
    assert expression is not None
    cron = Cron.parse(expression)
    end = since.replace(hour=0, minute=0) + horizon
    starts = list(takewhile(lambda start: start < end, starts_from(rule, since)))
    assert len(starts) > 12
    missed = [start for start in starts if not cron.matches(start.astimezone(rule.zone).replace(tzinfo=None))]
    assert not missed, f"{expression} in {rule.zone.key} misses {missed[0]}"


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "UTC"])
def test_a_once_schedule_has_a_cron_for_the_minute_of_its_start(zone: str) -> None:
    for month in range(1, 13):
        for day in (1, 8, 25, 28):
            rule = daily(ZoneInfo(zone), time(0, 10), frequency=Frequency.ONCE, start_date=date(2027, month, day))
            start = next(starts_from(rule, FIRST))
            expression = scheduler_cron(rule, FIRST)
            assert expression is not None
            assert Cron.parse(expression).matches(start.astimezone(rule.zone).replace(tzinfo=None))
            assert instant_of(datetime(2027, month, day, 0, 10), rule.zone) - start == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("zone", "skipped"), [("Pacific/Apia", date(2011, 12, 30)), ("Pacific/Kwajalein", date(1993, 8, 21))]
)
def test_a_day_that_a_zone_left_out_is_sent_at_the_first_minute_after_it(zone: str, skipped: date) -> None:
    next_day = skipped + timedelta(days=1)
    rule = daily(ZoneInfo(zone), time(12, 0), start_date=skipped - timedelta(days=1), end_date=next_day)
    since = datetime.combine(skipped - timedelta(days=3), time(0, 0), tzinfo=UTC)
    walls = [f"{send_at.astimezone(rule.zone):%Y-%m-%d %H:%M}" for send_at in sends_from(rule, since)]
    assert walls == [f"{skipped - timedelta(days=1)} 12:00", f"{next_day} 00:00", f"{next_day} 12:00"]


def test_dates_at_the_end_of_the_calendar_send_nothing_and_break_nothing() -> None:
    zone = ZoneInfo("America/New_York")
    for frequency in (Frequency.ONCE, Frequency.DAILY):
        rule = daily(zone, time(23, 0), frequency=frequency, start_date=date.max, end_date=date.max)
        assert list(sends_from(rule, FIRST)) == []
        assert scheduler_cron(rule, FIRST) is None
        assert slot_for(rule, FIRST) is None
    forever = daily(zone, time(23, 0), end_date=date.max)
    assert next(sends_from(forever, FIRST)) > FIRST
