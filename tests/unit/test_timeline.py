"""The phases and when they are due."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.recipe.read import TEST_MODE_LEAD
from functions.domain.recipe.timeline import Phase, PushTiming, Timeline, plan

SEND_AT = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
UTC_ZONE, NEW_YORK = ZoneInfo("UTC"), ZoneInfo("America/New_York")
FIRST = PushTiming()


def a_timeline(
    *timings: PushTiming,
    send_at: datetime = SEND_AT,
    lead: timedelta = 30 * MINUTE,
    window: timedelta = 25 * MINUTE,
    zone: ZoneInfo = UTC_ZONE,
) -> Timeline:
    return plan(send_at=send_at, lead=lead, window=window, zone=zone, timings=timings or [FIRST])


def test_the_phases_are_due_at_30_25_22_and_0_minutes_and_ten_minutes_after() -> None:
    made = a_timeline()
    assert [(made.due(phase) - SEND_AT) / MINUTE for phase in Phase] == [-30, -25, -22, 0, 10]


def test_test_mode_fits_all_of_its_phases_into_three_minutes() -> None:
    made = a_timeline(lead=TEST_MODE_LEAD)
    assert [(made.due(phase) - SEND_AT).total_seconds() for phase in Phase] == [-180, -150, -132, 0, 600]


def test_a_shorter_window_leaves_more_time_to_build_the_audiences() -> None:
    made = a_timeline(window=10 * MINUTE)
    assert [(made.due(phase) - SEND_AT).total_seconds() for phase in Phase] == [-1800, -600, -528, 0, 600]


def test_a_window_longer_than_the_lead_leaves_a_sixth_of_it_to_the_audiences() -> None:
    made = a_timeline(window=25 * MINUTE, lead=12 * MINUTE)
    assert (SEND_AT - made.test_at) == 10 * MINUTE


@given(
    lead=st.integers(1, 24 * 60),
    window=st.integers(0, 43_200),
    delays=st.lists(st.integers(0, 43_200), max_size=20),
)
def test_phases_never_overtake_each_other(lead: int, window: int, delays: list[int]) -> None:
    timings = [FIRST, *(PushTiming(delay_minutes=delay) for delay in delays)]
    made = a_timeline(*timings, lead=lead * MINUTE, window=window * MINUTE)
    dues = [made.due(phase) for phase in Phase]
    assert dues == sorted(dues)
    assert made.build_at == SEND_AT - lead * MINUTE, "the lead is subtracted once"
    assert made.build_at < made.test_at, "something is left to build the audiences"
    assert made.push_at[0] == SEND_AT
    assert [later - earlier for earlier, later in zip(made.push_at, made.push_at[1:], strict=False)] == [
        delay * MINUTE for delay in delays
    ]
    assert made.finish_at == made.push_at[-1] + 10 * MINUTE


def test_the_first_push_goes_out_at_the_send_time_whatever_its_timing_says() -> None:
    made = a_timeline(PushTiming(delay_minutes=99, at=time(3, 0)), PushTiming(delay_minutes=5))
    assert made.push_at == (SEND_AT, SEND_AT + 5 * MINUTE)


@pytest.mark.parametrize(
    ("at", "sent"),
    [
        (time(20, 0), "03-02 20:00"),
        (time(18, 30), "03-02 18:30"),
        (time(18, 29), "03-03 18:29"),
        (time(0, 0), "03-03 00:00"),
    ],
)
def test_an_absolute_time_is_the_next_one_on_the_recipes_clock(at: time, sent: str) -> None:
    made = a_timeline(FIRST, PushTiming(at=at, delay_minutes=7))
    assert f"{made.push_at[1]:%m-%d %H:%M}" == sent


def test_an_absolute_time_is_read_in_the_recipes_zone_across_a_change_of_the_clocks() -> None:
    evening = datetime(2026, 3, 7, 20, 0, tzinfo=NEW_YORK).astimezone(UTC)
    timings = [FIRST, PushTiming(at=time(2, 30)), PushTiming(at=time(9, 0)), PushTiming(delay_minutes=60)]
    made = a_timeline(*timings, send_at=evening, zone=NEW_YORK)
    walls = [f"{at.astimezone(NEW_YORK):%d. %H:%M}" for at in made.push_at]
    assert walls == ["07. 20:00", "08. 03:00", "08. 09:00", "08. 10:00"], "02:30 was skipped that night"


def test_a_repeated_absolute_time_is_the_first_of_the_two() -> None:
    evening = datetime(2026, 10, 31, 20, 0, tzinfo=NEW_YORK).astimezone(UTC)
    made = a_timeline(FIRST, PushTiming(at=time(1, 30)), send_at=evening, zone=NEW_YORK)
    assert made.push_at[1] == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
