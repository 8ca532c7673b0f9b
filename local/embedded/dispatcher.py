"""Deliver work, in virtual time, or on threads as it comes due."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from itertools import count
from queue import Empty, SimpleQueue

from functions.domain.errors import Transient
from local.embedded.agenda import Agenda, Work
from local.embedded.clock import VirtualClock, WaitableClock
from local.embedded.response import Response

_log = logging.getLogger("tminus.dispatcher")

_POLL_SECONDS = 0.05
"""The longest delay until work of another thread or process is noticed."""
_GRACE_SECONDS = 4.0
"""How long running calls may take to end after a stop."""
_TROUBLE_SECONDS = 0.5
"""How long the dispatcher waits if the queue cannot be read or written."""
_JOIN_SECONDS = 0.1
_CRASHED = Response(status=500, text="Internal Server Error")
_DEADLINE_EXCEEDED = Response(status=504, text="DEADLINE_EXCEEDED")


class Dispatcher:
    """One dispatching thread, the caller's, and `workers` threads for the calls.

    The dispatching thread alone takes and settles. A call past its deadline is settled as 504; its thread goes on
    with it, and another takes its place. Trouble that passes, such as a full disk, is logged once and waited out;
    answers that come meanwhile are settled afterwards. `worked` is called after each round without trouble.
    """

    def __init__(
        self,
        agenda: Agenda,
        clock: WaitableClock,
        call: Callable[[Work], Response],
        *,
        workers: int,
        worked: Callable[[], None],
    ) -> None:
        self._agenda = agenda
        self._clock = clock
        self._call = call
        self._workers = workers
        self._worked = worked
        self._trouble: str | None = None
        self._unsettled: deque[tuple[Work, Response]] = deque()
        self._threads: list[threading.Thread] = []
        self._tickets = count()
        self._running: dict[int, Work] = {}
        self._calls: SimpleQueue[tuple[int, Work] | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[int, Response]] = SimpleQueue()

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set, then wait for running calls."""
        for _ in range(self._workers):
            self._hire()
        try:
            while not stop.is_set():
                self._round(stop)
            self._let_end()
        finally:
            self._dismiss()

    def _round(self, stop: threading.Event) -> None:
        try:
            self._give_up_overdue()
            self._settle()
            self._hand_out()
            self._collect(self._wait_seconds())
        except Transient as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                _log.error("nothing is delivered: %s", error, extra={"action": "delivery_halted"})
            stop.wait(_TROUBLE_SECONDS)
            return
        if self._trouble is not None:
            self._trouble = None
            _log.warning("tasks and schedules are delivered again", extra={"action": "delivery_resumed"})
        self._worked()

    def _let_end(self) -> None:
        """Wait for running calls. Work that cannot be settled is due again after `recover`."""
        for _ in range(int(_GRACE_SECONDS / _POLL_SECONDS)):
            if not self._running:
                return
            try:
                self._collect(_POLL_SECONDS)
            except Transient:
                continue

    def _hire(self) -> None:
        thread = threading.Thread(target=self._work, name="tminus-worker", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            ticket, work = call
            try:
                response = self._call(work)
            except BaseException:  # otherwise the worker would end, and its call would have no answer
                _log.exception("a call raised", extra={"action": "call_crashed"})
                response = _CRASHED
            self._answers.put((ticket, response))

    def _give_up_overdue(self) -> None:
        now = self._clock.now()
        for ticket in [ticket for ticket, work in self._running.items() if work.deadline <= now]:
            self._unsettled.append((self._running.pop(ticket), _DEADLINE_EXCEEDED))
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

    def _collect(self, timeout_seconds: float) -> None:
        """Settle an answer that comes in time. The thread of a late answer ends."""
        try:
            ticket, response = self._answers.get(timeout=timeout_seconds)
        except Empty:
            return
        work = self._running.pop(ticket, None)
        if work is None:
            self._calls.put(None)
        else:
            self._unsettled.append((work, response))
            self._settle()

    def _settle(self) -> None:
        while self._unsettled:
            self._agenda.settle(*self._unsettled[0])
            self._unsettled.popleft()

    def _dismiss(self) -> None:
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join(timeout=_JOIN_SECONDS)


class Driver:
    """Makes the calls of an agenda."""

    def __init__(self, agenda: Agenda, clock: WaitableClock, call: Callable[[Work], Response]) -> None:
        self._agenda = agenda
        self._clock = clock
        self._call = call

    def run_until(self, at: datetime, *, scheduler: bool = True, inclusive: bool = True) -> None:
        """Deliver everything due up to `at`, in order of time, and leave the virtual clock at `at`.

        Without `scheduler` only tasks are delivered; without `inclusive` what is due at `at` itself is left.
        TypeError on a clock that is not virtual.
        """
        if not isinstance(self._clock, VirtualClock):
            raise TypeError(f"run_until moves a VirtualClock, not a {type(self._clock).__name__}; use serve")
        while (due := self._agenda.next_at(scheduler=scheduler)) and (due < at or (inclusive and due == at)):
            self._clock.advance_to(due)
            self._deliver_next(scheduler=scheduler)
        self._clock.advance_to(at)

    def drain(self, until: Callable[[], bool] | None = None) -> None:
        """Deliver tasks, each when it is due, until none is left or `until` says so; a virtual clock moves along.

        The scheduler's fires stay where they are. A paused queue counts as empty.
        """
        while (due := self._agenda.next_at(scheduler=False)) and not (until and until()):
            if isinstance(self._clock, VirtualClock):
                self._clock.advance_to(due)
            wait_seconds = self._clock.real_seconds_until(due)
            if wait_seconds:
                threading.Event().wait(min(wait_seconds, _POLL_SECONDS))
            else:
                self._deliver_next(scheduler=False)

    def serve(self, stop: threading.Event, workers: int = 4, worked: Callable[[], None] = lambda: None) -> None:
        """Deliver tasks and fires as they come due, on `workers` threads, until `stop` is set.

        Blocks; calls under way get four seconds to end. What they leave unsettled is due again after `recover`.
        `worked` is called after each look at what is due. TypeError on a virtual clock: waiting for it would never
        end.
        """
        if isinstance(self._clock, VirtualClock):
            raise TypeError("serve waits for a clock that runs by itself; use run_until with a VirtualClock")
        Dispatcher(self._agenda, self._clock, self._call, workers=workers, worked=worked).run(stop)

    def _deliver_next(self, *, scheduler: bool) -> None:
        work = self._agenda.take(self._clock.now(), scheduler=scheduler)
        if work is not None:
            self._agenda.settle(work, self._call(work))
