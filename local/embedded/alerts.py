"""Alerts as lines of a file."""

import logging
from pathlib import Path

from functions.domain.instants import stamp
from functions.ports import Alert, Clock
from local.embedded.documents import to_text
from local.embedded.json_lines import JsonLines

_log = logging.getLogger(__name__)


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
        }
        try:
            JsonLines(self._path).append((to_text(document) + "\n").encode())
        except (OSError, ValueError) as error:
            _log.error("alert not written to %s (%s): %s %r", self._path, error, alert.kind, alert.message)
