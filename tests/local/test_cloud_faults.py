"""What the emulator does wrong on purpose."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import scheduler_v1

from local.standins.cloud_tasks import (
    Delay,
    Duplicate,
    FailedCalls,
    Fault,
    Landed,
    LoseResponse,
    Reorder,
    Script,
    Share,
)
from tests.cloud import LOCATION, LONG, NOON, STEPS, Answer, Received, World

MINUTE = timedelta(minutes=1)
DAILY = f"{LOCATION}/jobs/daily"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as entered:
        entered.create_queue()
        yield entered


def minutes(world: World) -> list[float]:
    return [(got.at - NOON) / MINUTE for got in world.function.received]


def suffer(world: World, *faults: Fault, seed: int = 0, **share: Any) -> None:
    world.cloud.script = Script(deliveries=[Share(fault=fault, **share) for fault in faults], seed=seed)


def together(number: int) -> Callable[[Received], Answer]:
    """Return a reaction that answers once so many requests are under way."""
    meeting = threading.Barrier(number, timeout=LONG)

    def react(_: Received) -> Answer:
        meeting.wait()
        return Answer()

    return react


def test_copies_of_a_delivery_are_made_at_once(world: World) -> None:
    suffer(world, Duplicate(copies=2))
    world.function.react = together(3)
    world.create_task("a")
    world.cloud.drain()
    assert world.function.paths == ["/a"] * 3
    assert {got.headers["X-CloudTasks-TaskRetryCount"] for got in world.function.received} == {"0"}
    assert list(world.tasks.list_tasks(parent=STEPS)) == []


def test_a_job_fires_42_times_at_once_for_one_slot(world: World) -> None:
    suffer(world, Duplicate(copies=41))
    world.function.react = together(42)
    world.create_job()
    world.cloud.run_until(NOON + timedelta(hours=6))
    times = Counter(got.headers["X-CloudScheduler-ScheduleTime"] for got in world.function.received)
    assert times == {"2026-11-23T18:00:00Z": 42}


def test_late_copies_come_after_the_task_is_done(world: World) -> None:
    suffer(world, Duplicate(copies=2, after=20 * MINUTE))
    name = world.create_task("a").name
    world.cloud.run_until(NOON)
    with pytest.raises(exceptions.NotFound):
        world.tasks.get_task(name=name)
    world.cloud.drain()
    assert minutes(world) == [0, 20, 40]


def test_a_late_copy_that_fails_brings_no_retry(world: World) -> None:
    suffer(world, Duplicate(after=MINUTE))
    answers = iter([Answer(), Answer(status=500)])
    world.function.react = lambda _: next(answers)
    world.create_task("a")
    world.cloud.drain()
    assert minutes(world) == [0, 1]


def test_a_delayed_delivery_tells_when_it_was_due(world: World) -> None:
    suffer(world, Delay(by=3 * MINUTE))
    world.create_task("a", NOON + MINUTE)
    world.create_job(schedule="5 12 * * *")
    world.cloud.run_until(NOON + 10 * MINUTE)
    assert minutes(world) == [4, 8]
    task, job = world.function.received
    assert task.headers["X-CloudTasks-TaskETA"] == f"{int(NOON.timestamp()) + 60}.000000"
    assert job.headers["X-CloudScheduler-ScheduleTime"] == "2026-11-23T12:05:00Z"


def order_with(folder: Path, seed: int) -> list[str]:
    with World(folder) as world:
        world.create_queue()
        suffer(world, Reorder(within=MINUTE), seed=seed)
        for number in range(8):
            world.create_task(f"t{number}", NOON + timedelta(seconds=number))
        world.cloud.drain()
        assert max(minutes(world)) < 1 + 8 / 60
        return world.function.paths


def test_deliveries_change_places_the_same_way_with_the_same_seed(tmp_path: Path) -> None:
    first = order_with(tmp_path / "a", seed=1)
    assert sorted(first) == [f"/t{number}" for number in range(8)] != first
    assert order_with(tmp_path / "b", seed=1) == first
    assert order_with(tmp_path / "c", seed=2) != first


def test_every_task_is_delivered_three_times_out_of_order(world: World) -> None:
    suffer(world, Duplicate(copies=2, after=MINUTE), Reorder(within=5 * MINUTE))
    for number in range(5):
        world.create_task(f"t{number}")
    world.cloud.drain()
    assert set(Counter(world.function.paths).values()) == {3}
    assert world.function.paths != sorted(world.function.paths)


def test_a_lost_response_is_a_failure_to_the_queue_after_the_function_ran(world: World) -> None:
    suffer(world, LoseResponse(), times=2)
    world.create_task("a")
    world.cloud.drain()
    headers = [got.headers for got in world.function.received]
    assert [header["X-CloudTasks-TaskRetryCount"] for header in headers] == ["0", "1", "2"]
    assert [header["X-CloudTasks-TaskExecutionCount"] for header in headers] == ["0", "0", "0"]
    assert all("X-CloudTasks-TaskPreviousResponse" not in header for header in headers)
    assert [request.status for request in world.cloud.requests] == [200, 200, 200]


def test_a_fault_meets_the_share_and_the_urls_that_the_script_names(world: World) -> None:
    suffer(world, Duplicate(), of_deliveries=0.5, url="/hit", seed=3)
    for number in range(40):
        world.create_task(f"hit{number}")
        world.create_task(f"miss{number}")
    world.cloud.drain()
    counts = Counter(world.function.paths)
    assert 8 <= sum(counts[f"/hit{number}"] == 2 for number in range(40)) <= 32
    assert all(counts[f"/miss{number}"] == 1 for number in range(40))


def test_a_call_that_fails_before_it_lands_changes_nothing(world: World) -> None:
    world.cloud.script = Script(calls=[FailedCalls(method="CreateTask"), FailedCalls(method="CreateJob")])
    with pytest.raises(exceptions.ServiceUnavailable, match="the script makes CreateTask fail"):
        world.create_task("a")
    with pytest.raises(exceptions.ServiceUnavailable):
        world.create_job()
    world.create_task("a")
    world.create_job()


def test_a_call_that_fails_after_it_landed_has_done_its_work(world: World) -> None:
    methods = ("CreateTask", "CreateJob", "UpdateJob")
    world.cloud.script = Script(calls=[FailedCalls(method=method, landed=Landed.ALL) for method in methods])
    with pytest.raises(exceptions.ServiceUnavailable):
        world.create_task("a")
    with pytest.raises(exceptions.AlreadyExists):
        world.create_task("a")
    with pytest.raises(exceptions.ServiceUnavailable):
        world.create_job()
    with pytest.raises(exceptions.ServiceUnavailable):
        update(world, "0 6 * * *")
    assert world.jobs.get_job(name=DAILY).schedule == "0 6 * * *"


def test_calls_fail_from_one_number_to_another_and_again_with_a_new_script(world: World) -> None:
    script = Script(calls=[FailedCalls(method="CreateTask", after=1, times=2, status="RESOURCE_EXHAUSTED")])
    for _ in range(2):
        world.cloud.script = script
        world.create_task()
        for _ in range(2):
            with pytest.raises(exceptions.ResourceExhausted):
                world.create_task()
        world.create_task()


def test_a_share_of_calls_fails(world: World) -> None:
    world.cloud.script = Script(calls=[FailedCalls(method="CreateTask", times=None, of_calls=0.5)], seed=1)
    failed = 0
    for _ in range(40):
        try:
            world.create_task()
        except exceptions.ServiceUnavailable:
            failed += 1
    assert 8 <= failed <= 32


def update(world: World, schedule: str) -> scheduler_v1.Job:
    request: Any = {"job": {"name": DAILY, "schedule": schedule}, "update_mask": {"paths": ["schedule"]}}
    return world.jobs.update_job(request=request)


def test_an_update_that_fails_half_way_leaves_a_job_that_only_another_update_repairs(world: World) -> None:
    world.create_job()
    world.cloud.script = Script(calls=[FailedCalls(method="UpdateJob", landed=Landed.UPDATE_FAILED)])
    with pytest.raises(exceptions.ServiceUnavailable):
        update(world, "0 20 * * *")
    job = world.jobs.get_job(name=DAILY)
    assert (job.state, job.schedule) == (scheduler_v1.Job.State.UPDATE_FAILED, "0 18 * * *")
    for call in (world.jobs.pause_job, world.jobs.resume_job):
        with pytest.raises(exceptions.FailedPrecondition, match="is UPDATE_FAILED"):
            call(name=DAILY)
    world.cloud.run_until(NOON + timedelta(hours=7))
    assert world.function.received == []
    assert update(world, "0 20 * * *").state == scheduler_v1.Job.State.ENABLED
    world.cloud.run_until(NOON + timedelta(hours=8))
    assert minutes(world) == [480]


def test_a_share_of_deliveries_lies_between_none_and_all() -> None:
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        Share(fault=LoseResponse(), of_deliveries=1.5)
