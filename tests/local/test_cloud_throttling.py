"""Cloud Tasks' own throttling: a queue slows down after overloads, and begins slowly."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from local.standins.cloud_tasks import Outlive, Script, Share
from tests.cloud import NOON, STEPS, Answer, World

SECOND = timedelta(seconds=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, throttled=True) as entered:
        entered.create_queue(rate_limits={"max_dispatches_per_second": 10})
        yield entered


def seconds_of(world: World, since: datetime = NOON) -> list[float]:
    return [(received.at - since) / SECOND for received in world.function.received]


def warm(world: World) -> datetime:
    """Have the queue run at its full rate, and return the instant."""
    for number in range(60):
        world.create_task(f"warm-{number}", NOON + number * SECOND)
    world.cloud.run_until(NOON + 60 * SECOND)
    assert len(world.function.received) == 60
    world.function.received.clear()
    return world.clock.now()


def test_a_new_queue_begins_with_one_task_a_second(world: World) -> None:
    for number in range(30):
        world.create_task(f"a{number}", NOON)
    world.cloud.run_until(NOON + 19 * SECOND)
    seconds = seconds_of(world)
    assert seconds[:11] == list(range(11))
    assert seconds[11:14] == [10.5, 11.0, 11.5]


def test_a_queue_that_was_in_use_dispatches_at_its_rate_and_one_that_rested_begins_again(world: World) -> None:
    now = warm(world)
    for at in (now, now + timedelta(minutes=11)):
        for number in range(5):
            world.create_task(f"b{number}-{at:%M}", at)
    world.cloud.run_until(now + timedelta(minutes=12))
    gaps = [later - earlier for earlier, later in zip(seconds_of(world), seconds_of(world)[1:], strict=False)]
    assert max(gaps[:4]) < 0.2
    assert gaps[5:] == [1.0] * 4


@pytest.mark.long
@pytest.mark.parametrize("status", [429, 503])
def test_an_overload_of_one_task_slows_the_whole_queue_until_successes(world: World, status: int) -> None:
    now = warm(world)
    world.function.react = lambda received: Answer(status=status if received.path == "/bad" else 200)
    world.create_task("bad", now)
    for number in range(20):
        world.create_task(f"c{number}", now + 30 * SECOND)
    world.cloud.run_until(now + 30 * SECOND, inclusive=False)
    bad = [path for path in world.function.paths if path == "/bad"]
    assert 5 <= len(bad) <= 9
    world.function.received.clear()
    world.function.react = lambda _: Answer()
    world.cloud.run_until(now + 60 * SECOND)
    seconds = seconds_of(world, now)
    assert seconds[2] - seconds[1] > 0.3, "the others wait, too"
    assert seconds[-1] - seconds[-2] == pytest.approx(0.1), "and are quick again after successes"


def test_another_failure_delays_its_own_task_only(world: World) -> None:
    now = warm(world)
    world.function.react = lambda received: Answer(status=500 if received.path == "/bad" else 200)
    world.create_task("bad", now)
    for number in range(5):
        world.create_task(f"d{number}", now + SECOND)
    world.cloud.run_until(now + 2 * SECOND)
    good = [at for at, path in zip(seconds_of(world, now), world.function.paths, strict=True) if path != "/bad"]
    assert max(good) < 1.7


def test_an_attempt_that_outlives_its_deadline_runs_beside_the_next_one(tmp_path: Path) -> None:
    with World(tmp_path, script=Script(deliveries=[Share(fault=Outlive(), times=1)])) as world:
        world.create_queue()
        world.create_task("a", dispatch_deadline=timedelta(minutes=1))
        world.cloud.run_until(NOON + 59 * SECOND)
        assert world.function.received == []
        assert world.tasks.get_task(name=f"{STEPS}/tasks/a").dispatch_count == 1
        world.cloud.run_until(NOON + 60 * SECOND)
        counts = sorted(received.headers["X-CloudTasks-TaskRetryCount"] for received in world.function.received)
        assert counts == ["0", "1"]
        assert {received.at for received in world.function.received} == {NOON + 60 * SECOND}
        world.cloud.run_until(NOON + timedelta(hours=1))
        assert len(world.function.received) == 2
