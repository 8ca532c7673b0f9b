"""One attempt at a change of documents in Firestore."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.document import DocumentReference

from functions.gcp.firestore.calls import once
from functions.gcp.firestore.places import content, document, part, value
from functions.gcp.firestore.snapshots import Snapshot, signed
from functions.stores.documents import E, Place

LeftBehind = Callable[[Place[Any], int, Snapshot], bool]


class FirestoreBatch:
    """Implements Batch: writes on condition that nothing was written since the read."""

    def __init__(
        self, client: firestore.Client, snapshots: Iterable[Snapshot], writer: str, left_behind: LeftBehind
    ) -> None:
        self._client, self._writer, self._left_behind = client, writer, left_behind
        self._snapshots = {snapshot.reference: snapshot for snapshot in snapshots}
        self._batch = client.batch()

    def read(self, place: Place[E]) -> E | None:
        return value(place.collection, self._snapshot(place))

    def write(self, place: Place[E], value: E) -> None:
        """Create or replace a document that was read; the commit fails if another process writes it first."""
        self._put(document(self._client, place), content(place.collection, value))
        for name, part_of in place.collection.parts.items():
            if (written := part_of(value)) is not None:
                self._batch.set(part(document(self._client, place), name), signed(written, self._writer))

    def create(self, place: Place[E], value: E) -> bool:
        if self._snapshot(place).exists:
            return False
        self.write(place, value)
        return True

    def delete(self, place: Place[Any]) -> None:
        """Delete a document that was read; the commit fails if another process writes it first."""
        snapshot = self._snapshot(place)
        if snapshot.exists:
            self._batch.delete(snapshot.reference, option=_unchanged(snapshot))

    def add(self, place: Place[Mapping[str, int]], amounts: Mapping[str, int]) -> None:
        written = place.collection.document(amounts)
        increments = {name: firestore.Increment(amount) for name, amount in amounts.items()}
        self._batch.set(document(self._client, place), {**written, **increments}, merge=True)

    def touch(self, place: Place[None]) -> None:
        """Write an empty document; the commit fails if another process writes it first."""
        self._put(document(self._client, place), content(place.collection, None))

    def left_behind(self, place: Place[Any], version: int) -> bool:
        """Return whether this process wrote the stored document, although its `replace` of this version failed."""
        return self._left_behind(place, version, self._snapshot(place))

    def commit(self) -> None:
        """Write all changes."""
        if len(self._batch):
            self._batch.commit(**once())

    def _snapshot(self, place: Place[Any]) -> Snapshot:
        return self._snapshots[document(self._client, place)]

    def _put(self, reference: DocumentReference, fields: Mapping[str, Any]) -> None:
        snapshot = self._snapshots[reference]
        written = signed(fields, self._writer, snapshot)
        if not snapshot.exists:
            self._batch.create(reference, written)
            return
        gone = dict.fromkeys((snapshot.to_dict() or {}).keys() - written.keys(), firestore.DELETE_FIELD)
        changes = {self._client.field_path(name): each for name, each in (written | gone).items()}
        self._batch.update(reference, changes, option=_unchanged(snapshot))


def _unchanged(snapshot: Snapshot) -> firestore.WriteOption:
    return firestore.Client.write_option(last_update_time=snapshot.update_time)
