"""A task queue in SQLite that behaves as Cloud Tasks does."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from sqlite3 import Connection, Row

from functions.domain import tracing
from functions.domain.task_limits import LARGEST_TASK_BYTES, check_task, dispatch_deadline
from functions.ports.queue import Clock, Task
from local.embedded.database import Database
from local.embedded.delivery import QUEUE_NAME, Delivery
from local.embedded.documents import to_text
from local.embedded.instants import from_micros, to_micros
from local.embedded.retry import RetryPolicy

NO_ANSWER = (0, 504)
"""The status of a request without an answer: the connection failed, or the deadline passed."""
_NAMES_STAY_TAKEN = timedelta(hours=24)

# `eta` is the instant for which the next or running attempt was scheduled; `due` is when the task may be taken:
# at its eta, or while it is dispatched, when its lease has run out. A task that is done keeps its name taken.
# `responses` counts what the retries' header counts, answers other than 5xx; `answers` counts them all.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    added INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, name TEXT NOT NULL, function TEXT NOT NULL,
    body TEXT NOT NULL, at INTEGER NOT NULL, eta INTEGER NOT NULL, due INTEGER NOT NULL,
    dispatched INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
    responses INTEGER NOT NULL DEFAULT 0, answers INTEGER NOT NULL DEFAULT 0, previous_response INTEGER,
    first_attempt INTEGER, last_eta INTEGER, last_attempt INTEGER, last_answer INTEGER, done_at INTEGER,
    UNIQUE (queue, name));
CREATE INDEX IF NOT EXISTS tasks_due ON tasks (queue, due, added) WHERE done_at IS NULL;
CREATE INDEX IF NOT EXISTS tasks_done ON tasks (done_at) WHERE done_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS paused_queues (queue TEXT PRIMARY KEY)
"""


def _default_deadline(task: Task) -> timedelta:
    return dispatch_deadline(task.function)


class SqliteTaskQueue:
    """Implements TaskQueue, and hands tasks to the dispatcher.

    Several queues, each of its own name, share a database; names of tasks are taken per queue.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        retry: RetryPolicy | None = None,
        *,
        name: str = QUEUE_NAME,
        deadline_of: Callable[[Task], timedelta] = _default_deadline,
        largest_task_bytes: int = LARGEST_TASK_BYTES,
    ) -> None:
        self._database = database
        self._clock = clock
        self._retry = retry or RetryPolicy()
        self._name = name
        self._deadline_of = deadline_of
        self._largest_task_bytes = largest_task_bytes
        database.define(_SCHEMA)
        _add_traceparent(database)

    def add(self, task: Task) -> bool:
        """Add a task; False if its name was used within the last day.

        ValueError for a task that Cloud Tasks refuses: over 100 KB, over 30 days ahead, or with a name other
        than letters, digits, hyphens and underscores.
        """
        now, body, traceparent = self._clock.now(), to_text(task.body), tracing.traceparent(task.trace)
        size_bytes = len(f"{task.name}{task.function}{body}{traceparent}".encode())
        check_task(task.name, size_bytes, task.at, now, self._largest_task_bytes)
        at, long_ago = to_micros(task.at), to_micros(now - _NAMES_STAY_TAKEN)
        columns = "queue, name, function, body, at, eta, due, traceparent"
        query = f"INSERT OR IGNORE INTO tasks ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - ours
        row = (self._name, task.name, task.function, body, at, at, at, traceparent)
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM tasks WHERE done_at <= ?", (long_ago,))
            added = connection.execute(query, row)
        return added.rowcount == 1

    def take(self, now: datetime) -> Delivery | None:
        """Dispatch the earliest due task; None if there is none or the queue is paused.

        Until it is settled the task is leased up to the delivery's deadline, after which it is due again.
        """
        with self._database.transaction() as connection:
            while row := self._due(connection, now):
                if not (row["dispatched"] and self._given_up(row, now)):
                    return self._dispatch(connection, row, now)
                _finish(connection, row, now)
        return None

    def settle(self, delivery: Delivery, status: int, retry_after: float | None = None) -> None:
        """Settle a delivery: 2xx ends the task, any other answer schedules a retry or gives the task up.

        The retry waits for the backoff, or `retry_after` seconds where that is longer. The answer of a delivery
        whose lease has run out, and which was dispatched again, counts for nothing.
        """
        now = self._clock.now()
        query = "SELECT * FROM tasks WHERE queue = ? AND name = ? AND attempts = ? AND dispatched"
        with self._database.transaction() as connection:
            row = connection.execute(query, (self._name, delivery.task.name, delivery.attempt)).fetchone()
            if row is None:
                return
            if 200 <= status < 300 or self._given_up(row, now):
                _finish(connection, row, now)
            else:
                wait = max(self._retry.backoff(row["attempts"]), timedelta(seconds=retry_after or 0))
                _reschedule(connection, row, status, now, now + wait)

    def next_at(self) -> datetime | None:
        """Return when the next task is due, perhaps in the past; None if nothing can be due."""
        query = "SELECT min(due) AS due FROM tasks WHERE queue = ? AND done_at IS NULL"
        [row] = self._database.rows(query, (self._name,))
        return None if row["due"] is None or self.paused else from_micros(row["due"])

    def pending(self) -> list[tuple[Task, int]]:
        """Return the tasks that are not done, with their numbers of attempts, in order of their due instants."""
        query = "SELECT * FROM tasks WHERE queue = ? AND done_at IS NULL ORDER BY due, added"
        return [(task_of(row), row["attempts"]) for row in self._database.rows(query, (self._name,))]

    @property
    def paused(self) -> bool:
        """Whether the queue is paused, until any process resumes it."""
        return bool(self._database.rows("SELECT queue FROM paused_queues WHERE queue = ?", (self._name,)))

    def pause(self) -> None:
        """Dispatch nothing more."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO paused_queues VALUES (?)", (self._name,))

    def resume(self) -> None:
        """Dispatch again."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM paused_queues WHERE queue = ?", (self._name,))

    def recover(self) -> None:
        """Void all leases. Call it after the only dispatching process has died."""
        query = "UPDATE tasks SET due = eta, dispatched = 0 WHERE queue = ? AND dispatched"
        with self._database.transaction() as connection:
            connection.execute(query, (self._name,))

    def _due(self, connection: Connection, now: datetime) -> Row | None:
        """Return the task to take at `now`; None if there is none."""
        query = "SELECT * FROM tasks WHERE queue = ? AND done_at IS NULL AND due <= ? ORDER BY due, added LIMIT 1"
        found: Row | None = None
        if not self.paused:
            found = connection.execute(query, (self._name, to_micros(now))).fetchone()
        return found

    def _given_up(self, row: Row, now: datetime) -> bool:
        return self._retry.exhausted(row["attempts"], now - from_micros(row["first_attempt"]))

    def _dispatch(self, connection: Connection, row: Row, now: datetime) -> Delivery:
        task, at = task_of(row), to_micros(now)
        deadline = now + self._deadline_of(task)
        query = (
            "UPDATE tasks SET due = ?, dispatched = 1, attempts = attempts + 1, last_eta = eta, last_attempt = ?, "
            "last_answer = NULL, first_attempt = coalesce(first_attempt, ?) WHERE added = ?"
        )
        connection.execute(query, (to_micros(deadline), at, at, row["added"]))
        return Delivery(
            task=task,
            queue=self._name,
            traceparent=row["traceparent"],
            attempt=row["attempts"] + 1,
            responses=row["responses"],
            previous_response=row["previous_response"],
            eta=from_micros(row["eta"]),
            deadline=deadline,
        )


def _add_traceparent(database: Database) -> None:
    """Add the column to a table that an older release has made."""
    with database.transaction() as connection:
        known = {row["name"] for row in connection.execute("SELECT name FROM pragma_table_info('tasks')")}
        if "traceparent" not in known:
            connection.execute("ALTER TABLE tasks ADD COLUMN traceparent TEXT NOT NULL DEFAULT ''")


def task_of(row: Row) -> Task:
    """Return the task in a row of the table."""
    body = json.loads(row["body"])
    return Task(name=row["name"], function=row["function"], body=body, at=from_micros(row["at"]))


def _finish(connection: Connection, row: Row, now: datetime) -> None:
    query = "UPDATE tasks SET done_at = ?, dispatched = 0 WHERE added = ?"
    connection.execute(query, (to_micros(now), row["added"]))


def _reschedule(connection: Connection, row: Row, status: int, now: datetime, at: datetime) -> None:
    query = (
        "UPDATE tasks SET eta = ?, due = ?, dispatched = 0, responses = ?, answers = ?, previous_response = ?, "
        "last_answer = ? WHERE added = ?"
    )
    due, answered = to_micros(at), status not in NO_ANSWER
    responses, answers = row["responses"] + (answered and status < 500), row["answers"] + answered
    connection.execute(query, (due, due, responses, answers, status, to_micros(now), row["added"]))
