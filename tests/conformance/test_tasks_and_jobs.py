"""Tasks and scheduler jobs as the adapters send them, against the documents of Cloud Tasks and Cloud Scheduler."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.cloud import scheduler_v1, tasks_v2
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from hypothesis import given
from hypothesis import strategies as st

from functions.gcp.scheduler import CloudSchedules
from functions.gcp.tasks import CloudTaskQueue
from functions.ports.queue import ScheduledJob, Task
from functions.settings import CloudSettings
from local.embedded.clock import VirtualClock
from local.standins.cloud_tasks import CloudEmulator
from tests.conformance.discovery import document
from tests.conformance.recorded import RecordedCalls
from tests.examples import examples

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PLACE = "projects/demo/locations/europe-west1"
SETTINGS = CloudSettings(
    project="demo",
    location="europe-west1",
    function_url="https://tminus-{function}-1.europe-west1.run.app",
    bucket="demo-audiences",
    task_caller="tminus-task-caller@demo.iam.gserviceaccount.com",
    scheduler_caller="tminus-scheduler-caller@demo.iam.gserviceaccount.com",
)
TASKS, SCHEDULER = document("cloudtasks", "v2"), document("cloudscheduler", "v1")
DAILY = ScheduledJob(name="daily", cron="0 18 * * *", zone="Europe/Berlin", function="launch", body={"größe": "👟"})


class Recorded:
    """The adapters before the emulator, and what they have sent."""

    def __init__(self, channel: Any) -> None:
        self.calls = RecordedCalls()
        recorded = grpc.intercept_channel(channel, self.calls)
        self.client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=recorded))
        self.tasks = CloudTaskQueue(self.client, SETTINGS, VirtualClock(NOON))
        jobs = scheduler_v1.CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=recorded))
        self.schedules = CloudSchedules(jobs, SETTINGS)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    folder = tmp_path_factory.mktemp("cloud")
    with CloudEmulator(folder, VirtualClock(NOON)) as cloud, grpc.insecure_channel(cloud.host) as channel:
        made = Recorded(channel)
        for name in (SETTINGS.task_queue, SETTINGS.shard_queue, SETTINGS.alert_queue):
            made.client.create_queue(parent=PLACE, queue=tasks_v2.Queue(name=f"{PLACE}/queues/{name}"))
        yield made


def faults_of_the_last_task(recorded: Recorded) -> list[str]:
    request = recorded.calls.of("CreateTask")[-1]
    return TASKS.request_faults("POST", f"https://any/v2/{request.pop('parent')}/tasks", request)


@pytest.mark.parametrize("function", ["build_audience", "send_push", "send_shard", "send_alert"])
def test_a_task_of_each_queue_has_no_fault(recorded: Recorded, function: str) -> None:
    body = {"executionId": "daily_20261123T180000Z", "push": 1, "shard": 2}
    assert recorded.tasks.add(Task(name=f"one-{function}", function=function, body=body, at=NOON))
    assert faults_of_the_last_task(recorded) == []


@examples(80, few=12)
@given(
    name=st.from_regex(r"[A-Za-z0-9_-]{1,500}", fullmatch=True),
    body=st.dictionaries(st.text(max_size=9), st.text(max_size=40) | st.integers() | st.none(), max_size=9),
    ahead=st.timedeltas(timedelta(0), timedelta(days=30)),
)
def test_no_name_body_or_time_of_a_task_makes_a_fault(
    recorded: Recorded, name: str, body: dict[str, Any], ahead: timedelta
) -> None:
    recorded.tasks.add(Task(name=name, function="send_push", body=body, at=NOON + ahead))
    assert faults_of_the_last_task(recorded) == []


def test_jobs_are_created_updated_resumed_listed_and_deleted_without_a_fault(recorded: Recorded) -> None:
    recorded.schedules.put(DAILY)
    recorded.schedules.put(replace(DAILY, cron="30 7 * * 1", body={}))
    assert [job.cron for job in recorded.schedules.all()] == ["30 7 * * 1"]
    recorded.schedules.delete("daily")
    [created], [updated] = recorded.calls.of("CreateJob"), recorded.calls.of("UpdateJob")
    assert SCHEDULER.request_faults("POST", f"https://any/v1/{created['parent']}/jobs", created["job"]) == []
    assert SCHEDULER.request_faults("PATCH", f"https://any/v1/{updated['job']['name']}", updated["job"]) == []
    assert {name for name, _ in recorded.calls.sent} >= {"GetJob", "ListJobs", "DeleteJob"}
