"""Alerts on their way to channels in Firestore: `alerts/{id}`.

`waitingQuietlySince` is there while some channel is still to get the alert, and is what is searched for; Firestore
deletes a document some time after its `expireAt`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from functions.domain.alerts.outgoing import KEPT, OutgoingAlert
from functions.domain.errors import NotFound
from functions.gcp.firestore.documents import Snapshot, Unit, create, find, plain
from functions.gcp.firestore.documents import change as change_documents


class FirestoreAlertStore:
    """Plays AlertStore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._alerts = client.collection("alerts")

    def record(self, outgoing: OutgoingAlert) -> bool:
        """Keep an alert; False where one of its id is kept already."""
        return create(self._alerts.document(outgoing.id), _written(outgoing))

    def change(self, alert_id: str, change: Callable[[OutgoingAlert], OutgoingAlert]) -> OutgoingAlert:
        """Replace an alert by what `change` makes of it, in one transaction; NotFound where there is none."""
        reference = self._alerts.document(alert_id)

        def work(unit: Unit) -> OutgoingAlert:
            known = _read(unit.read(reference))
            if known is None:
                raise NotFound(f"there is no alert {alert_id!r}")
            changed = change(known)
            unit.write(reference, _written(changed))
            return changed

        return change_documents(self._client, [reference], work)

    def waiting(self, quiet_since: datetime) -> Sequence[OutgoingAlert]:
        """Return the alerts that some channel is still to get, and that nobody has tried since then, oldest first."""
        query = self._alerts.where(filter=FieldFilter("waitingQuietlySince", "<=", quiet_since))
        found = [outgoing for snapshot in find(query.stream) if (outgoing := _read(snapshot)) is not None]
        return sorted(found, key=lambda outgoing: (outgoing.at, outgoing.id))


def _written(outgoing: OutgoingAlert) -> dict[str, Any]:
    waiting = {"waitingQuietlySince": outgoing.quiet_since} if outgoing.waiting else {}
    return {**outgoing.document(), **waiting, "expireAt": outgoing.at + KEPT}


def _read(snapshot: Snapshot) -> OutgoingAlert | None:
    document = plain(snapshot)
    return OutgoingAlert.read(document) if document else None
