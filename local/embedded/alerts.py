"""Alerts as lines of a file, and those on their way to channels in SQLite."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from functions.domain.alerts.alert import Alert
from functions.domain.alerts.outgoing import OutgoingAlert
from functions.domain.errors import Misconfigured, NotFound, StoreUnavailable
from functions.domain.instants import stamp
from functions.ports.queue import Clock
from local.embedded.database import Database
from local.embedded.documents import to_text
from local.embedded.instants import to_micros
from local.embedded.json_lines import JsonLines

_log = logging.getLogger(__name__)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS alerts (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, waiting_quietly_since INTEGER, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS alerts_waiting ON alerts (at) WHERE waiting_quietly_since IS NOT NULL
"""


class FileAlerts:
    """Plays Alerts: appends to a file, and to the server's log where the file cannot be written."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    def send(self, alert: Alert) -> None:
        """Pass an alert on; never raises."""
        document = {
            "at": stamp(self._clock.now()),
            "kind": alert.kind,
            "executionId": alert.execution_id,
            "message": alert.message,
            **({"details": alert.details} if alert.details else {}),
        }
        try:
            JsonLines(self._path).append((to_text(document) + "\n").encode())
        except (StoreUnavailable, OSError, ValueError) as error:
            _log.error("alert not written to %s (%s): %s %r", self._path, error, alert.kind, alert.message)


class SqliteAlertStore:
    """Plays AlertStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def record(self, outgoing: OutgoingAlert) -> bool:
        """Keep an alert; False where one of its id is kept already."""
        with self._database.transaction() as connection:
            query = "INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?)"
            return connection.execute(query, _row(outgoing)).rowcount == 1

    def change(self, alert_id: str, change: Callable[[OutgoingAlert], OutgoingAlert]) -> OutgoingAlert:
        """Replace an alert by what `change` makes of it, in one transaction; NotFound where there is none."""
        with self._database.transaction() as connection:
            rows = self._database.rows("SELECT document FROM alerts WHERE id = ?", (alert_id,))
            if not rows:
                raise NotFound(f"there is no alert {alert_id!r}")
            changed = change(OutgoingAlert.read(json.loads(rows[0]["document"])))
            connection.execute("INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?)", _row(changed))
        return changed

    def waiting(self, quiet_since: datetime) -> Sequence[OutgoingAlert]:
        """Return the alerts that some channel is still to get, and that nobody has tried since then, oldest first."""
        query = "SELECT document FROM alerts WHERE waiting_quietly_since <= ? ORDER BY at, id"
        rows = self._database.rows(query, (to_micros(quiet_since),))
        return [OutgoingAlert.read(json.loads(row["document"])) for row in rows]


def _row(outgoing: OutgoingAlert) -> tuple[object, ...]:
    quiet_since = to_micros(outgoing.quiet_since) if outgoing.waiting else None
    return (outgoing.id, to_micros(outgoing.at), quiet_since, to_text(outgoing.document()))


class NoChannels:
    """Plays Channels where there are none."""

    def post(self, channel: str, payload: Mapping[str, Any]) -> None:
        """Refuse: nobody has said where a channel is."""
        raise Misconfigured("ALERT_WEBHOOKS", f"names no channel {channel!r} for its {len(payload)} fields")
