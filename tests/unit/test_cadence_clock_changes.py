"""Cadence in the weeks in which clocks change, in every zone that changes them, against a week without a change."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest

from functions.domain.cadence.ledger import reserve
from functions.domain.cadence.rules import CadenceRule, Push, days_to_read
from functions.domain.push.outcomes import Exclusion
from functions.domain.recipe import read as recipe
from functions.domain.recipe.cron import Cron
from functions.domain.recipe.schedule import ClockPlan, Frequency, Schedule, instant_of, planned_clock, wall_clock
from functions.domain.recipe.timeline import PushTiming, plan
from functions.usecases.timeline.steps import timeline_of
from tests import factories

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
NEW_YORK = ZoneInfo("America/New_York")
USER = b"12345678"
QUIET = date(2026, 6, 3)
"""A Wednesday around which no clock changes in UTC, where normal weeks are counted."""
TIMES = (
    time(0, 0),
    time(0, 30),
    time(1, 0),
    time(1, 30),
    time(2, 0),
    time(2, 15),
    time(2, 30),
    time(3, 0),
    time(9, 0),
)
EVERY = {"daily": 1, "every third day": 3, "every fourth day": 4, "weekly": 7}


def rule(hours: int, count: int = 1) -> CadenceRule:
    return CadenceRule(name="r", reason=Exclusion.LAYER_3_COOLDOWN, layers=frozenset({3}), hours=hours, count=count)


def granted(pushes: Sequence[Push], rule: CadenceRule) -> list[bool]:
    """Reserve pushes for one user in the order given, and say which the rule lets through."""
    days: dict[date, bytes] = {}
    through = []
    for push in pushes:
        read = {day: days.get(day, b"") for day in days_to_read(push, [rule], max(push.at for push in pushes))}
        made = reserve(read, push, [USER], [rule])
        days.update(made.writes)
        through.append(not made.held_back)
    return through


def pushes_at(clocks: Sequence[datetime], zone: ZoneInfo) -> list[Push]:
    return [
        Push(key=str(number).encode(), layer=3, at=instant_of(clock, zone), zone=zone)
        for number, clock in enumerate(clocks)
    ]


@cache
def changes(zone: ZoneInfo) -> tuple[tuple[date, timedelta, timedelta, time], ...]:
    """Return each change of a zone's clocks in 2026 and 2027: its day, both offsets, and the clock just before."""
    found, at = [], datetime(2026, 1, 1, tzinfo=UTC)
    while at.year < 2028:
        if offset(zone, at + 5 * DAY) != (before := offset(zone, at)):
            last = at
            while offset(zone, last + 15 * MINUTE) == before:
                last += 15 * MINUTE
            after = last + 15 * MINUTE
            found.append((after.astimezone(zone).date(), before, offset(zone, after), last.astimezone(zone).time()))
        at += 5 * DAY
    return tuple(found)


def offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


@cache
def weeks() -> list[tuple[ZoneInfo, date]]:
    """Return the changes of all zones; of those between the same offsets at the same clock, one stands for all."""
    kinds: dict[object, tuple[ZoneInfo, date]] = {}
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        for day, *kind in changes(zone):
            kinds.setdefault(tuple(kind), (zone, day))
    return list(kinds.values())


@cache
def in_a_normal_week(every: int, at: time, hours: int, count: int) -> list[bool]:
    return granted(pushes_at(sends(QUIET, every, at), ZoneInfo("UTC")), rule(hours, count))


def sends(middle: date, every: int, at: time, *, around: int = 3) -> list[datetime]:
    return [datetime.combine(middle + n * every * DAY, at) for n in range(-around, around + 1)]


def test_every_zone_that_changes_its_clocks_is_looked_at() -> None:
    assert len(weeks()) > 40
    shifts = {
        abs(after - before) for name in available_timezones() for _, before, after, _ in changes(ZoneInfo(name))
    }
    assert {HOUR / 2, HOUR} <= shifts


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    "every", [7, *(pytest.param(EVERY[name], marks=pytest.mark.long, id=name) for name in EVERY if name != "weekly")]
)
@pytest.mark.parametrize("count", [pytest.param(1, marks=pytest.mark.long), 3])
def test_a_schedule_gets_in_the_week_of_a_change_what_it_gets_in_every_other_week(every: int, count: int) -> None:
    for zone, changed in weeks():
        for at in TIMES:
            for hours in (24 * every - 1, 24 * every, 48 * every):
                expected = in_a_normal_week(every, at, hours, count)
                pushes = pushes_at(sends(changed, every, at), zone)
                assert granted(pushes, rule(hours, count)) == expected, (zone.key, changed, at, hours)


def test_three_pushes_a_week_on_monday_leave_the_same_room_whatever_the_clocks_do() -> None:
    for zone, changed in weeks():
        monday = changed - timedelta(days=changed.weekday())
        clocks = [
            datetime.combine(monday + week * 7 * DAY, time(9)) + n * 3 * MINUTE
            for week in (-1, 0, 1, 2)
            for n in (0, 1, 2)
        ]
        assert granted(pushes_at(clocks, zone), rule(168, 3)) == [True] * 12, (zone.key, changed)


def sequences_at(clocks: Sequence[datetime], zone: ZoneInfo, timings: Sequence[PushTiming]) -> list[Push]:
    """The pushes of a sequence planned for each of the clocks, some of which the zone skips."""
    pushes = []
    for week, clock in enumerate(clocks):
        made = plan(
            send_at=instant_of(clock, zone), lead=HOUR, window=HOUR / 2, zone=zone, timings=timings, clock=clock
        )
        for number, (at, each) in enumerate(zip(made.push_at, made.push_plan, strict=True)):
            pushes.append(Push(key=f"{week}/{number}".encode(), layer=3, at=at, zone=zone, plan=each))
    return pushes


def clocks_around(zone: ZoneInfo, changed: date) -> list[time]:
    """Times before, inside and after the gap or the fold of a day."""
    last = next(each for day, _, _, each in changes(zone) if day == changed)
    edge = datetime.combine(changed, last) + 15 * MINUTE
    near = [edge + n * 15 * MINUTE for n in (-3, -1, 0, 1, 2, 4)]
    return [each.time() for each in near if each.date() == changed]


SEQUENCES = {
    "two minutes apart": [PushTiming(), PushTiming(delay_minutes=2), PushTiming(delay_minutes=2)],
    "over the change": [PushTiming(), PushTiming(delay_minutes=45), PushTiming(delay_minutes=90)],
    "a day apart": [PushTiming(), PushTiming(delay_minutes=24 * 60), PushTiming(delay_minutes=30)],
    "at clocks": [PushTiming(), PushTiming(at=time(2, 45)), PushTiming(at=time(9))],
    "at a clock, then delayed": [PushTiming(), PushTiming(at=time(2, 15)), PushTiming(delay_minutes=7)],
    "delayed, then at a clock": [PushTiming(), PushTiming(delay_minutes=5), PushTiming(at=time(2, 45))],
}


OFTEN = ("over the change", "at a clock, then delayed")
"""The sequences that `make test` plays."""


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [*OFTEN, *(pytest.param(name, marks=pytest.mark.long) for name in SEQUENCES if name not in OFTEN)]
)
@pytest.mark.parametrize(
    "every", [pytest.param(2, marks=pytest.mark.long, id="every second day"), pytest.param(7, id="weekly")]
)
def test_a_sequence_on_the_day_of_a_change_excludes_no_user_that_another_week_lets_through(
    every: int, name: str
) -> None:
    timings = SEQUENCES[name]

    @cache
    def normal(at: time, hours: int) -> list[bool]:
        return granted(sequences_at(sends(QUIET, every, at, around=2), ZoneInfo("UTC"), timings), rule(hours, 3))

    for zone, changed in weeks():
        for at in clocks_around(zone, changed):
            pushes = sequences_at(sends(changed, every, at, around=2), zone, timings)
            for hours in (24 * every, 24 * every - 1):
                assert granted(pushes, rule(hours, 3)) == normal(at, hours), (zone.key, changed, at, hours)


@pytest.mark.parametrize(
    ("zone", "clock"),
    [
        ("America/New_York", datetime(2026, 3, 8, 2, 30)),
        ("America/Santiago", datetime(2026, 9, 6, 0, 0)),
        ("Australia/Lord_Howe", datetime(2026, 10, 4, 2, 15)),
    ],
)
def test_a_recipe_plans_its_sequence_for_the_clock_that_the_day_of_the_change_skips(
    zone: str, clock: datetime
) -> None:
    weekly = recipe.read(
        factories.recipe(
            schedule__frequency="weekly",
            schedule__daysOfWeek=[0],
            schedule__timezone=zone,
            schedule__executionTime=f"{clock:%H:%M}",
            pushSequence=[factories.push(number, layerId=2) for number in (1, 2, 3)],
        )
    )
    first = timeline_of(weekly, instant_of(clock, ZoneInfo(zone)))
    assert wall_clock(first.send_at, ZoneInfo(zone)) > clock, "the clocks skip it"
    pushes = [
        Push(key=f"{week}/{number}".encode(), layer=3, at=at, zone=ZoneInfo(zone), plan=each)
        for week in (-1, 0, 1, 2)
        for made in [timeline_of(weekly, instant_of(clock + week * 7 * DAY, ZoneInfo(zone)))]
        for number, (at, each) in enumerate(zip(made.push_at, made.push_plan, strict=True))
    ]
    assert pushes[3].plan == ClockPlan(clock=clock)
    assert granted(pushes, rule(168, 3)) == [True] * 12


def test_a_cron_that_names_two_skipped_times_sends_for_the_first_of_them() -> None:
    cron = Schedule(
        zone=NEW_YORK, frequency=Frequency.CUSTOM, send_time=time(0), lead=HOUR, cron=Cron.parse("15,45 2,3 * * *")
    )
    gap_ends = datetime(2026, 3, 8, 3, 0, tzinfo=NEW_YORK).astimezone(UTC)
    assert planned_clock(cron, gap_ends) == datetime(2026, 3, 8, 2, 15)
    assert planned_clock(cron, gap_ends + 15 * MINUTE) == datetime(2026, 3, 8, 3, 15)
    assert planned_clock(cron, gap_ends + DAY) == datetime(2026, 3, 9, 3, 0), "not planned: what the clocks show"


@pytest.mark.slow
def test_no_window_of_the_wall_clock_holds_more_than_the_rule_allows() -> None:
    for zone, changed in weeks():
        clocks = [datetime.combine(changed + n * DAY, at) for n in (-2, -1, 0, 1, 2) for at in TIMES]
        for asked in (clocks, clocks[::-1], clocks[::2] + clocks[1::2]):
            pushes = pushes_at(asked, zone)
            sent = [push for push, through in zip(pushes, granted(pushes, rule(24, 2)), strict=True) if through]
            for last in sent:
                start = instant_of(wall_clock(last.at, zone) - 24 * HOUR, zone)
                assert sum(start < push.at <= last.at for push in sent) <= 2, (zone.key, changed)


@pytest.mark.parametrize("changed", [datetime(2026, 3, 6, 9), datetime(2026, 10, 30, 9)], ids=["spring", "autumn"])
def test_a_delay_of_three_days_over_a_change_of_the_clocks_keeps_three_days(changed: datetime) -> None:
    timeline = plan(
        send_at=instant_of(changed, NEW_YORK),
        lead=30 * MINUTE,
        window=25 * MINUTE,
        zone=NEW_YORK,
        timings=[PushTiming(), PushTiming(delay_minutes=3 * 24 * 60)],
    )
    pushes = [
        Push(key=bytes([number]), layer=3, at=at, zone=NEW_YORK, plan=each)
        for number, (at, each) in enumerate(zip(timeline.push_at, timeline.push_plan, strict=True))
    ]
    assert pushes[1].at - pushes[0].at == 3 * DAY
    assert granted(pushes, rule(72)) == [True, True]
    assert granted(pushes, rule(73)) == [True, False]


def test_a_rule_looks_back_to_the_same_clock_and_no_further() -> None:
    monday, before = datetime(2026, 11, 2, 9), datetime(2026, 10, 26, 9)
    for minutes, through in ((0, True), (1, False)):
        assert granted(pushes_at([before + minutes * MINUTE, monday], NEW_YORK), rule(168)) == [True, through]


def test_each_recipe_counts_on_its_own_clock_and_a_push_of_no_recipe_in_utc() -> None:
    in_new_york = Push(key=b"1", layer=3, at=instant_of(datetime(2026, 3, 2, 9), NEW_YORK), zone=NEW_YORK)
    a_week_later = instant_of(datetime(2026, 3, 9, 9), NEW_YORK)
    assert granted([in_new_york, Push(key=b"2", layer=3, at=a_week_later, zone=NEW_YORK)], rule(168)) == [True, True]
    assert granted([in_new_york, Push(key=b"2", layer=3, at=a_week_later)], rule(168)) == [True, False]


def test_two_pushes_at_the_end_of_a_gap_count_against_each_other() -> None:
    at = instant_of(datetime(2026, 3, 8, 2, 30), NEW_YORK)
    pushes = [Push(key=key, layer=3, at=at, zone=NEW_YORK) for key in (b"1", b"2")]
    assert granted(pushes, rule(1)) == [True, False]
