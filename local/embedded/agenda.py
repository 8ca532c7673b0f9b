"""The task queue and the scheduler combined: the next due work, in order of time."""

from datetime import datetime
from typing import Protocol

from local.embedded.delivery import Delivery
from local.embedded.fire import Fire
from local.embedded.response import Response

Work = Delivery | Fire


class Tasks(Protocol):
    """One or more task queues; see `local.embedded.queue.SqliteTaskQueue`."""

    def next_at(self) -> datetime | None: ...  # noqa: D102
    def take(self, now: datetime) -> Delivery | None: ...  # noqa: D102
    def settle(self, delivery: Delivery, status: int, retry_after: float | None = None) -> None: ...  # noqa: D102


class Fires(Protocol):
    """A scheduler; see `local.embedded.scheduler.SqliteSchedules`."""

    def next_at(self) -> datetime | None: ...  # noqa: D102
    def take(self, now: datetime) -> Fire | None: ...  # noqa: D102
    def settle(self, fire: Fire, status: int) -> None: ...  # noqa: D102


class Agenda:
    """Hands out deliveries and fires, and returns their answers to the queue or the scheduler."""

    def __init__(self, queue: Tasks, schedules: Fires) -> None:
        self._queue = queue
        self._schedules = schedules

    def next_at(self, *, scheduler: bool = True) -> datetime | None:
        """Return when the next work is due, None if there is none. Without the scheduler, only tasks count."""
        fires_at = self._schedules.next_at() if scheduler else None
        return min((at for at in (fires_at, self._queue.next_at()) if at), default=None)

    def take(self, now: datetime, *, scheduler: bool = True) -> Work | None:
        """Take the earliest work that is due, a fire before a task of the same instant."""
        fires_at = self._schedules.next_at() if scheduler else None
        task_at = self._queue.next_at()
        if fires_at and fires_at <= now and (not task_at or fires_at <= task_at):
            return self._schedules.take(now)
        if task_at and task_at <= now:
            return self._queue.take(now)
        return None

    def settle(self, work: Work, response: Response) -> None:
        """Settle work, given its answer."""
        if isinstance(work, Fire):
            self._schedules.settle(work, response.status)
        else:
            self._queue.settle(work, response.status, response.retry_after)
