"""The task queue and the scheduler as one: what is due next, in order of time."""

from datetime import datetime

from local.embedded.delivery import Delivery
from local.embedded.fire import Fire
from local.embedded.queue import SqliteTaskQueue
from local.embedded.response import Response
from local.embedded.scheduler import SqliteSchedules

Work = Delivery | Fire


class Agenda:
    """Hands out deliveries and fires, and gives their answers to where they came from."""

    def __init__(self, queue: SqliteTaskQueue, schedules: SqliteSchedules) -> None:
        self._queue = queue
        self._schedules = schedules

    def next_at(self, *, scheduler: bool = True) -> datetime | None:
        """Return when the next work is due, None where there is none; without the scheduler, tasks only."""
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
        """Settle work by what was answered."""
        if isinstance(work, Fire):
            self._schedules.settle(work, response.status)
        else:
            self._queue.settle(work, response.status, response.retry_after)
