"""Tasks and schedules on Google Cloud: what is sent, where calls fail, and where people change jobs by hand."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud import scheduler_v1, tasks_v2
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from functions.domain.errors import Conflict, Misconfigured, Transient
from functions.gcp.scheduler import CloudSchedules
from functions.gcp.tasks import CloudTaskQueue
from functions.ports.queue import ScheduledJob, Task
from functions.settings import CloudSettings
from local.embedded.clock import VirtualClock
from local.standins.cloud_tasks import CloudEmulator, FailedCalls, Landed, Script
from tests.google_cloud import cloud_project

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PASSING = ["UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "RESOURCE_EXHAUSTED", "ABORTED", "UNKNOWN"]
TASK = Task(name="a1b2-step", function="send_push", body={"größe": "👟"}, at=NOON + timedelta(hours=1))
DAILY = ScheduledJob(
    name="tminus-daily", cron="0 18 * * *", zone="Europe/Berlin", function="launch", body={"id": "é"}
)


class Project:
    """A project on the emulator: our adapters, and Google's clients for what people do by hand."""

    def __init__(self, cloud: CloudEmulator, settings: CloudSettings, channel: Any) -> None:
        self.cloud, self.settings = cloud, settings
        self._tasks = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        self.by_hand = scheduler_v1.CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=channel))
        self.tasks = self.tasks_with(settings)
        self.schedules = CloudSchedules(self.by_hand, settings)
        self.location = f"projects/{settings.project}/locations/{settings.location}"

    def tasks_with(self, settings: CloudSettings) -> CloudTaskQueue:
        return CloudTaskQueue(self._tasks, settings, VirtualClock(NOON))

    def fail(self, *calls: FailedCalls) -> None:
        self.cloud.script = Script(calls=calls)

    def queued(self, queue: str) -> list[tasks_v2.Task]:
        request = tasks_v2.ListTasksRequest(
            parent=f"{self.location}/queues/{queue}", response_view=tasks_v2.Task.View.FULL
        )
        return list(self._tasks.list_tasks(request))

    def job(self, name: str = DAILY.name) -> scheduler_v1.Job:
        return self.by_hand.get_job(name=f"{self.location}/jobs/{name}")

    def edit(self, **fields: Any) -> None:
        """Change fields of the job by hand; those of its target are named `http_target.uri` and so on."""
        job = self.job()
        for path, value in fields.items():
            *parents, name = path.split("__")
            place: Any = job
            for parent in parents:
                place = getattr(place, parent)
            setattr(place, name, value)
        self.by_hand.update_job(job=job)


def test_a_task_carries_its_trace_in_a_header(project: Project) -> None:
    project.tasks.add(replace(TASK, trace="a" * 32))
    project.tasks.add(replace(TASK, name="b-step"))
    first, second = (dict(task.http_request.headers) for task in project.queued(project.settings.task_queue))
    assert first["traceparent"].startswith(f"00-{'a' * 32}-")
    assert "traceparent" not in second


@pytest.fixture
def project(emulators: Mapping[str, str], tmp_path: Path) -> Iterator[Project]:
    assert emulators
    with (
        cloud_project(tmp_path, VirtualClock(NOON)) as (cloud, settings),
        grpc.insecure_channel(cloud.host) as channel,
    ):
        yield Project(cloud, settings, channel)


@contextmanager
def hurried() -> Iterator[None]:
    """Let the adapters give up almost at once. What has to succeed is outside, however slow the machine is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("functions.gcp.tasks._PATIENCE_SECONDS", 0.2)
        patch.setattr("functions.gcp.scheduler._PATIENCE_SECONDS", 0.2)
        yield


# Tasks


def test_a_task_calls_its_function_with_an_id_token_made_out_to_it(project: Project) -> None:
    assert project.tasks.add(TASK)
    [task] = project.queued(project.settings.task_queue)
    call = task.http_request
    assert (call.url, call.http_method) == ("https://tminus-send-push.example", tasks_v2.HttpMethod.POST)
    assert call.headers["Content-Type"] == "application/json"
    assert json.loads(call.body) == TASK.body
    assert call.oidc_token.audience == call.url
    assert call.oidc_token.service_account_email == project.settings.task_caller
    assert (task.schedule_time, task.dispatch_deadline) == (TASK.at, timedelta(minutes=10))


def test_shards_have_a_queue_of_their_own(project: Project) -> None:
    steps = ["build_audience", "send_test", "checkpoint", "send_push", "finish"]
    for function in [*steps, "send_shard"]:
        assert project.tasks.add(replace(TASK, name=f"t-{function}", function=function))
    urls = {
        queue: sorted(task.http_request.url for task in project.queued(queue))
        for queue in (project.settings.task_queue, project.settings.shard_queue)
    }
    assert urls[project.settings.shard_queue] == ["https://tminus-send-shard.example"]
    assert urls[project.settings.task_queue] == sorted(project.settings.url_of(step) for step in steps)


@pytest.mark.parametrize("landed", [Landed.ALL, Landed.NOTHING])
@pytest.mark.parametrize("status", PASSING)
def test_a_task_whose_creation_fails_is_there_once_and_is_ours(status: str, landed: Landed, project: Project) -> None:
    project.fail(FailedCalls(method="CreateTask", status=status, landed=landed))
    assert project.tasks.add(TASK)
    assert len(project.queued(project.settings.task_queue)) == 1
    assert not project.tasks.add(replace(TASK, body={}))
    assert len(project.queued(project.settings.task_queue)) == 1


@pytest.mark.parametrize(("function", "setting"), [("finish", "TASK_QUEUE"), ("send_shard", "SHARD_QUEUE")])
@pytest.mark.parametrize("status", ["PERMISSION_DENIED", "UNAUTHENTICATED", "FAILED_PRECONDITION"])
def test_a_queue_that_refuses_a_task_is_named(status: str, function: str, setting: str, project: Project) -> None:
    project.fail(FailedCalls(method="CreateTask", status=status, times=None))
    with pytest.raises(Misconfigured, match=f"{setting}: Cloud Tasks refuses"):
        project.tasks.add(replace(TASK, function=function))


def test_a_queue_that_does_not_exist_is_named(project: Project) -> None:
    tasks = project.tasks_with(replace(project.settings, shard_queue="nowhere"))
    with pytest.raises(Misconfigured, match=r"SHARD_QUEUE: Cloud Tasks refuses.*nowhere"):
        tasks.add(replace(TASK, function="send_shard"))


# Schedules

JOBS: dict[str, Callable[[Project], object]] = {
    "put": lambda project: project.schedules.put(DAILY),
    "delete": lambda project: project.schedules.delete(DAILY.name),
    "all": lambda project: project.schedules.all(),
}
METHODS = ("CreateJob", "UpdateJob", "GetJob", "ResumeJob", "DeleteJob", "ListJobs")


def test_a_job_calls_its_function_with_an_id_token_made_out_to_it(project: Project) -> None:
    project.schedules.put(DAILY)
    job = project.job()
    call = job.http_target
    assert (call.uri, call.http_method) == ("https://tminus-launch.example", scheduler_v1.HttpMethod.POST)
    assert json.loads(call.body) == DAILY.body
    assert call.oidc_token.audience == call.uri
    assert call.oidc_token.service_account_email == project.settings.scheduler_caller
    assert job.retry_config.retry_count == 5


@pytest.mark.parametrize("landed", [Landed.ALL, Landed.NOTHING])
@pytest.mark.parametrize("status", ["UNAVAILABLE", "INTERNAL"])
@pytest.mark.parametrize("method", ["CreateJob", "UpdateJob", "GetJob", "ResumeJob"])
def test_a_job_is_put_whatever_fails(method: str, status: str, landed: Landed, project: Project) -> None:
    if method != "CreateJob":
        project.schedules.put(replace(DAILY, cron="7 7 * * *"))
        project.by_hand.pause_job(name=project.job().name)
    project.fail(FailedCalls(method=method, status=status, landed=landed))
    project.schedules.put(DAILY)
    assert project.schedules.all() == [DAILY]


@pytest.mark.parametrize("landed", [Landed.ALL, Landed.NOTHING])
@pytest.mark.parametrize("method", ["DeleteJob", "ListJobs"])
def test_a_job_is_deleted_and_listed_whatever_fails(method: str, landed: Landed, project: Project) -> None:
    project.schedules.put(DAILY)
    project.fail(FailedCalls(method=method, landed=landed, times=2))
    project.schedules.delete(DAILY.name)
    assert project.schedules.all() == []


@pytest.mark.parametrize("times", [1, 2])
def test_a_put_after_an_update_that_failed_halfway_leaves_the_job_enabled_and_right(
    times: int, project: Project
) -> None:
    project.schedules.put(replace(DAILY, cron="7 7 * * *"))
    project.fail(FailedCalls(method="UpdateJob", landed=Landed.UPDATE_FAILED, times=times))
    project.schedules.put(DAILY)
    assert project.job().state == scheduler_v1.Job.State.ENABLED
    assert project.schedules.all() == [DAILY]


def test_a_job_whose_update_keeps_failing_halfway_is_shown_as_stopped_until_a_put_succeeds(project: Project) -> None:
    project.schedules.put(DAILY)
    project.fail(FailedCalls(method="UpdateJob", landed=Landed.UPDATE_FAILED, times=None))
    with hurried(), pytest.raises(Transient, match="Cloud Scheduler"):
        project.schedules.put(DAILY)
    assert project.schedules.all() == [replace(DAILY, enabled=False)]
    project.fail()
    project.schedules.put(DAILY)
    assert project.schedules.all() == [DAILY]


def test_a_job_that_is_paused_all_the_time_is_a_conflict(project: Project) -> None:
    project.schedules.put(DAILY)
    project.by_hand.pause_job(name=project.job().name)
    project.fail(FailedCalls(method="ResumeJob", status="FAILED_PRECONDITION", times=None))
    with pytest.raises(Conflict, match="tminus-daily changes while"):
        project.schedules.put(DAILY)


def test_a_job_that_was_paused_by_hand_is_shown_as_stopped_and_a_put_lets_it_run(project: Project) -> None:
    project.schedules.put(DAILY)
    project.by_hand.pause_job(name=project.job().name)
    assert project.schedules.all() == [replace(DAILY, enabled=False)]
    project.schedules.put(DAILY)
    assert project.schedules.all() == [DAILY]


EDITS: list[dict[str, Any]] = [
    {"schedule": "1 18 * * *"},
    {"time_zone": "Asia/Tokyo"},
    {"http_target__uri": "https://tminus-finish.example"},
    {"http_target__uri": "https://elsewhere.example"},
    {"http_target__body": b""},
    {"http_target__body": b"{"},
    {"http_target__body": b"\xff"},
    {"http_target__body": b"[1]"},
    {"http_target__body": b"null"},
    {"http_target__body": b'{"id": "other"}'},
    {"http_target__oidc_token": None},
    {"http_target__oidc_token__audience": "https://elsewhere.example"},
    {"http_target__oidc_token__service_account_email": "stranger@example.com"},
]


@pytest.mark.parametrize("edit", EDITS, ids=str)
def test_a_job_that_was_edited_by_hand_is_not_as_it_was_put_until_it_is_put_again(
    edit: dict[str, Any], project: Project
) -> None:
    project.schedules.put(DAILY)
    project.edit(**edit)
    assert DAILY not in project.schedules.all()
    project.schedules.put(DAILY)
    assert project.schedules.all() == [DAILY]


def test_what_does_not_matter_may_be_edited(project: Project) -> None:
    project.schedules.put(DAILY)
    project.edit(description="do not touch")
    assert project.schedules.all() == [DAILY]


def test_jobs_of_others_are_left_alone(project: Project) -> None:
    target = scheduler_v1.HttpTarget(uri="https://other.example/launch", body=b"not ours")
    theirs = scheduler_v1.Job(
        name=f"{project.location}/jobs/theirs", schedule="* * * * *", time_zone="UTC", http_target=target
    )
    project.by_hand.create_job(parent=project.location, job=theirs)
    before = project.job("theirs")
    project.schedules.put(DAILY)
    assert project.schedules.all() == [DAILY]
    project.schedules.delete(DAILY.name)
    assert project.job("theirs") == before


# Trouble that does not pass


@pytest.mark.parametrize("status", ["UNAVAILABLE", "ABORTED"])
@pytest.mark.parametrize("call", ["add", *JOBS])
def test_trouble_that_lasts_is_transient_after_a_while(call: str, status: str, project: Project) -> None:
    project.schedules.put(DAILY)
    project.fail(*(FailedCalls(method=method, status=status, times=None) for method in ("CreateTask", *METHODS)))
    with hurried(), pytest.raises(Transient, match="Cloud Tasks" if call == "add" else "Cloud Scheduler"):
        JOBS[call](project) if call in JOBS else project.tasks.add(TASK)


@pytest.mark.parametrize("status", ["PERMISSION_DENIED", "UNAUTHENTICATED", "OUT_OF_RANGE"])
@pytest.mark.parametrize("call", JOBS)
def test_a_scheduler_that_refuses_names_the_setting(call: str, status: str, project: Project) -> None:
    project.fail(*(FailedCalls(method=method, status=status, times=None) for method in METHODS))
    with pytest.raises(Misconfigured, match="GOOGLE_CLOUD_LOCATION: Cloud Scheduler refuses"):
        JOBS[call](project)
