"""Cloud Tasks and Cloud Scheduler on this machine, for the real client libraries."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.embedded.agenda import Work
from local.embedded.clock import VirtualClock, WaitableClock
from local.embedded.database import Database
from local.embedded.dispatcher import Driver
from local.runtime.state_lock import locked
from local.standins.cloud_tasks.access import Access
from local.standins.cloud_tasks.agenda import CloudAgenda
from local.standins.cloud_tasks.caller import Caller, Request
from local.standins.cloud_tasks.certificates import CertificateServer
from local.standins.cloud_tasks.fault_plan import FaultPlan
from local.standins.cloud_tasks.oidc import OidcKey
from local.standins.cloud_tasks.queues import Queues
from local.standins.cloud_tasks.rpc import GrpcServer
from local.standins.cloud_tasks.scheduler_service import CloudScheduler
from local.standins.cloud_tasks.schedules import EmulatedSchedules
from local.standins.cloud_tasks.script import Script
from local.standins.cloud_tasks.services import services
from local.standins.cloud_tasks.tasks_service import CloudTasks
from local.standins.grants import NOTHING, Grants

_log = logging.getLogger(__name__)
_AS_IT_SHOULD = Script()
_WORKERS = 64
_THREADS = 8
"""Threads for the calls of one account."""


class CloudEmulator:
    """Serves inside its context; every member is thread-safe.

    A client reaches it through an insecure gRPC channel to `host`. On a real or fast clock, `workers` threads deliver
    tasks and jobs when they are due; on a virtual clock, only `run_until` and `drain` do. The state is in `folder`
    and survives a kill: tasks that were running then are delivered again.

    Entering raises BadInput if another process uses the folder, RuntimeError or OSError if one uses a port. Leaving
    gives running calls four seconds, and raises RuntimeError if the emulator itself crashed, so that no test passes
    on half an answer.

    With `grants`, each of their accounts has an address of its own, `host_of`, at which it may call what it is
    granted; callers of `host` may call everything. Where it is `throttled`, queues slow down after overloads and
    after a rest, as Cloud Tasks has them do: see `Pace`.
    """

    def __init__(
        self,
        folder: Path,
        clock: WaitableClock,
        *,
        script: Script = _AS_IT_SHOULD,
        port: int = 0,
        certs_port: int = 0,
        workers: int = _WORKERS,
        grants: Grants = NOTHING,
        throttled: bool = False,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._plan = FaultPlan(script)
        self._wanted_ports = (port, certs_port)
        self._workers = workers
        self._grants = grants
        self._throttled = throttled
        self._crashes: list[Exception] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(locked(self._folder))
            self._open(stack.enter_context(closing(Database(self._folder / "cloud.db", synchronous="NORMAL"))))
            stack.enter_context(self._certificates)
            stack.enter_context(self._server)
            for server in self._servers.values():
                stack.enter_context(server)
            if not isinstance(self._clock, VirtualClock):
                stack.enter_context(_Thread(self._serve))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, traceback)
        if self._crashes and error is None:
            raise RuntimeError(f"the emulator crashed: {self._crashes[0]!r}") from self._crashes[0]

    @property
    def host(self) -> str:
        """Host and port of both services, for `grpc.insecure_channel`."""
        return f"127.0.0.1:{self._server.port}"

    def host_of(self, account: str) -> str:
        """Return host and port of both services for an account of the grants, by its name without a domain."""
        return f"127.0.0.1:{self._servers[account].port}"

    def claims(self, token: str, audience: str) -> Mapping[str, Any] | None:
        """Return the claims of an ID token of the emulator for an audience; None if it is not valid."""
        return self._key.claims(token, audience)

    @property
    def certs_url(self) -> str:
        """The URL of the ID tokens' public key, for google.oauth2.id_token.verify_token."""
        return self._certificates.url

    @property
    def script(self) -> Script:
        """The planned faults. A new script starts with its counts at zero, from the next call and delivery on."""
        return self._plan.script

    @script.setter
    def script(self, script: Script) -> None:
        self._plan.play(script)

    @property
    def requests(self) -> Sequence[Request]:
        """The last 100,000 requests to functions since the context was entered, in the order in which they ended."""
        return self._caller.requests

    def run_until(self, at: datetime, *, scheduler: bool = True, inclusive: bool = True) -> None:
        """Deliver everything that is due up to `at`, in order of time, and leave the virtual clock at `at`.

        Without `scheduler`, deliver tasks only; without `inclusive`, nothing that is due at `at` itself. Raises
        TypeError on a clock that is not virtual.
        """
        self._driver.run_until(at, scheduler=scheduler, inclusive=inclusive)

    def drain(self, until: Callable[[], bool] | None = None) -> None:
        """Deliver tasks, each when it is due, until none is left or `until` returns True; moves the virtual clock.

        Jobs do not fire. A paused queue counts as empty. Raises TypeError on a clock that runs by itself, because
        tasks are then delivered anyway.
        """
        if not isinstance(self._clock, VirtualClock):
            raise TypeError(f"drain moves a VirtualClock, not a {type(self._clock).__name__}")
        self._driver.drain(until)

    def _open(self, database: Database) -> None:
        key = self._key = OidcKey(self._folder / "oidc.pem")
        queues = Queues(database, self._clock, self._plan.lateness, throttled=self._throttled)
        schedules = EmulatedSchedules(database, self._clock, self._plan.lateness)
        queues.recover()
        schedules.recover()
        self._agenda = CloudAgenda(queues, schedules, self._plan)
        self._caller = Caller(self._clock, key, self._plan)
        self._driver = Driver(self._agenda, self._clock, self._caller)
        tasks = CloudTasks(queues, self._clock, self._deliver_now)
        scheduler = CloudScheduler(schedules, self._clock, self._deliver_now)
        port, certs_port = self._wanted_ports
        methods = services(tasks, scheduler)
        self._server = GrpcServer(methods, self._plan, port)
        self._servers = {
            account: GrpcServer(methods, self._plan, check=Access(self._grants, account).check, threads=_THREADS)
            for account in self._grants.accounts
        }
        self._certificates = CertificateServer(key.certificates, certs_port)

    def _deliver_now(self, work: Work) -> None:
        self._agenda.hand_in(work, self._clock.now())

    def _serve(self, stop: threading.Event) -> None:
        try:
            self._driver.serve(stop, self._workers)
        except Exception as error:
            _log.exception("the emulator crashed and delivers nothing more")
            self._crashes.append(error)


class _Thread:
    """Runs a function in a thread inside its context, and stops it at the end."""

    def __init__(self, run: Callable[[threading.Event], None]) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=run, args=(self._stop,), name="cloud-dispatcher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
