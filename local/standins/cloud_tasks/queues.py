"""All queues of the emulator, combined."""

import json
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from google.cloud import tasks_v2

from functions.ports.queue import Clock
from local.embedded.database import Database
from local.embedded.delivery import Delivery
from local.embedded.instants import to_micros
from local.standins.cloud_tasks.errors import FailedPrecondition, NotFound
from local.standins.cloud_tasks.messages import to_document
from local.standins.cloud_tasks.task_queue import EmulatedQueue, Lateness

_State: Any = tasks_v2.Queue.State
_NAMES_STAY_TAKEN = timedelta(days=3)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS cloud_queues (name TEXT PRIMARY KEY, settings TEXT NOT NULL, deleted_at INTEGER)
"""


class Queues:
    """Stores the settings of queues, and returns their tasks in order of time."""

    def __init__(self, database: Database, clock: Clock, lateness: Lateness, *, throttled: bool = False) -> None:
        self._throttled = throttled
        self._database = database
        self._clock = clock
        self._lateness = lateness
        self._lock = threading.RLock()
        self._open: dict[str, EmulatedQueue] = {}
        database.define(_SCHEMA)
        for row in database.rows("SELECT * FROM cloud_queues WHERE deleted_at IS NULL ORDER BY name"):
            self._reopen(tasks_v2.Queue.from_json(row["settings"]))

    def __getitem__(self, name: str) -> EmulatedQueue:
        """Return a queue; NotFound if it does not exist."""
        with self._lock:
            if name not in self._open:
                raise NotFound(f"queue {name} does not exist")
            return self._open[name]

    def __contains__(self, name: str) -> bool:
        with self._lock:
            return name in self._open

    def settings(self, name: str) -> tasks_v2.Queue:
        """Return a queue's settings and state; NotFound if it does not exist."""
        paused = self[name].paused
        [row] = self._database.rows("SELECT settings FROM cloud_queues WHERE name = ?", (name,))
        queue: tasks_v2.Queue = tasks_v2.Queue.from_json(row["settings"])
        queue.state = _State.PAUSED if paused else _State.RUNNING
        return queue

    def names(self) -> list[str]:
        """Return the names of all queues, sorted."""
        with self._lock:
            return sorted(self._open)

    def save(self, settings: tasks_v2.Queue) -> None:
        """Create a queue or replace its settings. Its tasks stay, and a paused queue stays paused.

        FailedPrecondition if a queue with this name was deleted in the last three days.
        """
        with self._lock, self._database.transaction() as connection:
            self._refuse_tombstone(settings.name)
            document = json.dumps(to_document(settings))
            connection.execute("INSERT OR REPLACE INTO cloud_queues VALUES (?, ?, NULL)", (settings.name, document))
        self._reopen(settings)

    def delete(self, name: str) -> None:
        """Delete a queue with its tasks; NotFound if it does not exist."""
        with self._lock:
            self[name].forget()
            del self._open[name]
            now = to_micros(self._clock.now())
            with self._database.transaction() as connection:
                connection.execute("UPDATE cloud_queues SET deleted_at = ? WHERE name = ?", (now, name))

    def was_deleted(self, name: str) -> bool:
        """Return whether a queue with this name was deleted in the last three days."""
        query = "SELECT name FROM cloud_queues WHERE name = ? AND deleted_at > ?"
        return bool(self._database.rows(query, (name, to_micros(self._clock.now() - _NAMES_STAY_TAKEN))))

    def next_at(self) -> datetime | None:
        """Return when the next task of any queue may be dispatched; None if no task can be."""
        return min((at for at in self._next_by_queue().values() if at), default=None)

    def take(self, now: datetime) -> Delivery | None:
        """Dispatch the earliest task that is due, and return it, or None."""
        due = sorted((at, name) for name, at in self._next_by_queue().items() if at and at <= now)
        for _, name in due:
            if name in self and (delivery := self[name].take(now)):
                return delivery
        return None

    def settle(self, delivery: Delivery, status: int, retry_after: float | None = None) -> None:
        """Pass a delivery's answer to its queue; do nothing if the queue was deleted."""
        if delivery.queue in self:
            self[delivery.queue].settle(delivery, status, retry_after)

    def recover(self) -> None:
        """Void all leases. Call this after the only dispatching process has died."""
        for name in self.names():
            self[name].recover()

    def _next_by_queue(self) -> Mapping[str, datetime | None]:
        with self._lock:
            return {name: queue.next_at() for name, queue in self._open.items()}

    def _reopen(self, settings: tasks_v2.Queue) -> None:
        with self._lock:
            self._open[settings.name] = EmulatedQueue(
                self._database, self._clock, settings, self._lateness, throttled=self._throttled
            )

    def _refuse_tombstone(self, name: str) -> None:
        if self.was_deleted(name):
            message = f"queue {name} cannot be created because a queue with this name existed too recently"
            raise FailedPrecondition(message)
