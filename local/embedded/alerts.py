"""Alerts as lines of a file, if there are no channels."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from functions.domain.alerts.alert import Alert
from functions.domain.errors import Misconfigured, StoreUnavailable
from functions.domain.instants import stamp
from functions.ports.queue import Clock
from local.embedded.documents import to_text
from local.embedded.json_lines import JsonLines

_log = logging.getLogger(__name__)


class FileAlerts:
    """Implements Alerts: appends to a file, or to the server's log if the file cannot be written."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    def send(self, alert: Alert) -> None:
        """Write an alert; never raises."""
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


class NoChannels:
    """Implements Channels if none are configured."""

    def post(self, channel: str, payload: Mapping[str, Any]) -> None:
        """Refuse: no channel has an address."""
        raise Misconfigured("ALERT_WEBHOOKS", f"names no channel {channel!r} for its {len(payload)} fields")
