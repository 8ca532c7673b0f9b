"""Requests under way, one thread each, of which exactly one runs at any moment: who holds the baton."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_STEPS = ("-send_", "-checkpoint", "-build_", "-finish")


class Crash(BaseException):
    """The process dies here; no `except Exception` may survive it."""


@dataclass(eq=False)
class Worker:
    """A request under way.

    `waits_seconds` is how long it stands still once it has given the baton back; None: it has ended, and `answer`
    is what it returned, or None where its process died. `reserved_late` says that it has written to the ledger after
    its lease on the shard may have run out.
    """

    name: str
    work: Callable[[], Any]
    settle: Callable[[Any], None]
    began_at: datetime
    began_step: int
    deadline: datetime | None = None
    calls: int = 0
    dead: bool = False
    waits_seconds: float | None = 0.0
    answer: Any = None
    error: Exception | None = None
    reserved_late: bool = False
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def execution_id(self) -> str:
        """The execution that the request works on; the request's own name where it works on none."""
        identity = self.name
        for step in _STEPS:
            identity = identity.partition(step)[0]
        return identity


class Baton:
    """Hands the one right to run from the simulation to a worker and back."""

    def __init__(self) -> None:
        self._back = threading.Semaphore(0)
        self._started: set[Worker] = set()
        self.holder: Worker | None = None

    def give(self, worker: Worker) -> None:
        """Let a worker run until it gives the baton back."""
        self.holder = worker
        if worker in self._started:
            worker.go.release()
        else:
            self._started.add(worker)
            threading.Thread(target=self._run, args=(worker,), daemon=True).start()
        self._back.acquire()
        self.holder = None

    def give_back(self, worker: Worker, waits_seconds: float) -> None:
        """Stand still, called by the worker itself; Crash where its process died meanwhile."""
        worker.waits_seconds = waits_seconds
        self._back.release()
        worker.go.acquire()
        if worker.dead:
            raise Crash(worker.name)

    def end(self, worker: Worker) -> None:
        """Let a worker die where it stands, with its context managers left in order."""
        worker.dead = True
        if worker in self._started and worker.waits_seconds is not None:
            self.give(worker)
        worker.waits_seconds = None

    def _run(self, worker: Worker) -> None:
        try:
            worker.answer = worker.work()
        except Crash:
            worker.dead = True
        except Exception as error:
            worker.error = error
        finally:
            worker.waits_seconds = None
            self._started.discard(worker)
            self._back.release()
