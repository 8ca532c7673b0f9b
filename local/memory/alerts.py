"""Alerts in memory: those that were written down, those on their way, and the channels that get them."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from functions.domain.alerts.alert import Alert
from functions.domain.alerts.outgoing import OutgoingAlert
from functions.domain.errors import NotFound


class MemoryAlerts:
    """Plays Alerts."""

    def __init__(self) -> None:
        self.sent: list[Alert] = []

    def send(self, alert: Alert) -> None:
        """Keep an alert."""
        self.sent.append(alert)


class MemoryAlertStore:
    """Plays AlertStore."""

    def __init__(self) -> None:
        self._alerts: dict[str, OutgoingAlert] = {}
        self._writing = threading.RLock()

    def record(self, outgoing: OutgoingAlert) -> bool:
        """Keep an alert; False where one of its id is kept already."""
        with self._writing:
            return self._alerts.setdefault(outgoing.id, outgoing) is outgoing

    def change(self, alert_id: str, change: Callable[[OutgoingAlert], OutgoingAlert]) -> OutgoingAlert:
        """Replace an alert by what `change` makes of it, in one transaction; NotFound where there is none."""
        with self._writing:
            if alert_id not in self._alerts:
                raise NotFound(f"there is no alert {alert_id!r}")
            changed = change(self._alerts[alert_id])
            self._alerts[alert_id] = changed
            return changed

    def waiting(self, quiet_since: datetime) -> Sequence[OutgoingAlert]:
        """Return the alerts that some channel is still to get, and that nobody has tried since then, oldest first."""
        found = [one for one in self._alerts.values() if one.waiting and one.quiet_since <= quiet_since]
        return sorted(found, key=lambda one: (one.at, one.id))

    def all(self) -> Sequence[OutgoingAlert]:
        """Return every alert, in the order in which they were recorded."""
        return list(self._alerts.values())


@dataclass
class MemoryChannels:
    """Plays Channels: counts what each channel got, by its text."""

    posted: Counter[tuple[str, str]] = field(default_factory=Counter)

    def post(self, channel: str, payload: Mapping[str, Any]) -> None:
        """Take whatever is posted."""
        self.posted[channel, payload["text"]] += 1
