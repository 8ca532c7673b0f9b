"""The emulator's jobs, seen by the real client of Cloud Scheduler."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import scheduler_v1

from tests.cloud import LOCATION, NOON, Answer, World

SIX = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DAILY = f"{LOCATION}/jobs/daily"
State = scheduler_v1.Job.State


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as entered:
        yield entered


def update(world: World, paths: list[str], **fields: Any) -> scheduler_v1.Job:
    request: Any = {"job": {"name": DAILY, **fields}, "update_mask": {"paths": paths}}
    return world.jobs.update_job(request=request)


def fires(world: World) -> list[datetime]:
    return [got.at for got in world.function.received]


def test_a_job_fires_at_its_time_with_the_headers_of_cloud_scheduler(world: World) -> None:
    world.create_job(http_target={"headers": {"X-CloudScheduler-JobName": "forged", "X-Mine": "1"}, "body": b"{}"})
    world.cloud.run_until(SIX)
    [got] = world.function.received
    sent = {name.lower(): value for name, value in got.headers.items()}
    del sent["host"], sent["accept-encoding"]
    assert (got.method, got.path, got.body, got.at) == ("POST", "/daily", b"{}", SIX)
    assert sent == {
        "content-length": "2",
        "content-type": "application/octet-stream",
        "user-agent": "Google-Cloud-Scheduler",
        "x-mine": "1",
        "x-cloudscheduler": "true",
        "x-cloudscheduler-jobname": "daily",
        "x-cloudscheduler-scheduletime": "2026-11-23T18:00:00Z",
    }


def test_a_job_fires_by_the_wall_clock_of_its_zone_and_says_so_in_its_schedule_time(world: World) -> None:
    world.create_job(time_zone="America/New_York")
    world.cloud.run_until(NOON + DAY)
    [got] = world.function.received
    assert got.at == datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    assert got.headers["X-CloudScheduler-ScheduleTime"] == "2026-11-23T18:00:00-05:00"


def test_a_job_tells_its_defaults_and_when_it_fires_next(world: World) -> None:
    job = world.create_job()
    retry = job.retry_config
    assert (job.state, job.time_zone, job.schedule_time, job.user_update_time) == (State.ENABLED, "UTC", SIX, NOON)
    assert job.attempt_deadline == timedelta(minutes=3)
    assert (retry.retry_count, retry.max_doublings) == (0, 5)
    assert (retry.min_backoff_duration, retry.max_backoff_duration) == (timedelta(seconds=5), timedelta(hours=1))
    assert world.jobs.get_job(name=DAILY) == job


def test_a_job_tells_of_its_last_attempt(world: World) -> None:
    world.create_job()
    world.function.react = lambda _: Answer(status=403)
    world.cloud.run_until(SIX)
    job = world.jobs.get_job(name=DAILY)
    assert (job.last_attempt_time, job.schedule_time) == (SIX, SIX + DAY)
    assert (job.status.code, job.status.message) == (7, "HTTP status code 403")
    world.function.react = lambda _: Answer()
    world.cloud.run_until(SIX + DAY)
    assert world.jobs.get_job(name=DAILY).status.code == 0


def test_a_failed_fire_is_retried_as_often_as_the_job_says_with_the_same_schedule_time(world: World) -> None:
    world.create_job(retry_config={"retry_count": 3, "min_backoff_duration": timedelta(seconds=10)})
    world.function.react = lambda _: Answer(status=503)
    world.cloud.run_until(SIX + timedelta(hours=1))
    assert [(at - SIX).total_seconds() for at in fires(world)] == [0, 10, 30, 70]
    times = {got.headers["X-CloudScheduler-ScheduleTime"] for got in world.function.received}
    assert times == {"2026-11-23T18:00:00Z"}


def test_a_failed_fire_of_a_job_without_retries_waits_for_the_next_time(world: World) -> None:
    world.create_job()
    world.function.react = lambda _: Answer(status=503)
    world.cloud.run_until(SIX + DAY)
    assert fires(world) == [SIX, SIX + DAY]


def test_retries_end_where_the_next_fire_begins(world: World) -> None:
    world.create_job(
        schedule="* * * * *", retry_config={"retry_count": 5, "min_backoff_duration": timedelta(seconds=40)}
    )
    world.function.react = lambda _: Answer(status=503)
    world.cloud.run_until(NOON + timedelta(minutes=2))
    assert [(at - NOON).total_seconds() for at in fires(world)] == [60, 100, 120]


def test_an_update_changes_the_fields_of_its_mask_alone(world: World) -> None:
    world.create_job(description="old", time_zone="America/New_York")
    job = update(world, ["schedule", "http_target.body"], schedule="0 6 * * *", http_target={"body": b"new"})
    assert (job.description, job.time_zone, job.schedule) == ("old", "America/New_York", "0 6 * * *")
    world.cloud.run_until(NOON + DAY)
    assert [(got.body, got.at) for got in world.function.received] == [(b"new", NOON + timedelta(hours=23))]


def test_an_update_of_a_job_that_is_not_there_is_not_found(world: World) -> None:
    with pytest.raises(exceptions.NotFound):
        update(world, ["schedule"], schedule="0 6 * * *")


def test_a_paused_job_does_not_fire_and_goes_on_at_its_next_time_after_it_is_resumed(world: World) -> None:
    world.create_job()
    assert world.jobs.pause_job(name=DAILY).state == State.PAUSED
    world.cloud.run_until(SIX + timedelta(hours=1))
    assert update(world, ["schedule"], schedule="0 18,20 * * *").state == State.PAUSED
    world.cloud.run_until(SIX + timedelta(hours=3))
    assert fires(world) == []
    job = world.jobs.resume_job(name=DAILY)
    assert (job.state, job.schedule_time) == (State.ENABLED, SIX + DAY)
    world.cloud.run_until(SIX + DAY)
    assert fires(world) == [SIX + DAY]


def test_only_an_enabled_job_is_paused_and_only_a_paused_one_resumed(world: World) -> None:
    world.create_job()
    with pytest.raises(exceptions.FailedPrecondition, match="is ENABLED; it must be PAUSED"):
        world.jobs.resume_job(name=DAILY)
    world.jobs.pause_job(name=DAILY)
    with pytest.raises(exceptions.FailedPrecondition, match="is PAUSED; it must be ENABLED"):
        world.jobs.pause_job(name=DAILY)


def test_a_job_run_by_hand_calls_its_target_without_a_schedule_time_and_keeps_its_schedule(world: World) -> None:
    world.create_job()
    world.jobs.pause_job(name=DAILY)
    world.jobs.run_job(name=DAILY)
    world.cloud.run_until(NOON)
    [got] = world.function.received
    assert got.headers["X-CloudScheduler"] == "true"
    assert "X-CloudScheduler-ScheduleTime" not in got.headers
    assert world.jobs.get_job(name=DAILY).last_attempt_time == NOON
    world.jobs.resume_job(name=DAILY)
    world.cloud.run_until(SIX)
    assert fires(world) == [NOON, SIX]


def test_a_deleted_job_fires_no_more_and_its_name_is_free(world: World) -> None:
    world.create_job()
    world.jobs.delete_job(name=DAILY)
    for call in (world.jobs.get_job, world.jobs.delete_job, world.jobs.pause_job, world.jobs.run_job):
        with pytest.raises(exceptions.NotFound):
            call(name=DAILY)
    world.cloud.run_until(SIX)
    assert fires(world) == []
    world.create_job()


def test_jobs_are_listed_page_by_page_in_order_of_their_names(world: World) -> None:
    for job_id in ("c", "a", "b"):
        world.create_job(job_id)
    pages = list(world.jobs.list_jobs(request={"parent": LOCATION, "page_size": 2}).pages)
    assert [[job.name.rpartition("/")[2] for job in page.jobs] for page in pages] == [["a", "b"], ["c"]]


def test_a_job_that_exists_is_not_created_again_and_one_without_a_name_gets_one(world: World) -> None:
    world.create_job()
    with pytest.raises(exceptions.AlreadyExists):
        world.create_job()
    job: Any = {"schedule": "0 18 * * *", "http_target": {"uri": world.function.url}}
    assert world.jobs.create_job(parent=LOCATION, job=job).name.startswith(f"{LOCATION}/jobs/")


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule": "every day"},
        {"schedule": "61 * * * *"},
        {"schedule": ""},
        {"time_zone": "Mars/Olympus"},
        {"attempt_deadline": timedelta(seconds=14)},
        {"attempt_deadline": timedelta(minutes=31)},
        {"retry_config": {"retry_count": 6}},
        {"http_target": {"uri": "example.com"}},
        {"http_target": None, "pubsub_target": {"topic_name": "projects/demo/topics/t"}},
        {"name": f"{LOCATION}/jobs/sp ace"},
        {"name": "projects/other/locations/europe-west1/jobs/daily"},
        {"description": "x" * 501},
    ],
)
def test_a_wrong_job_is_an_invalid_argument(world: World, wrong: dict[str, Any]) -> None:
    given = {"name": DAILY, "schedule": "0 18 * * *", "http_target": {"uri": "http://example.com"}} | wrong
    job: Any = {key: value for key, value in given.items() if value is not None}
    with pytest.raises(exceptions.InvalidArgument):
        world.jobs.create_job(parent=LOCATION, job=job)
    assert list(world.jobs.list_jobs(parent=LOCATION)) == []
