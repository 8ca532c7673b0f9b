"""The emulator's queues, seen by the real client of Cloud Tasks."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2

from local.embedded.retry import RetryPolicy
from tests.cloud import LOCATION, NOON, STEPS, Answer, World

SECOND = timedelta(seconds=1)
State = tasks_v2.Queue.State


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as entered:
        yield entered


def seconds(world: World) -> list[float]:
    return [(got.at - NOON).total_seconds() for got in world.function.received]


def update(world: World, paths: list[str], **settings: Any) -> tasks_v2.Queue:
    request: Any = {"queue": {"name": STEPS, **settings}, "update_mask": {"paths": paths}}
    return world.tasks.update_queue(request=request)


def test_a_queue_has_the_defaults_of_cloud_tasks(world: World) -> None:
    queue = world.create_queue()
    limits, retry = queue.rate_limits, queue.retry_config
    assert (limits.max_dispatches_per_second, limits.max_burst_size, limits.max_concurrent_dispatches) == (
        500,
        100,
        1000,
    )
    assert (retry.max_attempts, retry.max_doublings, retry.max_retry_duration) == (100, 16, timedelta(0))
    assert (retry.min_backoff, retry.max_backoff) == (timedelta(seconds=0.1), timedelta(hours=1))
    assert queue.state == State.RUNNING
    assert world.tasks.get_queue(name=STEPS) == queue


def test_queues_are_listed_page_by_page_within_their_location(world: World) -> None:
    elsewhere = "projects/demo/locations/us-east1"
    for queue_id in ("steps", "shards", "more"):
        world.create_queue(queue_id)
    world.tasks.create_queue(parent=elsewhere, queue=tasks_v2.Queue(name=f"{elsewhere}/queues/far"))
    pages = list(world.tasks.list_queues(request={"parent": LOCATION, "page_size": 2}).pages)
    ids = [[queue.name.rpartition("/")[2] for queue in page.queues] for page in pages]
    assert ids == [["more", "shards"], ["steps"]]


def test_an_update_changes_the_fields_of_its_mask_alone(world: World) -> None:
    world.create_queue(retry_config={"max_attempts": 7}, rate_limits={"max_dispatches_per_second": 5})
    updated = update(world, ["retry_config.max_doublings"], retry_config={"max_attempts": 9, "max_doublings": 3})
    assert (updated.retry_config.max_attempts, updated.retry_config.max_doublings) == (7, 3)
    assert updated.rate_limits.max_dispatches_per_second == 5
    assert update(world, [], rate_limits={"max_dispatches_per_second": 8}).retry_config.max_attempts == 100


def test_an_update_of_a_queue_that_is_not_there_creates_it(world: World) -> None:
    assert update(world, [], retry_config={"max_attempts": 3}).retry_config.max_attempts == 3
    world.create_task("a")
    world.cloud.drain()
    assert world.function.paths == ["/a"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_limits": {"max_dispatches_per_second": 501}},
        {"rate_limits": {"max_dispatches_per_second": -1}},
        {"rate_limits": {"max_concurrent_dispatches": 5001}},
        {"retry_config": {"max_attempts": -2}},
        {"retry_config": {"min_backoff": timedelta(seconds=9), "max_backoff": timedelta(seconds=8)}},
        {"retry_config": {"max_backoff": timedelta(hours=2)}},
        {"retry_config": {"max_doublings": 17}},
        {"name": f"{LOCATION}/queues/under_score"},
        {"name": f"{LOCATION}/queues/{'x' * 101}"},
        {"name": "steps"},
    ],
)
def test_wrong_settings_are_an_invalid_argument(world: World, wrong: dict[str, Any]) -> None:
    queue: Any = {"name": STEPS} | wrong
    with pytest.raises(exceptions.InvalidArgument):
        world.tasks.create_queue(parent=LOCATION, queue=queue)


def test_a_mask_that_names_no_field_is_an_invalid_argument(world: World) -> None:
    world.create_queue()
    with pytest.raises(exceptions.InvalidArgument, match="no_such_field"):
        update(world, ["no_such_field"])


def test_a_queue_that_exists_is_not_created_again(world: World) -> None:
    world.create_queue()
    with pytest.raises(exceptions.AlreadyExists):
        world.create_queue()


def test_a_deleted_queue_takes_its_tasks_along_and_its_name_stays_taken_for_three_days(world: World) -> None:
    world.create_queue()
    world.create_task("a", NOON + SECOND)
    world.tasks.delete_queue(name=STEPS)
    with pytest.raises(exceptions.NotFound):
        world.tasks.get_queue(name=STEPS)
    with pytest.raises(exceptions.FailedPrecondition, match="existed recently"):
        world.create_task("a")
    with pytest.raises(exceptions.FailedPrecondition, match="too recently"):
        world.create_queue()
    world.cloud.run_until(NOON + timedelta(days=3))
    assert world.function.received == []
    world.create_queue()
    world.create_task("a")


def test_a_paused_queue_takes_tasks_and_dispatches_them_once_it_is_resumed(world: World) -> None:
    world.create_queue()
    assert world.tasks.pause_queue(name=STEPS).state == State.PAUSED
    world.create_task("a")
    world.cloud.run_until(NOON + SECOND)
    assert world.function.received == []
    assert world.tasks.resume_queue(name=STEPS).state == State.RUNNING
    world.cloud.run_until(NOON + SECOND)
    assert seconds(world) == [1]


def test_a_purge_deletes_all_tasks_and_tells_when(world: World) -> None:
    world.create_queue()
    world.create_task("a", NOON + SECOND)
    assert world.tasks.purge_queue(name=STEPS).purge_time == NOON
    world.cloud.run_until(NOON + SECOND)
    assert world.function.received == []
    assert world.tasks.get_queue(name=STEPS).purge_time == NOON
    with pytest.raises(exceptions.AlreadyExists):
        world.create_task("a")


def test_after_a_burst_tasks_are_dispatched_at_the_rate_of_their_queue(world: World) -> None:
    world.create_queue(rate_limits={"max_dispatches_per_second": 4})
    for number in range(13):
        world.create_task(f"t{number}")
    world.cloud.drain()
    assert seconds(world) == [0] * 10 + [0.25, 0.5, 0.75]


def test_after_a_rest_a_queue_has_its_burst_again_and_no_more(world: World) -> None:
    world.create_queue(rate_limits={"max_dispatches_per_second": 1})
    for number in range(22):
        world.create_task(f"t{number}", NOON if number < 10 else NOON + timedelta(hours=1))
    world.cloud.drain()
    assert seconds(world) == [0] * 10 + [3600] * 10 + [3601, 3602]


def test_a_slow_queue_does_not_hold_up_another(world: World) -> None:
    world.create_queue(rate_limits={"max_dispatches_per_second": 0.1})
    world.create_queue("shards")
    for number in range(12):
        world.create_task(f"t{number}")
        world.create_task(f"t{number}", queue=f"{LOCATION}/queues/shards")
    world.cloud.drain()
    assert seconds(world) == [0] * 22 + [10, 20]


def test_retries_wait_as_the_queue_says_and_end_when_attempts_and_duration_are_reached(world: World) -> None:
    backoffs = {"min_backoff": timedelta(seconds=1), "max_backoff": timedelta(seconds=6), "max_doublings": 2}
    world.create_queue(
        retry_config=backoffs | {"max_attempts": 2, "max_retry_duration": timedelta(seconds=17)},
    )
    world.function.react = lambda _: Answer(status=500)
    world.create_task("a")
    world.cloud.drain()
    assert seconds(world) == [0, 1, 3, 7, 13, 19]
    assert list(world.tasks.list_tasks(parent=STEPS)) == []


def test_attempts_alone_end_retries_where_the_duration_has_no_limit(world: World) -> None:
    world.create_queue(retry_config={"max_attempts": 3})
    world.function.react = lambda _: Answer(status=500)
    world.create_task("a")
    world.cloud.drain()
    assert len(world.function.received) == 3


def test_without_any_limit_a_task_is_retried_for_31_days(world: World) -> None:
    world.create_queue(retry_config={"max_attempts": -1, "min_backoff": timedelta(hours=1)})
    world.function.react = lambda _: Answer(status=500)
    name = world.create_task("a").name
    world.cloud.run_until(NOON + timedelta(hours=2))
    assert world.tasks.get_task(name=name).dispatch_count == 3
    policy = RetryPolicy(max_attempts=-1, max_retry_duration=timedelta(0))
    assert not policy.exhausted(700, timedelta(days=30))
    assert policy.exhausted(1, timedelta(days=31))


def test_a_retry_waits_for_what_retry_after_asks(world: World) -> None:
    world.create_queue()
    answers = iter([Answer(status=503, headers={"retry-after": "90"}), Answer(status=429), Answer()])
    world.function.react = lambda _: next(answers)
    world.create_task("a")
    world.cloud.drain()
    assert seconds(world) == [0, 90, 90.2]
    last = world.function.received[-1].headers
    assert (last["X-CloudTasks-TaskRetryCount"], last["X-CloudTasks-TaskExecutionCount"]) == ("2", "1")
    assert last["X-CloudTasks-TaskPreviousResponse"] == "429"
