"""What every clock does."""

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from local.embedded.clock import FastClock, RealClock, VirtualClock

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_the_real_clock_tells_the_machine_s_time_in_utc() -> None:
    clock = RealClock()
    assert abs(datetime.now(UTC) - clock.now()) < timedelta(seconds=5)
    assert clock.now().tzinfo is UTC
    assert 50 < clock.real_seconds_until(clock.now() + timedelta(seconds=60)) <= 60
    assert clock.real_seconds_until(NOON - timedelta(days=9_999)) == 0


def test_a_fast_clock_runs_as_many_times_as_fast_as_asked() -> None:
    clock = FastClock(3_600.0, NOON.astimezone(ZoneInfo("Asia/Tokyo")))
    threading.Event().wait(0.05)
    assert NOON + timedelta(minutes=3) <= clock.now() < NOON + timedelta(hours=12)
    assert clock.now().tzinfo is UTC
    assert 20 < clock.real_seconds_until(clock.now() + timedelta(days=1)) <= 24
    assert clock.real_seconds_until(NOON) == 0


def test_a_fast_clock_refuses_to_stand_still() -> None:
    with pytest.raises(ValueError, match="above 0"):
        FastClock(0, NOON)


def test_a_virtual_clock_moves_only_by_hand_and_never_backwards() -> None:
    clock = VirtualClock(NOON)
    clock.advance_to(NOON + timedelta(days=2))
    clock.advance_to(NOON)
    assert clock.now() == NOON + timedelta(days=2)
    assert clock.real_seconds_until(NOON + timedelta(days=9)) == 0
