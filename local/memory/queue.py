"""A task queue in memory that behaves as Cloud Tasks does."""

import json
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.domain.task_limits import check_task, dispatch_deadline
from functions.ports.queue import Clock, Task
from local.embedded.delivery import Delivery
from local.embedded.documents import to_text
from local.embedded.queue import NO_ANSWER
from local.embedded.retry import RetryPolicy

_NAMES_STAY_TAKEN = timedelta(hours=24)


@dataclass
class _Entry:
    task: Task
    eta: datetime
    due: datetime
    order: int
    dispatched: bool = False
    attempts: int = 0
    responses: int = 0
    previous_response: int | None = None
    first_attempt: datetime | None = None


class MemoryTaskQueue:
    """Implements TaskQueue, and hands tasks to the dispatcher; see `local.embedded.queue`."""

    def __init__(self, clock: Clock, retry: RetryPolicy | None = None) -> None:
        self._clock = clock
        self._retry = retry or RetryPolicy()
        self._waiting: dict[str, _Entry] = {}
        self._done: dict[str, datetime] = {}
        self._added = 0
        self._writing = threading.RLock()

    def add(self, task: Task) -> bool:
        """Add a task; False if its name was used within the last day. ValueError for a refused one."""
        now, body = self._clock.now(), to_text(task.body)
        check_task(task.name, len(f"{task.name}{task.function}{body}".encode()), task.at, now)
        with self._writing:
            done_at = self._done.get(task.name)
            if task.name in self._waiting or (done_at is not None and now - done_at < _NAMES_STAY_TAKEN):
                return False
            self._added += 1
            kept = replace(task, body=json.loads(body))
            self._waiting[task.name] = _Entry(kept, eta=task.at, due=task.at, order=self._added)
        return True

    def take(self, now: datetime) -> Delivery | None:
        """Dispatch the earliest due task, None if there is none. It is leased up to the deadline."""
        with self._writing:
            while (entry := self._next()) is not None and entry.due <= now:
                if not (entry.dispatched and self._given_up(entry, now)):
                    return _dispatch(entry, now)
                self._finish(entry, now)
        return None

    def settle(self, delivery: Delivery, status: int, retry_after: float | None = None) -> None:
        """Settle a delivery: 2xx ends the task, any other answer schedules a retry or gives the task up."""
        now = self._clock.now()
        with self._writing:
            entry = self._waiting.get(delivery.task.name)
            if entry is None or not entry.dispatched or entry.attempts != delivery.attempt:
                return
            if 200 <= status < 300 or self._given_up(entry, now):
                self._finish(entry, now)
                return
            wait = max(self._retry.backoff(entry.attempts), timedelta(seconds=retry_after or 0))
            entry.eta = entry.due = now + wait
            entry.dispatched = False
            entry.responses += status not in NO_ANSWER and status < 500
            entry.previous_response = status

    def next_at(self) -> datetime | None:
        """Return when the next task is due, perhaps in the past; None if nothing can be due."""
        entry = self._next()
        return None if entry is None else entry.due

    def postpone(self, name: str, delay: timedelta) -> None:
        """Deliver a task later than requested, or earlier."""
        entry = self._waiting.get(name)
        if entry is not None:
            entry.due += delay

    def force(self, name: str) -> None:
        """Deliver a waiting task at once, as the button "force run" of the Cloud console does."""
        entry = self._waiting.get(name)
        if entry is not None and not entry.dispatched:
            entry.due = self._clock.now()

    def lose(self, name: str) -> None:
        """Lose a task. Its name stays taken."""
        entry = self._waiting.get(name)
        if entry is not None:
            self._finish(entry, self._clock.now())

    def pending(self) -> list[Task]:
        """Return the tasks that are not done, in the order in which they are due."""
        return [entry.task for entry in sorted(self._waiting.values(), key=_when)]

    def _next(self) -> _Entry | None:
        return min(self._waiting.values(), key=_when, default=None)

    def _finish(self, entry: _Entry, now: datetime) -> None:
        del self._waiting[entry.task.name]
        self._done[entry.task.name] = now

    def _given_up(self, entry: _Entry, now: datetime) -> bool:
        return self._retry.exhausted(entry.attempts, now - (entry.first_attempt or now))


def _when(entry: _Entry) -> tuple[datetime, int]:
    return (entry.due, entry.order)


def _dispatch(entry: _Entry, now: datetime) -> Delivery:
    entry.due = now + dispatch_deadline(entry.task.function)
    entry.dispatched = True
    entry.attempts += 1
    entry.first_attempt = entry.first_attempt or now
    return Delivery(
        task=entry.task,
        attempt=entry.attempts,
        responses=entry.responses,
        previous_response=entry.previous_response,
        eta=entry.eta,
        deadline=entry.due,
    )
