"""Delivers work on threads as it comes due."""

import threading
from collections.abc import Callable
from itertools import count
from queue import Empty, SimpleQueue

from local.embedded.agenda import Agenda, Work
from local.embedded.clock import WaitableClock
from local.embedded.response import Response

_POLL_SECONDS = 0.05
"""How late at most work is noticed that another thread or process has added."""
_GRACE_SECONDS = 10.0
"""How long calls under way may take to end after a stop, as on Cloud Run."""
_DEADLINE_EXCEEDED = Response(status=504, text="DEADLINE_EXCEEDED")


class Dispatcher:
    """One dispatching thread, the caller's, and `workers` threads that make the calls.

    The dispatching thread alone takes and settles. A call past its deadline is settled as 504; its thread goes on
    with it, and another takes its place.
    """

    def __init__(
        self, agenda: Agenda, clock: WaitableClock, call: Callable[[Work], Response], *, workers: int
    ) -> None:
        self._agenda = agenda
        self._clock = clock
        self._call = call
        self._workers = workers
        self._threads: list[threading.Thread] = []
        self._tickets = count()
        self._running: dict[int, Work] = {}
        self._calls: SimpleQueue[tuple[int, Work] | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[int, Response]] = SimpleQueue()

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set, then wait for the calls under way."""
        for _ in range(self._workers):
            self._hire()
        try:
            while not stop.is_set():
                self._give_up_overdue()
                self._hand_out()
                self._collect(self._wait_seconds())
            while self._running and self._collect(_GRACE_SECONDS):
                pass
        finally:
            self._dismiss()

    def _hire(self) -> None:
        thread = threading.Thread(target=self._work, name="tminus-worker", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            ticket, work = call
            self._answers.put((ticket, self._call(work)))

    def _give_up_overdue(self) -> None:
        now = self._clock.now()
        for ticket in [ticket for ticket, work in self._running.items() if work.deadline <= now]:
            self._agenda.settle(self._running.pop(ticket), _DEADLINE_EXCEEDED)
            self._hire()

    def _hand_out(self) -> None:
        while len(self._running) < self._workers and (work := self._agenda.take(self._clock.now())):
            ticket = next(self._tickets)
            self._running[ticket] = work
            self._calls.put((ticket, work))

    def _wait_seconds(self) -> float:
        if len(self._running) == self._workers:
            return _POLL_SECONDS
        due = self._agenda.next_at()
        return min(_POLL_SECONDS, self._clock.real_seconds_until(due)) if due else _POLL_SECONDS

    def _collect(self, timeout_seconds: float) -> bool:
        """Settle one answer, False where none comes in time; the thread of an answer past its deadline is let go."""
        try:
            ticket, response = self._answers.get(timeout=timeout_seconds)
        except Empty:
            return False
        work = self._running.pop(ticket, None)
        if work is None:
            self._calls.put(None)
        else:
            self._agenda.settle(work, response)
        return True

    def _dismiss(self) -> None:
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join(timeout=1.0)
