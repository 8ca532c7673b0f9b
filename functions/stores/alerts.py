"""The store of alerts.

A document has `waitingQuietlySince`, the field to search by, while some channel still has to get the alert. Firestore
deletes a document some time after its `expireAt`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from functions.domain import retention
from functions.domain.alerts.outgoing import OutgoingAlert
from functions.stores.documents import Collection, Documents, Query, change_one


def _fields(outgoing: OutgoingAlert) -> Mapping[str, Any]:
    waiting = {"waitingQuietlySince": outgoing.quiet_since} if outgoing.waiting else {}
    return {**waiting, "expireAt": outgoing.at + retention.ALERTS}


ALERTS = Collection[OutgoingAlert](
    path="alerts/{}",
    write=OutgoingAlert.document,
    read=lambda document, _: OutgoingAlert.read(document) if document else None,
    fields=_fields,
    read_newer=lambda *_: None,
)


class DocumentAlertStore:
    """Implements AlertStore."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def record(self, outgoing: OutgoingAlert) -> bool:
        return self._documents.create(ALERTS.at(outgoing.id), outgoing)

    def change(self, alert_id: str, change: Callable[[OutgoingAlert], OutgoingAlert]) -> OutgoingAlert:
        missing = f"there is no alert {alert_id!r}"
        return change_one(self._documents, ALERTS.at(alert_id), change, missing=missing)

    def waiting(self, quiet_since: datetime) -> Sequence[OutgoingAlert]:
        found = self._documents.find(ALERTS, Query(where=(("waitingQuietlySince", "<=", quiet_since),)))
        return sorted(found, key=lambda outgoing: (outgoing.at, outgoing.id))
