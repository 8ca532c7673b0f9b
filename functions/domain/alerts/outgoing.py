"""An alert on its way to its channels: its state, so that each channel gets it exactly once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from functions.domain.alerts.alert import Alert
from functions.domain.documents import known
from functions.domain.errors import NotYet
from functions.domain.instants import instant, stamp

PATIENCE = timedelta(days=1)
"""How long a channel is tried: an older alert would only mislead."""


class Fate(StrEnum):
    """The result of an alert at one channel."""

    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, kw_only=True)
class OutgoingAlert:
    """An alert with its time, its channels, and the results of the channels that have answered.

    `quiet_since` is the time of the last attempt. A worker that delivers the alert holds it until `lease_until`.
    """

    alert: Alert
    at: datetime
    channels: tuple[str, ...]
    fates: Mapping[str, Fate] = field(default_factory=dict)
    quiet_since: datetime
    lease_until: datetime | None = None

    @property
    def id(self) -> str:
        """The alert's own id."""
        return self.alert.id

    @property
    def waiting(self) -> tuple[str, ...]:
        """The channels that still have to get the alert."""
        return tuple(channel for channel in self.channels if channel not in self.fates)

    def claimed(self, now: datetime, lease: timedelta) -> "OutgoingAlert":
        """Claim the alert for delivery, for as long as the lease; NotYet while another worker holds it.

        An alert that is too old is given up.
        """
        if not self.waiting:
            return self
        if now - self.at > PATIENCE:
            given_up = dict.fromkeys(self.waiting, Fate.GIVEN_UP)
            return replace(self, fates={**self.fates, **given_up}, lease_until=None)
        if self.lease_until is not None and now < self.lease_until:
            raise NotYet(f"alert {self.id} is being delivered; the next attempt", self.lease_until)
        return replace(self, quiet_since=now, lease_until=now + lease)

    def settled(self, channel: str, fate: Fate) -> "OutgoingAlert":
        """Record the result at a channel."""
        return replace(self, fates={**self.fates, channel: fate})

    def released(self) -> "OutgoingAlert":
        """Release the lease, so that the next worker can try at once."""
        return replace(self, lease_until=None)

    def document(self) -> dict[str, Any]:
        """Return the document to store."""
        return {
            "alert": {
                "kind": self.alert.kind,
                "executionId": self.alert.execution_id,
                "message": self.alert.message,
                "subject": self.alert.subject,
                "details": list(self.alert.details),
            },
            "at": stamp(self.at),
            "channels": list(self.channels),
            "fates": {channel: fate.value for channel, fate in self.fates.items()},
            "quietSince": stamp(self.quiet_since),
            "leaseUntil": stamp(self.lease_until),
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "OutgoingAlert":
        """Read what `document` wrote."""
        alert = document["alert"]
        return cls(
            alert=Alert(
                kind=alert["kind"],
                execution_id=alert["executionId"],
                message=alert["message"],
                subject=alert["subject"],
                details=tuple(alert["details"]),
            ),
            at=instant(document["at"]),
            channels=tuple(document["channels"]),
            fates={channel: known(Fate, fate, Fate.GIVEN_UP) for channel, fate in document["fates"].items()},
            quiet_since=instant(document["quietSince"]),
            lease_until=instant(document["leaseUntil"]) if document["leaseUntil"] else None,
        )
