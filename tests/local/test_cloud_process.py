"""The emulator keeps its state, and runs as a process of its own."""

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from functions.domain.errors import BadInput
from local.embedded.clock import RealClock, VirtualClock
from local.standins.cloud_tasks import CloudEmulator
from tests.cloud import LOCATION, LONG, NOON, STEPS, Answer, Function, World


@contextmanager
def emulator_process(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    command = [sys.executable, "-m", "local.standins.cloud_tasks", "--folder", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def create(host: str, url: str) -> None:
    """Create the queue and one task for a URL."""
    queue: Any = {"name": STEPS}
    task: Any = {"name": f"{STEPS}/tasks/a", "http_request": {"url": url, "body": b"{}"}}
    with grpc.insecure_channel(host) as channel:
        client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        client.create_queue(parent=LOCATION, queue=queue)
        client.create_task(parent=STEPS, task=task)


def test_queues_tasks_jobs_and_the_key_are_there_after_a_restart(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.create_queue(retry_config={"max_attempts": 7})
        world.create_task("done")
        world.create_task("later", NOON + timedelta(hours=1))
        world.cloud.run_until(NOON)
        world.tasks.pause_queue(name=STEPS)
        world.create_job()
        world.jobs.pause_job(name=f"{LOCATION}/jobs/daily")
        certificates = set(json.loads(fetch(world.cloud.certs_url)))
    with World(tmp_path) as again:
        queue = again.tasks.get_queue(name=STEPS)
        assert (queue.retry_config.max_attempts, queue.state) == (7, tasks_v2.Queue.State.PAUSED)
        assert [task.name for task in again.tasks.list_tasks(parent=STEPS)] == [f"{STEPS}/tasks/later"]
        with pytest.raises(exceptions.AlreadyExists):
            again.create_task("done")
        [job] = again.jobs.list_jobs(parent=LOCATION)
        assert job.state.name == "PAUSED"
        assert set(json.loads(fetch(again.cloud.certs_url))) == certificates


def fetch(url: str) -> bytes:
    return subprocess.run(
        [sys.executable, "-c", f"import urllib.request as u; print(u.urlopen({url!r}).read().decode())"],
        check=True,
        capture_output=True,
    ).stdout


def test_a_folder_is_used_by_one_emulator_at_a_time(tmp_path: Path) -> None:
    with World(tmp_path), pytest.raises(BadInput, match="is in use"):
        CloudEmulator(tmp_path, VirtualClock(NOON)).__enter__()


def read_a_torn_task(folder: Path) -> None:
    with World(folder) as world:
        world.create_queue()
        name = world.create_task("a").name
        with closing(sqlite3.connect(folder / "cloud.db")) as database, database:
            database.execute("UPDATE tasks SET body = 'torn'")
        with pytest.raises(exceptions.Unknown):
            world.tasks.get_task(name=name)


def test_an_emulator_that_crashed_says_so_when_it_is_left(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the emulator crashed: JSONDecodeError"):
        read_a_torn_task(tmp_path)


def test_a_port_is_not_shared_with_another_emulator(tmp_path: Path) -> None:
    with World(tmp_path / "a") as world:
        port = int(world.cloud.host.rpartition(":")[2])
        with pytest.raises(RuntimeError, match="bind"):
            CloudEmulator(tmp_path / "b", VirtualClock(NOON), port=port).__enter__()


@pytest.mark.long
def test_a_process_delivers_tasks_and_ends_on_a_signal(tmp_path: Path) -> None:
    options = ("--clock", "fast", "--speed", "2", "--at", "2026-11-23T12:00:00Z")
    with Function(RealClock()) as function, emulator_process(tmp_path, *options) as (process, address):
        assert set(address) == {"host", "certs_url"}
        create(address["host"], f"{function.url}/a")
        due = datetime.fromtimestamp(float(function.next().headers["X-CloudTasks-TaskETA"]), UTC)
        assert NOON <= due < NOON + timedelta(hours=1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONG) == 0


@pytest.mark.long
def test_a_task_that_was_under_way_when_the_process_was_killed_is_delivered_again_at_once(tmp_path: Path) -> None:
    with Function(RealClock()) as function:
        function.react = lambda _: Answer(never=True)
        with emulator_process(tmp_path) as (process, address):
            create(address["host"], f"{function.url}/a")
            assert function.next().headers["X-CloudTasks-TaskRetryCount"] == "0"
            process.kill()
            process.wait(LONG)
        function.react = lambda _: Answer()
        with emulator_process(tmp_path):
            assert function.next().headers["X-CloudTasks-TaskRetryCount"] == "1"
