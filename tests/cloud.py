"""A function of ours behind HTTP, and the real clients of Cloud Tasks and Cloud Scheduler before an emulator."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

import grpc
from google.cloud import scheduler_v1, tasks_v2
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from local.embedded.clock import VirtualClock, WaitableClock
from local.runtime.served import Served
from local.standins.cloud_tasks import CloudEmulator, Script

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LOCATION = "projects/demo/locations/europe-west1"
STEPS = f"{LOCATION}/queues/steps"
LONG = 20.0
"""Seconds of real time after which a test gives up waiting."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request that the function got, and when, by the emulator's clock."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the function answers."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    never: bool = False
    """Wait until the caller hangs up."""


class Function(Served):
    """An HTTP server that remembers what it got and answers as `react` says."""

    def __init__(self, clock: WaitableClock) -> None:
        self.received: list[Received] = []
        self.arrivals: SimpleQueue[Received] = SimpleQueue()
        self.hung_up: SimpleQueue[str] = SimpleQueue()
        """The paths of requests that were answered never, once their caller hung up."""
        self.react: Callable[[Received], Answer] = lambda _: Answer()
        super().__init__(_Server(("127.0.0.1", 0), _handler(self, clock)))

    def next(self) -> Received:
        """Wait for the next request that the test has not waited for yet."""
        return self.arrivals.get(timeout=LONG)

    @property
    def paths(self) -> list[str]:
        return [received.path for received in self.received]


class _Server(ThreadingHTTPServer):
    request_queue_size = 128


class World:
    """An emulator, its clients and a function, while it is entered."""

    def __init__(
        self, folder: Path, clock: WaitableClock | None = None, script: Script | None = None, **options: Any
    ) -> None:
        self.folder = folder
        self.clock = clock or VirtualClock(NOON)
        self.function = Function(self.clock)
        self.cloud = CloudEmulator(folder, self.clock, script=script or Script(), **options)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.function)
            stack.enter_context(self.cloud)
            channel = stack.enter_context(grpc.insecure_channel(self.cloud.host))
            self.tasks = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
            self.jobs = scheduler_v1.CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=channel))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def create_queue(self, queue_id: str = "steps", **settings: Any) -> tasks_v2.Queue:
        queue: Any = {"name": f"{LOCATION}/queues/{queue_id}", **settings}
        return self.tasks.create_queue(parent=LOCATION, queue=queue)

    def create_task(
        self, task_id: str = "", at: datetime | None = None, *, queue: str = STEPS, **fields: Any
    ) -> tasks_v2.Task:
        """Create a task that posts to the path of its id."""
        request = {"url": f"{self.function.url}/{task_id}", "body": b"{}"} | fields.pop("http_request", {})
        task: Any = {"http_request": request, "schedule_time": at} | fields
        if task_id:
            task["name"] = f"{queue}/tasks/{task_id}"
        return self.tasks.create_task(parent=queue, task=task)

    def create_job(self, job_id: str = "daily", schedule: str = "0 18 * * *", **fields: Any) -> scheduler_v1.Job:
        """Create a job that posts to the path of its id."""
        target = {"uri": f"{self.function.url}/{job_id}", "body": b"{}"} | fields.pop("http_target", {})
        job: Any = {"name": f"{LOCATION}/jobs/{job_id}", "schedule": schedule, "http_target": target} | fields
        return self.jobs.create_job(parent=LOCATION, job=job)


def _handler(function: Function, clock: WaitableClock) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            received = Received(
                method=self.command, path=self.path, headers=dict(self.headers), body=body, at=clock.now()
            )
            function.received.append(received)
            function.arrivals.put(received)
            answer = function.react(received)
            if answer.never:
                self.connection.recv(1)
                function.hung_up.put(self.path)
                return
            try:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except OSError:
                """Ignore: the client does not wait for the answer any more."""

        do_GET = do_POST  # noqa: N815 - as above

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    return Handler
