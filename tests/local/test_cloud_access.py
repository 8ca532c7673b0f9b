"""The emulator's IAM, seen by the real clients: a call that Terraform does not grant is refused."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import PermissionDenied
from google.cloud import scheduler_v1, tasks_v2
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from tests.cloud import LOCATION, World
from tests.grants import deployed

TASK_CALLER = "tminus-task-caller@demo.iam.gserviceaccount.com"
SCHEDULER_CALLER = "tminus-scheduler-caller@demo.iam.gserviceaccount.com"


class Account:
    """The clients of a function, with the rights of its account."""

    def __init__(self, host: str) -> None:
        self.channel = grpc.insecure_channel(host)
        self.tasks = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=self.channel))
        transport = CloudSchedulerGrpcTransport(channel=self.channel)
        self.jobs = scheduler_v1.CloudSchedulerClient(transport=transport)

    def enqueue(self, queue: str, caller: str = TASK_CALLER) -> tasks_v2.Task:
        request: Any = {"url": "http://127.0.0.1/x", "oidc_token": {"service_account_email": caller}}
        task: Any = {"http_request": request}
        return self.tasks.create_task(parent=f"{LOCATION}/queues/{queue}", task=task)

    def schedule(self, caller: str = SCHEDULER_CALLER) -> scheduler_v1.Job:
        target: Any = {"uri": "http://127.0.0.1/x", "oidc_token": {"service_account_email": caller}}
        job: Any = {"name": f"{LOCATION}/jobs/daily", "schedule": "0 18 * * *", "http_target": target}
        return self.jobs.create_job(parent=LOCATION, job=job)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, grants=deployed("demo")) as entered:
        for queue in ("tminus-steps", "tminus-shards", "tminus-alerts"):
            entered.create_queue(queue)
        yield entered


@pytest.fixture
def function(world: World) -> Iterator[Any]:
    opened: list[Account] = []

    def of(name: str) -> Account:
        opened.append(Account(world.cloud.host_of(f"tminus-{name}")))
        return opened[-1]

    yield of
    for account in opened:
        account.channel.close()


@pytest.mark.parametrize(
    ("name", "queues"),
    [
        ("launch", {"tminus-steps", "tminus-alerts"}),
        ("send-push", {"tminus-shards", "tminus-alerts"}),
        ("send-shard", {"tminus-alerts"}),
    ],
)
def test_a_function_adds_tasks_to_its_own_queues_only(function: Any, name: str, queues: set[str]) -> None:
    account = function(name)
    for queue in ("tminus-steps", "tminus-shards", "tminus-alerts"):
        refused = pytest.raises(PermissionDenied, match=r"cloudtasks.tasks.create")
        with nullcontext() if queue in queues else refused:
            account.enqueue(queue)


def test_a_task_that_calls_as_another_account_takes_the_right_to_act_as_it(function: Any) -> None:
    with pytest.raises(PermissionDenied, match=r"iam.serviceAccounts.actAs.*tminus-scheduler-caller"):
        function("launch").enqueue("tminus-steps", SCHEDULER_CALLER)
    with pytest.raises(PermissionDenied, match=r"iam.serviceAccounts.actAs.*tminus-builder"):
        function("reconcile").schedule("tminus-builder@demo.iam.gserviceaccount.com")


def test_jobs_are_made_by_those_who_may_edit_and_removed_by_finish(function: Any) -> None:
    name = function("reconcile").schedule().name
    finish = function("finish")
    assert finish.jobs.get_job(name=name).name == name
    with pytest.raises(PermissionDenied, match=r"cloudscheduler.jobs.pause"):
        finish.jobs.pause_job(name=name)
    with pytest.raises(PermissionDenied, match=r"cloudscheduler.jobs.list"):
        list(finish.jobs.list_jobs(parent=LOCATION))
    with pytest.raises(PermissionDenied, match=r"cloudscheduler.jobs.delete"):
        function("send-shard").jobs.delete_job(name=name)
    finish.jobs.delete_job(name=name)


def test_no_function_changes_queues_or_deletes_tasks(world: World, function: Any) -> None:
    task = function("launch").enqueue("tminus-steps")
    launch = function("launch").tasks
    with pytest.raises(PermissionDenied):
        launch.delete_task(name=task.name)
    with pytest.raises(PermissionDenied):
        launch.purge_queue(name=f"{LOCATION}/queues/tminus-steps")
    world.tasks.delete_task(name=task.name)
