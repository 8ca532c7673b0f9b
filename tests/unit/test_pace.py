"""How fast to send: the ramp, the share of the quota, and the size of what is announced at once."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.pace import chunk_rows, rate, sending_time

QUOTA = 10_000
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("seconds", "expected"), [(-5, 1_000), (0, 1_000), (30, 5_500), (60, 10_000), (600, 10_000)])
def test_a_push_ramps_up_over_a_minute(seconds: int, expected: float) -> None:
    assert rate(QUOTA, 1, seconds * SECOND) == pytest.approx(expected)


@pytest.mark.parametrize("shards", [1, 3, 40])
def test_the_shards_under_way_share_the_quota(shards: int) -> None:
    assert rate(QUOTA, shards, 60 * SECOND) * shards == pytest.approx(QUOTA)


def test_no_shard_comes_to_a_standstill() -> None:
    assert rate(1, 1_000_000, 0 * SECOND) == 1


def test_a_worker_that_is_not_counted_yet_counts_itself() -> None:
    assert rate(QUOTA, 0, 60 * SECOND) == QUOTA


@pytest.mark.parametrize(("rows", "seconds"), [(0, 0), (330_000, 60), (1_000_000, 127), (10_000_000, 1_027)])
def test_the_time_a_push_takes_follows_the_ramp(rows: int, seconds: float) -> None:
    assert sending_time(rows, QUOTA) / SECOND == pytest.approx(seconds)


@given(rows=st.integers(1, 2_000_000), quota=st.integers(1, 50_000))
def test_the_rate_adds_up_to_the_rows_over_the_time_that_they_take(rows: int, quota: int) -> None:
    time = sending_time(rows, quota)
    steps = 2_000
    sent = sum(_unbounded(quota, time * (step + 0.5) / steps) for step in range(steps)) * (time / SECOND) / steps
    assert sent == pytest.approx(rows, rel=1e-3)


def _unbounded(quota: int, since: timedelta) -> float:
    """The rate without its lower bound of one message a second."""
    return rate(quota * 1_000_000, 1, since) / 1_000_000


@given(rows=st.integers(0, 1_000_000))
def test_a_later_row_is_never_due_earlier(rows: int) -> None:
    assert sending_time(rows, QUOTA) <= sending_time(rows + 1, QUOTA)


@pytest.mark.parametrize(("per_second", "rows"), [(10_000, 500), (250, 500), (20, 40), (1, 2), (0.1, 1)])
def test_no_more_is_announced_than_leaves_within_two_seconds(per_second: float, rows: int) -> None:
    assert chunk_rows(500, per_second) == rows
