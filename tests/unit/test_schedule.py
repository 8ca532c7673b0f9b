"""When a recipe sends, in every time zone and around every change of the clocks."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.cron import Cron
from functions.domain.schedule import (
    CRON_HORIZON,
    Frequency,
    Schedule,
    instant_of,
    scheduler_cron,
    sends_from,
    slot_for,
    starts_from,
)

ZONES = sorted(available_timezones())
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def schedule(zone: str = "America/New_York", at: str = "18:30", lead: int = 30, **changes: object) -> Schedule:
    """A daily schedule unless told otherwise."""
    fields: dict[str, object] = {"frequency": Frequency.DAILY, **changes}
    return Schedule(
        zone=ZoneInfo(zone),
        send_time=time.fromisoformat(at),
        lead=timedelta(minutes=lead),
        **fields,  # type: ignore[arg-type]
    )


def transitions(zone: ZoneInfo) -> Iterator[datetime]:
    """The instants at which a zone's offset changes within the ten years, to the minute."""
    step, at = timedelta(days=7), FIRST
    while at < LAST:
        before, after = at, at + step
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            while after - before > MINUTE:
                middle = before + (after - before) // 2
                same = middle.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset()
                before, after = (middle, after) if same else (before, middle)
            yield after.replace(second=0, microsecond=0)
        at += step


def clocks_around(change: datetime, zone: ZoneInfo) -> Iterator[time]:
    """Wall-clock times in, before and after the hour that a change skips or repeats, and two far from it."""
    for minutes in (-90, -31, -1, 0, 1, 29, 61):
        yield (change + minutes * MINUTE).astimezone(zone).time().replace(second=0)
    skipped = change.astimezone(zone).replace(tzinfo=None) - 17 * MINUTE
    yield skipped.time()
    yield from (time(0, 10), time(18, 30))


@pytest.mark.parametrize("part", range(8))
def test_each_local_day_has_one_send_in_every_zone_for_ten_years(part: int) -> None:
    for name in ZONES[part::8]:
        zone = ZoneInfo(name)
        for change in transitions(zone):
            day = change.astimezone(zone).date()
            for clock in clocks_around(change, zone):
                _check_days(zone, clock, [day + timedelta(days=offset) for offset in (-1, 0, 1)])


def _check_days(zone: ZoneInfo, clock: time, days: list[date]) -> None:
    rule = Schedule(
        zone=zone, frequency=Frequency.DAILY, send_time=clock, lead=30 * MINUTE, start_date=days[0], end_date=days[-1]
    )
    sends = list(sends_from(rule, FIRST))
    assert len(sends) == len(days)
    assert sends == sorted(set(sends))
    for day, send_at in zip(days, sends, strict=True):
        local = send_at.astimezone(zone)
        wanted = datetime.combine(day, clock)
        if local.replace(tzinfo=None) == wanted:
            assert local.fold == 0, "of two occurrences, the first"
        else:
            before = (send_at - MINUTE).astimezone(zone).replace(tzinfo=None)
            assert before < wanted < local.replace(tzinfo=None), "the first valid minute after the gap"
        assert slot_for(rule, send_at - rule.lead) == send_at
        assert slot_for(rule, send_at - rule.lead + 59 * timedelta(seconds=1)) == send_at
        assert slot_for(rule, send_at - rule.lead - MINUTE) is None or send_at - MINUTE in sends


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    minute_of_day=st.integers(0, 1439),
    lead=st.sampled_from([1, 3, 30, 90, 1440]),
    frequency=st.sampled_from([Frequency.DAILY, Frequency.WEEKLY, Frequency.MONTHLY]),
    day=st.integers(1, 31),
    since=st.datetimes(datetime(2026, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
)
def test_the_schedulers_cron_fires_at_every_start(
    zone: str, minute_of_day: int, lead: int, frequency: Frequency, day: int, since: datetime
) -> None:
    at = f"{minute_of_day // 60:02d}:{minute_of_day % 60:02d}"
    rule = schedule(zone, at, lead, frequency=frequency, day_of_month=day, days_of_week=frozenset({day % 7}))
    expression = scheduler_cron(rule, since)
    assert expression is not None
    cron = Cron.parse(expression)
    for start in starts_from(rule, since):
        if start >= since + CRON_HORIZON - timedelta(days=1):
            break
        assert cron.matches(start.astimezone(rule.zone)), f"{expression} misses {start}"


def test_the_cron_of_an_ordinary_recipe_is_what_a_person_would_write() -> None:
    now = datetime(2026, 5, 4, tzinfo=UTC)
    assert scheduler_cron(schedule(), now) == "0 18 * * *"
    assert scheduler_cron(schedule(frequency=Frequency.WEEKLY), now) == "0 18 * * 1"
    assert scheduler_cron(schedule(at="00:10", frequency=Frequency.WEEKLY), now) == "40 23 * * 0"
    assert scheduler_cron(schedule("UTC", frequency=Frequency.MONTHLY, day_of_month=31), now) == "0 18 28,30,31 * *"


def test_a_send_at_ten_past_midnight_starts_the_evening_before() -> None:
    start = next(starts_from(schedule("UTC", "00:10"), datetime(2026, 3, 2, tzinfo=UTC)))
    assert start == datetime(2026, 3, 2, 23, 40, tzinfo=UTC)
    assert slot_for(schedule("UTC", "00:10"), start) == datetime(2026, 3, 3, 0, 10, tzinfo=UTC)


def test_a_fire_some_seconds_late_belongs_to_its_minute() -> None:
    fired = datetime(2026, 3, 2, 18, 0, 7, tzinfo=UTC)
    assert slot_for(schedule("UTC"), fired) == datetime(2026, 3, 2, 18, 30, tzinfo=UTC)


def test_a_skipped_time_is_sent_at_the_first_minute_after_the_gap() -> None:
    assert instant_of(datetime(2026, 3, 8, 2, 30), ZoneInfo("America/New_York")) == datetime(
        2026, 3, 8, 7, tzinfo=UTC
    )


def test_a_repeated_time_is_sent_at_the_first_of_the_two() -> None:
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert instant_of(datetime(2026, 11, 1, 1, 30), ZoneInfo("America/New_York")) == first


def test_a_day_that_a_zone_skipped_is_sent_when_the_next_one_begins() -> None:
    apia = ZoneInfo("Pacific/Apia")  # crossed the date line: there was no 30 December 2011
    assert instant_of(datetime(2011, 12, 30, 18, 30), apia).astimezone(apia) == datetime(2011, 12, 31, tzinfo=apia)


def local_days(rule: Schedule, since: datetime, count: int) -> list[str]:
    return [f"{send.astimezone(rule.zone):%a %d.%m.}" for send in islice(sends_from(rule, since), count)]


def test_frequencies_send_on_their_days() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    weekly = schedule("UTC", frequency=Frequency.WEEKLY)
    assert local_days(weekly, since, 2) == ["Mon 05.01.", "Mon 12.01."]
    twice = schedule("UTC", frequency=Frequency.WEEKLY, days_of_week=frozenset({0, 6}))
    assert local_days(twice, since, 3) == ["Sat 03.01.", "Sun 04.01.", "Sat 10.01."]
    monthly = schedule("UTC", frequency=Frequency.MONTHLY, day_of_month=31)
    assert local_days(monthly, since, 4) == ["Sat 31.01.", "Sat 28.02.", "Tue 31.03.", "Thu 30.04."]
    either = schedule("UTC", frequency=Frequency.CUSTOM, cron=Cron.parse("0 9 13 * fri"))
    assert local_days(either, since, 3) == ["Fri 02.01.", "Fri 09.01.", "Tue 13.01."]


def test_start_and_end_are_included() -> None:
    rule = schedule("UTC", start_date=date(2026, 3, 2), end_date=date(2026, 3, 4))
    assert local_days(rule, FIRST, 9) == ["Mon 02.03.", "Tue 03.03.", "Wed 04.03."]


def test_once_sends_once_and_then_needs_no_schedule() -> None:
    rule = schedule("UTC", frequency=Frequency.ONCE, start_date=date(2026, 3, 2))
    assert local_days(rule, FIRST, 9) == ["Mon 02.03."]
    assert scheduler_cron(rule, FIRST) == "0 18 2 3 *"
    assert scheduler_cron(rule, datetime(2026, 3, 4, tzinfo=UTC)) is None


def test_a_cron_that_names_no_day_ends_instead_of_searching_for_ever() -> None:
    rule = schedule("UTC", frequency=Frequency.CUSTOM, cron=Cron.parse("0 9 30 2 *"))
    assert next(sends_from(rule, FIRST), None) is None
    assert scheduler_cron(rule, FIRST) is None


def test_a_schedule_that_begins_far_ahead_has_its_cron_already() -> None:
    assert scheduler_cron(schedule("UTC", start_date=date(2031, 1, 1)), FIRST) == "0 18 * * *"
