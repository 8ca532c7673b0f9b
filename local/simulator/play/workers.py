"""Running requests, one thread each. Exactly one thread runs at any moment: the one that holds the baton."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_STEPS = ("-send_", "-checkpoint", "-build_", "-finish")


class Crash(BaseException):
    """The process dies here; no `except Exception` may catch it."""


@dataclass(eq=False)
class Worker:
    """A running request.

    `waits_seconds` is how long it pauses after it has given the baton back. None means that it has ended; `answer`
    is then what it returned, or None if its process died. `reserved_late` says that it wrote to the ledger when its
    lease on the shard may have ended, and `refused` that Google refused it a call for a missing index or permission.
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
    refused: bool = False
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def execution_id(self) -> str:
        """The execution that the request works on, or else the request's own name."""
        identity = self.name
        for step in _STEPS:
            identity = identity.partition(step)[0]
        return identity


class Baton:
    """Passes the right to run from the simulation to a worker and back."""

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
        """Pause; the worker itself calls this. Raises Crash if its process died meanwhile."""
        worker.waits_seconds = waits_seconds
        self._back.release()
        worker.go.acquire()
        if worker.dead:
            raise Crash(worker.name)

    def end(self, worker: Worker) -> None:
        """Kill a worker where it is; its context managers exit in order."""
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
