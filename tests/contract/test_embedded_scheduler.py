"""The firing side of the embedded scheduler: it behaves as Cloud Scheduler does."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim
from hypothesis import assume, given
from hypothesis import strategies as st

from functions.domain.recipe.cron import Cron
from functions.ports.queue import ScheduledJob
from local.embedded.clock import VirtualClock
from local.embedded.database import Database
from local.embedded.scheduler import SqliteSchedules
from local.embedded.wall_clock import last_strike, next_strike
from tests.examples import examples

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SIX = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)

Make = Callable[..., Any]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "tminus.db")) as opened:
        yield opened


@pytest.fixture
def schedules(database: Database, clock: VirtualClock) -> SqliteSchedules:
    return SqliteSchedules(database, clock)


def job(**fields: Any) -> ScheduledJob:
    given: dict[str, Any] = {
        "name": "daily",
        "cron": "0 18 * * *",
        "zone": "UTC",
        "function": "launch",
        "body": {"recipe": "daily"},
    }
    return ScheduledJob(**(given | fields))


def strikes(cron: str, zone: str, since: datetime, days: int) -> list[str]:
    found, at = [], since
    while (at := next_strike(Cron.parse(cron), ZoneInfo(zone), at) or since) < since + timedelta(days=days):
        found.append(f"{at:%dT%H:%MZ}")
    return found


def test_a_job_fires_at_its_time_with_cloud_scheduler_s_headers(schedules: Any) -> None:
    schedules.put(job())
    assert schedules.next_at() == SIX
    assert schedules.take(SIX - timedelta(microseconds=1)) is None
    fire = schedules.take(SIX)
    assert fire.headers() == {
        "Content-Type": "application/json",
        "User-Agent": "Google-Cloud-Scheduler",
        "X-CloudScheduler": "true",
        "X-CloudScheduler-JobName": "daily",
        "X-CloudScheduler-ScheduleTime": "2026-11-23T18:00:00Z",
    }
    assert (fire.function, fire.body) == ("launch", {"recipe": "daily"})


def test_a_fire_that_was_answered_makes_way_for_the_next(schedules: Any, clock: VirtualClock) -> None:
    schedules.put(job())
    clock.advance_to(SIX)
    schedules.settle(schedules.take(SIX), 204)
    assert schedules.next_at() == SIX + DAY


def test_a_failed_fire_is_retried_with_the_same_schedule_time_and_then_given_up(
    schedules: Any, clock: VirtualClock
) -> None:
    schedules.put(job())
    attempts = []
    while schedules.next_at() < SIX + timedelta(hours=1):
        clock.advance_to(schedules.next_at())
        fire = schedules.take(clock.now())
        attempts.append(((clock.now() - SIX).total_seconds(), fire.headers()["X-CloudScheduler-ScheduleTime"]))
        schedules.settle(fire, 503)
    assert [seconds for seconds, _ in attempts] == [0, 5, 15, 35, 75, 135]
    assert {schedule_time for _, schedule_time in attempts} == {"2026-11-23T18:00:00Z"}
    assert schedules.next_at() == SIX + DAY


def test_executions_of_one_job_never_overlap(schedules: Any, clock: VirtualClock) -> None:
    schedules.put(job(cron="* * * * *"))
    clock.advance_to(SIX)
    running = schedules.take(SIX)
    assert schedules.take(SIX + timedelta(minutes=2)) is None
    clock.advance_to(SIX + timedelta(minutes=2, seconds=30))
    schedules.settle(running, 200)
    assert schedules.take(clock.now()).schedule_time == SIX + timedelta(minutes=2)


def test_fires_that_were_not_taken_come_once_with_the_latest_schedule_time(
    database: Database, schedules: Any, clock: VirtualClock
) -> None:
    schedules.put(job())
    clock.advance_to(SIX + 3 * DAY + timedelta(hours=2))
    restarted = SqliteSchedules(database, clock)
    fire = restarted.take(clock.now())
    assert fire is not None
    assert fire.schedule_time == SIX + 3 * DAY
    restarted.settle(fire, 200)
    assert restarted.take(clock.now()) is None
    assert restarted.next_at() == SIX + 4 * DAY


def test_a_fire_whose_process_died_is_due_again_after_recover_with_its_own_schedule_time(
    schedules: Any, clock: VirtualClock
) -> None:
    schedules.put(job())
    lost = schedules.take(SIX)
    schedules.recover()
    clock.advance_to(SIX + timedelta(seconds=1))
    again = schedules.take(clock.now())
    assert (again.schedule_time, again.attempt) == (SIX, 2)
    schedules.settle(lost, 200)
    assert schedules.next_at() == again.deadline


def test_a_fire_whose_attempts_all_run_past_the_deadline_is_given_up(schedules: Any, clock: VirtualClock) -> None:
    schedules.put(job())
    taken = 0
    while schedules.next_at() < SIX + DAY:
        clock.advance_to(schedules.next_at())
        taken += schedules.take(clock.now()) is not None
    assert taken == 6
    assert schedules.next_at() == SIX + DAY


def test_a_put_that_changes_neither_cron_nor_zone_keeps_the_fire(schedules: Any, clock: VirtualClock) -> None:
    schedules.put(job())
    clock.advance_to(SIX + timedelta(minutes=10))
    schedules.put(job(body={"new": True}))
    fire = schedules.take(clock.now())
    assert (fire.schedule_time, fire.body) == (SIX, {"new": True})
    schedules.put(job())
    schedules.settle(fire, 200)
    assert schedules.next_at() == SIX + DAY


@pytest.mark.parametrize("change", [{"cron": "0 6 * * *"}, {"zone": "Asia/Tokyo"}])
def test_a_replaced_job_is_one_job_and_never_fires_for_a_time_before_the_put(
    schedules: Any, clock: VirtualClock, change: dict[str, str]
) -> None:
    schedules.put(job())
    clock.advance_to(SIX)
    running = schedules.take(SIX)
    schedules.put(job(**change))
    assert len(schedules.all()) == 1
    assert schedules.take(clock.now()) is None
    schedules.settle(running, 503)
    assert schedules.next_at() > SIX + timedelta(hours=1)


def test_a_job_put_at_the_very_minute_waits_for_the_next(schedules: Any, clock: VirtualClock) -> None:
    clock.advance_to(SIX)
    schedules.put(job())
    assert schedules.next_at() == SIX + DAY


def test_a_job_whose_day_never_comes_is_kept_and_never_fires(schedules: Any) -> None:
    schedules.put(job(cron="0 18 30 2 *"))
    assert len(schedules.all()) == 1
    assert (schedules.next_at(), schedules.take(SIX + 999 * DAY)) == (None, None)


def test_a_deleted_job_does_not_come_back_when_its_fire_is_settled(schedules: Any) -> None:
    schedules.put(job())
    fire = schedules.take(SIX)
    schedules.delete("daily")
    schedules.settle(fire, 503)
    assert (schedules.next_at(), list(schedules.all())) == (None, [])


def test_fires_are_taken_in_order_of_time(schedules: Any) -> None:
    for name, minute in (("b", 2), ("a", 2), ("c", 1)):
        schedules.put(job(name=name, cron=f"{minute} 18 * * *"))
    assert [schedules.take(SIX + timedelta(minutes=5)).job.name for _ in range(3)] == ["c", "a", "b"]


def test_a_local_time_that_the_change_of_the_clocks_skips_does_not_fire() -> None:
    since = datetime(2026, 3, 28, 0, 0, tzinfo=UTC)
    assert strikes("30 2 * * *", "Europe/Berlin", since, 3) == ["28T01:30Z", "30T00:30Z"]


def test_a_local_time_that_occurs_twice_fires_twice() -> None:
    since = datetime(2026, 10, 24, 0, 0, tzinfo=UTC)
    assert strikes("30 2 * * *", "Europe/Berlin", since, 3) == ["24T00:30Z", "25T00:30Z", "25T01:30Z", "26T01:30Z"]


def test_a_half_hour_change_and_an_odd_minute_are_met_exactly() -> None:
    lord_howe = datetime(2026, 10, 3, 0, 0, tzinfo=UTC)
    assert strikes("15 2 * * *", "Australia/Lord_Howe", lord_howe, 2) == ["04T15:15Z"]
    st_johns = datetime(2010, 3, 13, 12, 0, tzinfo=UTC)
    assert strikes("0,1 0-1 * * *", "America/St_Johns", st_johns, 1) == ["14T03:30Z", "14T03:31Z"]


def test_the_last_strike_of_a_long_absence_is_found() -> None:
    cron, zone = Cron.parse("*/5 * * * *"), ZoneInfo("UTC")
    assert last_strike(cron, zone, NOON, NOON + 90 * DAY + timedelta(minutes=4)) == NOON + 90 * DAY
    yearly = Cron.parse("0 18 23 11 *")
    assert last_strike(yearly, zone, SIX, SIX + 800 * DAY) == SIX.replace(year=2028)


def test_every_strike_is_a_minute_whose_wall_clock_matches_and_none_is_left_out_around_every_change() -> None:
    """The definition itself, minute by minute, over the two changes of 2026 in zones of every kind."""
    for zone in map(ZoneInfo, ("America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Beirut")):
        for month, day in ((2, 14), (3, 7), (3, 21), (3, 28), (4, 4), (10, 3), (10, 24), (10, 31)):
            since = datetime(2026, month, day, tzinfo=UTC)
            cron = Cron.parse("7,30 0-3,23 * * *")
            minutes = (since + timedelta(minutes=minute) for minute in range(1, 2 * 24 * 60))
            expected = [at for at in minutes if cron.matches(at.astimezone(zone))]
            found, at = [], since
            while (at := next_strike(cron, zone, at) or since) < since + 2 * DAY:
                found.append(at)
            assert found == expected


def field(low: int, high: int) -> st.SearchStrategy[str]:
    value = st.integers(low, high)
    lists = st.lists(value, min_size=1, max_size=3).map(lambda values: ",".join(map(str, values)))
    steps = st.integers(2, 20).map(lambda step: f"*/{step}")
    return st.one_of(st.just("*"), lists, steps)


def days_without_change(zone: ZoneInfo, first: datetime, last: datetime) -> bool:
    hours = int((last - first) / timedelta(hours=1)) + 48
    offsets = {(first + timedelta(hours=hour - 24)).astimezone(zone).utcoffset() for hour in range(0, hours, 6)}
    return len(offsets) == 1


@examples(300, few=60)
@given(
    parts=st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6)),
    zone_name=st.sampled_from(sorted(available_timezones())),
    since=st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1)),
)
def test_next_strikes_agree_with_cronsim_away_from_changes_of_the_clocks(
    parts: tuple[str, ...], zone_name: str, since: datetime
) -> None:
    cron, zone, after = " ".join(parts), ZoneInfo(zone_name), since.replace(tzinfo=UTC)
    theirs = [next(simulation).astimezone(UTC) for simulation in [CronSim(cron, after.astimezone(zone))] * 3]
    assume(theirs[-1] - after < 60 * DAY)
    assume(days_without_change(zone, after, theirs[-1]))
    ours = []
    for _ in theirs:
        after = next_strike(Cron.parse(cron), zone, after) or after
        ours.append(after)
    assert ours == theirs


def test_a_new_zone_moves_the_next_fire(schedules: Any) -> None:
    schedules.put(job(zone="Asia/Kathmandu"))
    assert schedules.next_at() == NOON + timedelta(minutes=15)
    schedules.put(replace(job(), zone="America/New_York"))
    assert schedules.next_at() == SIX + timedelta(hours=5)
