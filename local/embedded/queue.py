"""A task queue in SQLite that behaves as Cloud Tasks does."""

import json
import re
from datetime import datetime, timedelta
from sqlite3 import Connection, Row

from functions.ports import Clock, Task
from local.embedded.database import Database
from local.embedded.delivery import Delivery
from local.embedded.documents import to_text
from local.embedded.instants import from_micros, to_micros
from local.embedded.retry import RetryPolicy

DISPATCH_DEADLINE = timedelta(minutes=10)
_LARGEST_TASK_BYTES = 100 * 1024
_FARTHEST = timedelta(days=30)
_NAMES_STAY_TAKEN = timedelta(hours=24)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,500}")

# `eta` is the instant for which the next or running attempt was scheduled; `due` is when the task may be taken:
# at its eta, or while it is dispatched, when its lease has run out. A task that is done keeps its name taken.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    added INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, function TEXT NOT NULL, body TEXT NOT NULL,
    at INTEGER NOT NULL, eta INTEGER NOT NULL, due INTEGER NOT NULL, dispatched INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, responses INTEGER NOT NULL DEFAULT 0, previous_response INTEGER,
    first_attempt INTEGER, done_at INTEGER);
CREATE INDEX IF NOT EXISTS tasks_due ON tasks (due, added) WHERE done_at IS NULL;
CREATE INDEX IF NOT EXISTS tasks_done ON tasks (done_at) WHERE done_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS queue_pause (paused INTEGER PRIMARY KEY)
"""


class SqliteTaskQueue:
    """Plays TaskQueue, and hands tasks to whoever dispatches them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        retry: RetryPolicy | None = None,
        *,
        dispatch_deadline: timedelta = DISPATCH_DEADLINE,
    ) -> None:
        self._database = database
        self._clock = clock
        self._retry = retry or RetryPolicy()
        self._dispatch_deadline = dispatch_deadline
        database.define(_SCHEMA)

    def add(self, task: Task) -> bool:
        """Add a task; False where its name was used within the last day.

        ValueError for a task that Cloud Tasks refuses: over 100 KB, over 30 days ahead, or with a name other
        than letters, digits, hyphens and underscores.
        """
        now, body = self._clock.now(), to_text(task.body)
        _check(task, body, now)
        at, long_ago = to_micros(task.at), to_micros(now - _NAMES_STAY_TAKEN)
        query = "INSERT OR IGNORE INTO tasks (name, function, body, at, eta, due) VALUES (?, ?, ?, ?, ?, ?)"
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM tasks WHERE done_at <= ?", (long_ago,))
            added = connection.execute(query, (task.name, task.function, body, at, at, at))
        return added.rowcount == 1

    def take(self, now: datetime) -> Delivery | None:
        """Dispatch the earliest task that is due; None where there is none or the queue is paused.

        Until it is settled the task is leased for the dispatch deadline, after which it is due again.
        """
        with self._database.transaction() as connection:
            while not self.paused and (row := self._due(now)):
                if not (row["dispatched"] and self._given_up(row, now)):
                    return self._dispatch(connection, row, now)
                _finish(connection, row, now)
        return None

    def settle(self, delivery: Delivery, status: int, retry_after: float | None = None) -> None:
        """Take a delivery's answer: 2xx ends the task, anything else schedules a retry or gives it up.

        The retry waits for the backoff, or `retry_after` seconds where that is longer. The answer of a delivery
        whose lease has run out, and which was dispatched again, counts for nothing.
        """
        now = self._clock.now()
        query = "SELECT * FROM tasks WHERE name = ? AND attempts = ? AND dispatched"
        with self._database.transaction() as connection:
            row = connection.execute(query, (delivery.task.name, delivery.attempt)).fetchone()
            if row is None:
                return
            if 200 <= status < 300 or self._given_up(row, now):
                _finish(connection, row, now)
            else:
                wait = max(self._retry.backoff(row["attempts"]), timedelta(seconds=retry_after or 0))
                _reschedule(connection, row, status, now + wait)

    def next_at(self) -> datetime | None:
        """Return when the next task is due, which may have passed; None while nothing can be due."""
        [row] = self._database.rows("SELECT min(due) AS due FROM tasks WHERE done_at IS NULL")
        return None if row["due"] is None or self.paused else from_micros(row["due"])

    def pending(self) -> list[tuple[Task, int]]:
        """Return the tasks that are not done, each with the attempts made so far, in the order they are due."""
        rows = self._database.rows("SELECT * FROM tasks WHERE done_at IS NULL ORDER BY due, added")
        return [(_task(row), row["attempts"]) for row in rows]

    @property
    def paused(self) -> bool:
        """Whether nothing is dispatched; lasts until somebody resumes the queue, in whichever process."""
        return bool(self._database.rows("SELECT paused FROM queue_pause"))

    def pause(self) -> None:
        """Dispatch nothing more."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO queue_pause VALUES (1)")

    def resume(self) -> None:
        """Dispatch again."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM queue_pause")

    def recover(self) -> None:
        """Void all leases: call it where the only process that dispatched has died."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE tasks SET due = eta, dispatched = 0 WHERE dispatched")

    def _due(self, now: datetime) -> Row | None:
        query = "SELECT * FROM tasks WHERE done_at IS NULL AND due <= ? ORDER BY due, added LIMIT 1"
        return next(iter(self._database.rows(query, (to_micros(now),))), None)

    def _given_up(self, row: Row, now: datetime) -> bool:
        return self._retry.exhausted(row["attempts"], now - from_micros(row["first_attempt"]))

    def _dispatch(self, connection: Connection, row: Row, now: datetime) -> Delivery:
        deadline = now + self._dispatch_deadline
        query = (
            "UPDATE tasks SET due = ?, dispatched = 1, attempts = attempts + 1, "
            "first_attempt = coalesce(first_attempt, ?) WHERE added = ?"
        )
        connection.execute(query, (to_micros(deadline), to_micros(now), row["added"]))
        return Delivery(
            task=_task(row),
            attempt=row["attempts"] + 1,
            responses=row["responses"],
            previous_response=row["previous_response"],
            eta=from_micros(row["eta"]),
            deadline=deadline,
        )


def _check(task: Task, body: str, now: datetime) -> None:
    if not _NAME.fullmatch(task.name):
        raise ValueError(f"task {task.name!r}: a name holds 1 to 500 letters, digits, hyphens and underscores")
    size = len(f"{task.name}{task.function}{body}".encode())
    if size > _LARGEST_TASK_BYTES:
        raise ValueError(f"task {task.name}: {size:,} bytes; at most {_LARGEST_TASK_BYTES:,} are allowed")
    if task.at - now > _FARTHEST:
        raise ValueError(f"task {task.name}: {task.at} is more than {_FARTHEST.days} days ahead")


def _task(row: Row) -> Task:
    body = json.loads(row["body"])
    return Task(name=row["name"], function=row["function"], body=body, at=from_micros(row["at"]))


def _finish(connection: Connection, row: Row, now: datetime) -> None:
    query = "UPDATE tasks SET done_at = ?, dispatched = 0 WHERE added = ?"
    connection.execute(query, (to_micros(now), row["added"]))


def _reschedule(connection: Connection, row: Row, status: int, at: datetime) -> None:
    query = "UPDATE tasks SET eta = ?, due = ?, dispatched = 0, responses = ?, previous_response = ? WHERE added = ?"
    responses = row["responses"] + (status < 500)
    connection.execute(query, (to_micros(at), to_micros(at), responses, status, row["added"]))
