"""One queue of Cloud Tasks: the embedded queue with limits, and with actions of people on tasks."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from sqlite3 import Connection, Row

from google.cloud import tasks_v2

from functions.domain.task_limits import LARGEST_TASK_BYTES
from functions.ports.queue import Clock, Task
from local.embedded.database import Database
from local.embedded.delivery import Delivery
from local.embedded.instants import from_micros, to_micros
from local.embedded.queue import SqliteTaskQueue
from local.embedded.retry import RetryPolicy
from local.standins.cloud_tasks.messages import task_message
from local.standins.cloud_tasks.pace import Pace
from local.standins.cloud_tasks.rate import Rate

Lateness = Callable[[str, str], timedelta]
"""Returns how late the next delivery of a task or job is, by its name and URL."""

_LIVE = "SELECT * FROM tasks WHERE queue = ? AND done_at IS NULL"


class EmulatedQueue(SqliteTaskQueue):
    """Respects the rate and the number of concurrent dispatches in the queue's settings.

    Where it is `throttled`, the service's own throttling slows it too: see `Pace`.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: tasks_v2.Queue,
        lateness: Lateness,
        *,
        throttled: bool = False,
    ) -> None:
        super().__init__(
            database,
            clock,
            _retry_policy(settings.retry_config),
            name=settings.name,
            deadline_of=_deadline,
            largest_task_bytes=2 * LARGEST_TASK_BYTES,  # the stored JSON is longer than the measured message
        )
        limits = settings.rate_limits
        self._lateness = lateness
        self._most_at_once = limits.max_concurrent_dispatches
        self._rate = Rate(per_second=limits.max_dispatches_per_second, burst=limits.max_burst_size)
        self._pace = Pace(limits.max_dispatches_per_second) if throttled else None

    def next_at(self) -> datetime | None:
        """Return when the next task may be dispatched, possibly in the past; None if no task can be."""
        due = super().next_at()
        if due is None:
            return None
        leases = self._leases(self._clock.now())
        free = leases[0] if len(leases) >= self._most_at_once else due
        return max(due, free, from_micros(self._free_at))

    def settle(self, delivery: Delivery, status: int, retry_after: float | None = None) -> None:
        """Settle a delivery; its answer may slow the whole queue."""
        if self._pace is not None:
            self._pace.answered(status, to_micros(self._clock.now()))
        super().settle(delivery, status, retry_after)

    def find(self, name: str) -> Row | None:
        """Return a task, done or not; None if its name is free."""
        query = "SELECT * FROM tasks WHERE queue = ? AND name = ?"
        return next(iter(self._database.rows(query, (self._name, name))), None)

    def page(self, after: int, size: int) -> Sequence[Row]:
        """Return up to `size` unfinished tasks after `after`, in the order in which they were added."""
        return self._database.rows(f"{_LIVE} AND added > ? ORDER BY added LIMIT ?", (self._name, after, size))

    def delete(self, name: str) -> bool:
        """Delete a task; False if it is done. Its name stays taken, and the worker of a dispatched task continues."""
        query = "UPDATE tasks SET done_at = ?, dispatched = 0 WHERE queue = ? AND done_at IS NULL AND name = ?"
        with self._database.transaction() as connection:
            now = to_micros(self._clock.now())
            return connection.execute(query, (now, self._name, name)).rowcount == 1

    def purge(self) -> None:
        """Delete all tasks."""
        query = "UPDATE tasks SET done_at = ?, dispatched = 0 WHERE queue = ? AND done_at IS NULL"
        with self._database.transaction() as connection:
            connection.execute(query, (to_micros(self._clock.now()), self._name))

    def run_now(self, name: str) -> Delivery | None:
        """Dispatch a task now, regardless of its time, of limits, and of a running dispatch; None if it is done."""
        now = self._clock.now()
        with self._database.transaction() as connection:
            row = connection.execute(f"{_LIVE} AND name = ?", (self._name, name)).fetchone()
            return None if row is None else super()._dispatch(connection, row, now)

    def forget(self) -> None:
        """Delete the queue's tasks with their names, and its paused state."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM tasks WHERE queue = ?", (self._name,))
            connection.execute("DELETE FROM paused_queues WHERE queue = ?", (self._name,))

    def _due(self, connection: Connection, now: datetime) -> Row | None:
        if self._free_at > to_micros(now) or len(self._leases(now)) >= self._most_at_once:
            return None
        while row := super()._due(connection, now):
            late = self._late(row)
            if not late:
                break
            due = to_micros(from_micros(row["eta"]) + late)
            connection.execute("UPDATE tasks SET due = ? WHERE added = ?", (due, row["added"]))
        return row

    @property
    def _free_at(self) -> int:
        """The microsecond from which another dispatch is allowed."""
        return max(self._rate.free_at, 0 if self._pace is None else self._pace.free_at)

    def _late(self, row: Row) -> timedelta:
        """Return the lateness of a task that was not delayed yet: its `due` still equals its `eta`."""
        if row["dispatched"] or row["due"] != row["eta"]:
            return timedelta(0)
        return self._lateness(f"{self._name}/tasks/{row['name']}", row["function"])

    def _dispatch(self, connection: Connection, row: Row, now: datetime) -> Delivery:
        self._rate.spend(to_micros(now))
        if self._pace is not None:
            self._pace.spend(to_micros(now))
        return super()._dispatch(connection, row, now)

    def _leases(self, now: datetime) -> list[datetime]:
        """Return the ends of the active leases, the earliest first."""
        query = f"{_LIVE} AND dispatched AND due > ? ORDER BY due"
        return [from_micros(row["due"]) for row in self._database.rows(query, (self._name, to_micros(now)))]


def _deadline(task: Task) -> timedelta:
    deadline: timedelta = task_message(task).dispatch_deadline
    return deadline


def _retry_policy(config: tasks_v2.RetryConfig) -> RetryPolicy:
    return RetryPolicy(
        max_attempts=config.max_attempts,
        max_retry_duration=config.max_retry_duration,
        min_backoff=config.min_backoff,
        max_backoff=config.max_backoff,
        max_doublings=config.max_doublings,
    )
