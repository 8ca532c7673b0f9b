"""Alerts in memory: written alerts, the alert store, and channels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.domain.alerts.alert import Alert
from functions.domain.alerts.outgoing import OutgoingAlert
from functions.stores.alerts import ALERTS, DocumentAlertStore
from local.memory.documents import MemoryDocuments


class MemoryAlerts:
    """Implements Alerts."""

    def __init__(self) -> None:
        self.sent: list[Alert] = []

    def send(self, alert: Alert) -> None:
        """Keep an alert."""
        self.sent.append(alert)


class MemoryAlertStore(DocumentAlertStore):
    """Implements AlertStore, with access to all alerts."""

    _documents: MemoryDocuments

    def all(self) -> Sequence[OutgoingAlert]:
        """Return every alert, in the order in which they were recorded."""
        return list(self._documents.all(ALERTS).values())


@dataclass
class MemoryChannels:
    """Implements Channels: counts what each channel got, by its text."""

    posted: Counter[tuple[str, str]] = field(default_factory=Counter)

    def post(self, channel: str, payload: Mapping[str, Any]) -> None:
        """Accept every post."""
        self.posted[channel, payload["text"]] += 1
