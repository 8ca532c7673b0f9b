"""Ports that intercept every call: other workers may run first, a fault may happen, and the contract observes it.

Each call records the line of the use case that made it, and so does each injected crash. This shows at which calls
of the code a process has died, and which runs make the remaining calls.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, Protocol

from audience_jobs.errors import BadJob
from functions.domain.errors import LedgerUnreadable, QuotaExceeded, Refused, Transient
from functions.ports import Ports
from local.simulator.play.chance import Chance
from local.simulator.play.faults import INDEX, INTERRUPTIONS, JOB, OUTLIVES, PERMISSION, Rates
from local.simulator.play.refusals import Refusals
from local.simulator.play.workers import Crash, Worker
from local.simulator.proof.call_sites import Site, site_of

TAPPED = (
    "recipes",
    "audit",
    "executions",
    "shards",
    "logs",
    "violations",
    "request_keys",
    "segments",
    "ledger",
    "files",
    "tasks",
    "schedules",
    "sender",
    "devices",
    "alerts",
    "alert_store",
    "channels",
    "images",
    "engine",
)
_BEFORE = ("aborted", "unavailable", "enqueue_unavailable", "scheduler_unavailable", "storage_503", "channel_503")
_AFTER = (
    *("unavailable_after", "enqueue_unavailable_after", "scheduler_unavailable_after", "storage_412"),
    "channel_lost_answer",
)
_WAITS_SECONDS = {
    "preempt": (0, 0),
    "slow": (1, 20),
    "slow_storage": (1, 20),
    "stall": (30, 2_400),
    "channel_slow": (1, 5),
}
REFUSED = INDEX | PERMISSION
_TASK_FAULTS = ("task_late", "task_early", "task_lost")


class Floor(Protocol):
    """Where the workers run; the simulation implements it."""

    chance: Chance
    rates: Rates
    refusals: Refusals
    sites_called: dict[Site, str]
    sites_crashed: set[Site]

    def running(self) -> Worker | None:
        """Return the worker that calls; None if the simulation itself calls."""
        ...

    def wait(self, worker: Worker, seconds: float) -> None:
        """Let others run first, for so long."""
        ...

    def crash_others(self) -> None:
        """Kill every other process."""
        ...

    def interrupt(self, worker: Worker, kind: str) -> None:
        """Let a person stop, cancel or pause a worker's execution before the worker continues."""
        ...

    def observe(self, worker: Worker | None, call: str, args: tuple[Any, ...], answer: Any) -> None:
        """Check a call that has just taken effect."""
        ...

    def task_fault(self, kind: str, name: str, place: str) -> None:
        """Make the queue deliver a task late or early, or lose it."""
        ...


def tap(ports: Ports, floor: Floor) -> Ports:
    """Return the ports with every call tapped."""
    tapped: dict[str, Any] = {name: _Tapped(name, getattr(ports, name), floor) for name in TAPPED}
    return replace(ports, **tapped)


class _Tapped:
    def __init__(self, port: str, target: object, floor: Floor) -> None:
        self._port, self._target, self._floor = port, target, floor

    def __getattr__(self, method: str) -> Any:
        target, tap = getattr(self._target, method), _Tap(self._port, f"{self._port}.{method}", self._floor)
        if self._port == "sender":
            call: Callable[..., Any] = tap.sending(target)
        elif self._port == "engine" and method == "run":
            call = tap.running(target)
        else:
            call = tap.plain(target)
        setattr(self, method, call)
        return call


class _Tap:
    def __init__(self, port: str, call: str, floor: Floor) -> None:
        self._port, self._call, self._floor = port, call, floor
        self._table = floor.rates.at_call(port, call.partition(".")[2])

    def plain(self, target: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._make(self._call, target, args, kwargs)

        return call

    def sending(self, target: Callable[..., Any]) -> Callable[..., Any]:
        """Tap the call, and each step of what it yields."""

        def call(*args: Any, **kwargs: Any) -> Any:
            steps = self._make(self._call, target, args, kwargs)
            return self._steps(steps)

        return call

    def _steps(self, steps: Iterator[Any]) -> Iterator[Any]:
        while True:
            step = self._make(f"{self._call} step", next, (steps, None), {})
            if step is None:
                return
            yield step

    def running(self, target: Callable[..., Any]) -> Callable[..., Any]:
        """Tap the run of an audience job, which may fail or hang, and each file it writes."""

        def call(job: Any, arguments: Any, **kwargs: Any) -> AbstractContextManager[Any]:
            run = self._make(self._call, target, (job, arguments), kwargs)
            self._strike_job(job.id)
            return self._entered(run)

        return call

    def _strike_job(self, job_id: str) -> None:
        worker, chance = self._floor.running(), self._floor.chance
        if worker is None:
            return
        place = f"{worker.name}/{worker.calls}/job"
        kind = chance.fault(place, self._floor.rates.among({name: JOB[name] for name in ("job_fails", "job_hangs")}))
        if kind == "job_fails":
            raise BadJob(job_id, "it divides by zero")
        if kind == "job_hangs":
            self._floor.wait(worker, chance.between(f"{place}:how", 300, 3_000))

    @contextmanager
    def _entered(self, run: AbstractContextManager[Any]) -> Iterator[Any]:
        with run as inner:
            yield _Tapped("engine", inner, self._floor)

    def _make(self, name: str, target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        floor, worker = self._floor, self._floor.running()
        if worker is None:
            return target(*args, **kwargs)
        if worker.dead:
            raise Crash(worker.name)
        worker.calls += 1
        place = f"{worker.name}/{worker.calls}:{name}"
        site = site_of(sys._getframe(2), self._call)
        if floor.chance.active:
            floor.sites_called.setdefault(site, place)
        kind = floor.chance.fault(place, self._table)
        if kind is not None:
            self._strike_before(kind, worker, place, site)
        floor.refusals.check(worker, self._call)
        answer = target(*args, **kwargs)
        floor.observe(worker, name, args, answer)
        if kind is not None:
            self._strike_after(kind, place, args)
        return answer

    def _strike_before(self, kind: str, worker: Worker, place: str, site: Site) -> None:
        floor = self._floor
        if kind in ("crash_before", "crash_after", "crash_all"):
            floor.sites_crashed.add(site)
        if kind == "crash_before":
            raise Crash(place)
        if kind == "crash_all":
            floor.crash_others()
            raise Crash(place)
        if (error := self._error_before(kind)) is not None:
            raise error
        if kind in INTERRUPTIONS:
            floor.interrupt(worker, kind)
        if kind in REFUSED:
            floor.refusals.begin(kind, self._call, place)
        seconds = _outliving(worker) if kind in OUTLIVES else _WAITS_SECONDS.get(kind)
        if seconds is not None:
            floor.wait(worker, round(floor.chance.between(f"{place}:how", *seconds), 1))

    def _error_before(self, kind: str) -> Exception | None:
        """Return the error of a call that is not made."""
        if kind in _BEFORE:
            return Transient(f"{self._call}: {kind}")
        if kind == "ledger_unreadable":
            return LedgerUnreadable(f"{self._call}: deadline exceeded")
        if kind == "channel_429":
            return QuotaExceeded(30)
        return Refused(f"{self._call}: {kind}") if kind == "channel_404" else None

    def _strike_after(self, kind: str, place: str, args: tuple[Any, ...]) -> None:
        if kind == "crash_after":
            raise Crash(place)
        if kind in _AFTER:
            raise Transient(f"{self._call}: {kind}")
        if kind == "ledger_unreadable_after":
            raise LedgerUnreadable(f"{self._call}: deadline exceeded")
        if kind in _TASK_FAULTS:
            self._floor.task_fault(kind, args[0].name, place)


def _outliving(worker: Worker) -> tuple[float, float] | None:
    """Return how long a worker has to pause to go on after its deadline; None for a person's request."""
    if worker.deadline is None:
        return None
    allowed = (worker.deadline - worker.began_at).total_seconds()
    return (allowed + 1, allowed + 900)
