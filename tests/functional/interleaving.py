"""Workers whose calls of the ports are interleaved in an order that is chosen from outside, one call at a time."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from functions.ports import Ports

_TAKING_TURNS = ("executions", "shards", "logs", "violations", "ledger", "files", "sender", "devices")
_PATIENCE_SECONDS = 60


class Turns:
    """Whose turn it is: the next number of `order` names a worker, of those that are not done."""

    def __init__(self, workers: int, order: Sequence[int]) -> None:
        self._alive = list(range(workers))
        self._order = iter(order)
        self._changed = threading.Condition()
        self._current = self._next()

    def take(self, worker: int) -> None:
        """Wait for the turn of a worker, and pass it to the next."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._current == worker, timeout=_PATIENCE_SECONDS)
            self._current = self._next()
            self._changed.notify_all()

    def end(self, worker: int) -> None:
        """Take no turn any more."""
        with self._changed:
            self._alive.remove(worker)
            if self._current == worker:
                self._current = self._next()
            self._changed.notify_all()

    def _next(self) -> int | None:
        return self._alive[next(self._order, 0) % len(self._alive)] if self._alive else None


class _Waiting:
    """A port that waits for its worker's turn before each call, and before each step of what is yielded."""

    def __init__(self, target: object, turns: Turns, worker: int) -> None:
        self._target, self._turns, self._worker = target, turns, worker

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._turns.take(self._worker)
            answer = method(*args, **kwargs)
            return self._steps(answer) if isinstance(answer, Iterator) else answer

        return call

    def _steps(self, steps: Iterator[Any]) -> Iterator[Any]:
        for step in steps:
            self._turns.take(self._worker)
            yield step


def interleave(ports: Ports, work: Sequence[Callable[[Ports], object]], order: Sequence[int]) -> list[BaseException]:
    """Do all the work at once, call by call in the given order; return what it raised."""
    turns = Turns(len(work), order)
    raised: list[BaseException] = []

    def run(worker: int) -> None:
        waiting: dict[str, Any] = {name: _Waiting(getattr(ports, name), turns, worker) for name in _TAKING_TURNS}
        try:
            work[worker](replace(ports, **waiting))
        except BaseException as error:
            raised.append(error)
        finally:
            turns.end(worker)

    threads = [threading.Thread(target=run, args=(worker,)) for worker in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised
