"""The process that serves the functions, killed in the middle of a request to each of them and started again."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from functions import bootstrap
from functions.domain.instants import stamp
from functions.handlers.http.as_json import as_json
from functions.settings import Platform, Settings
from functions.usecases.recipes.save import save_recipe
from functions.usecases.reports.execution import report
from local.embedded.clock import FastClock
from local.embedded.outbox import OutboxSender, OutcomeScript
from local.embedded.system import RECONCILE_JOB
from local.runtime.emulated import Emulated
from local.runtime.emulators import free_port
from local.runtime.recipe_files import read_recipe_file
from local.runtime.served import Served
from local.sample import generate
from local.standins.cloud_tasks import CloudEmulator
from local.standins.cloud_tasks.project import make_project
from local.standins.fcm import FakeFcm, Script, answers

pytestmark = [pytest.mark.slow, pytest.mark.long]

ROOT = Path(__file__).parents[2]
SPEED = 20.0
BEGIN_AT = datetime(2026, 5, 4, 22, 18, tzinfo=UTC)
EXECUTION = "sneaker-reactivation_20260504T223000Z"
KILLED_AFTER_SECONDS = {
    "launch": 0.02,
    "build-audience": 0.4,
    "send-test": 0.03,
    "checkpoint": 0.01,
    "send-push": 0.03,
    "send-shard": 0.15,
    "finish": 0.05,
    "reconcile": 0.02,
}
"""How long each function works on its first request before its process is killed."""
PATIENCE_SECONDS = 360.0


class Worker:
    """The process behind the front; `kill` ends it at once, and another takes its place."""

    def __init__(self, port: int, clock: FastClock, environment: Mapping[str, str]) -> None:
        self._port, self._clock = port, clock
        self._environment = {**os.environ, **environment}
        self._changing = threading.Lock()
        self._start()

    def _start(self) -> None:
        arguments = [str(self._port), str(SPEED), str(stamp(self._clock.now())), str(time.monotonic())]
        command = [sys.executable, "-m", "tests.functional.functions_worker", *arguments]
        self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment)

    def wait_until_it_listens(self) -> None:
        """Return once it takes requests."""
        for _ in range(int(PATIENCE_SECONDS / 0.05)):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self._port), timeout=5).close()
                return
            time.sleep(0.05)

    def kill(self) -> None:
        """End the process by SIGKILL and start another."""
        with self._changing:
            self.end()
            self._start()
            self.wait_until_it_listens()

    def end(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(timeout=PATIENCE_SECONDS)


class Front:
    """Passes requests on to the worker, and kills it in the middle of the first one to each function."""

    def __init__(self, worker_port: int) -> None:
        self.worker: Worker
        self.killed: list[str] = []
        self._to_kill = dict(KILLED_AFTER_SECONDS)
        self._worker_url = f"http://127.0.0.1:{worker_port}"

    def pass_on(self, function: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Return the worker's status, headers and body; 502 where it is gone."""
        seconds = self._to_kill.pop(function, None)
        if seconds is not None:
            self.killed.append(function)
            threading.Timer(seconds, self.worker.kill).start()
        kept = {name: value for name, value in headers.items() if name.lower() not in ("host", "connection")}
        request = urllib.request.Request(f"{self._worker_url}/{function}", data=body, headers=kept)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, dict(answer.headers), answer.read()
        except OSError:
            return 502, {}, b""


def listening(front: Front, port: int) -> Served:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            status, headers, content = front.pass_on(self.path.strip("/"), dict(self.headers), body)
            self.send_response(status)
            if "Retry-After" in headers:
                self.send_header("Retry-After", headers["Retry-After"])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    return Served(ThreadingHTTPServer(("127.0.0.1", port), Handler))


def short_recipe() -> dict[str, Any]:
    """The sample recipe with a lead time of six minutes, which goes live although a killed test is unknown."""
    document = read_recipe_file(ROOT / "local" / "recipes" / "sneaker-reactivation.json")
    document["schedule"]["leadTimeMinutes"] = 6
    document["settings"]["cancellationWindowMinutes"] = 5
    document["settings"]["maxLatenessMinutes"] = 720  # the clock runs on at its speed, however slow the machine is
    document["settings"]["safeguards"]["requireTestFirst"] = False
    return document


@pytest.fixture
def data(tmp_path: Path) -> Path:
    generate(tmp_path / "data", users=3_000, seed=1, at=BEGIN_AT)
    return tmp_path / "data"


def test_a_kill_in_the_middle_of_every_function_repeats_no_message(
    emulators: Mapping[str, str], data: Path, tmp_path: Path
) -> None:
    del emulators
    clock, port, worker_port = FastClock(SPEED, BEGIN_AT), free_port(), free_port()
    front = Front(worker_port)
    with ExitStack() as stack:
        name = f"demo-kill-{port}"
        fcm = stack.enter_context(FakeFcm(project=name, script=Script(default=answers.SENT.after(0.05))))
        cloud = stack.enter_context(CloudEmulator(tmp_path / "cloud", clock))
        stack.enter_context(listening(front, port))
        project = make_project(name, cloud, f"http://127.0.0.1:{port}/{{function}}")
        settings = Settings(platform=Platform.GOOGLE_CLOUD, cloud=project, user_data_dir=data)
        ports = bootstrap.google_cloud(settings, clock, OutboxSender(tmp_path / "none", clock, OutcomeScript()))
        running = Emulated(ports=ports, cloud=cloud, settings=project, url="")
        environment = {
            **running.variables,
            "USER_DATA_DIR": str(data),
            "PUSH_SENDER": "fcm",
            "FCM_ENDPOINT": fcm.endpoint,
            "FCM_CA_FILE": str(fcm.ca_file),
            "FCM_CREDENTIALS_FILE": str(fcm.service_account_file),
        }
        front.worker = Worker(worker_port, clock, environment)
        stack.callback(front.worker.end)
        front.worker.wait_until_it_listens()
        ports.schedules.put(RECONCILE_JOB)
        save_recipe(ports, short_recipe(), by="growth@example.com")
        for _ in range(int(PATIENCE_SECONDS / 0.25)):
            execution = ports.executions.get(EXECUTION)
            if execution is not None and execution.cleaned:
                break
            time.sleep(0.25)
        told = as_json(report(ports, EXECUTION))
    counts = Counter((each.token, each.body["message"]["android"]["notification"]["tag"]) for each in fcm.requests)
    assert told["status"] == "completed", [each["message"] for each in told["violations"]]
    assert set(front.killed) >= set(KILLED_AFTER_SECONDS) - {"reconcile"}
    assert max(counts.values()) == 1
    for push in told["pushes"]:
        parts = push["sent"] + push["failed"] + push["unknown"] + push["notReached"]
        assert push["audienceSize"] == sum(push["excluded"].values()) + parts
