"""The document port on Firestore: documents that people may have edited, and changes that happen exactly once.

A change reads a document and writes it on condition that it has not changed since. There are no locks, and of many
concurrent changes one always succeeds. A commit that succeeds may still answer UNAVAILABLE. So every write stores the
name of its writer beside those of the previous writers. If a repetition finds its own name, the work is already done.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.document import DocumentReference

from functions.gcp.firestore.batch import FirestoreBatch
from functions.gcp.firestore.calls import SERVICE, find, once, patiently, transaction
from functions.gcp.firestore.places import asked, content, document, keys, part, value
from functions.gcp.firestore.snapshots import Snapshot, last_written_by, plain, signed, written_by
from functions.gcp.trouble import translated
from functions.stores.documents import Batch, Collection, E, Guard, GuardFailed, Keys, Overtaken, Place, Query, T

V = TypeVar("V")

_OfVersions = dict[Place[Any], tuple[int, V]]
"""For documents that are replaced by version: a version, and when it was written."""
_MOST_REMEMBERED = 1_000
_MOST_DELETED = 400
"""Firestore takes at most 500 writes in one commit."""
_WRITTEN_MEANWHILE = (exceptions.FailedPrecondition, exceptions.AlreadyExists, exceptions.NotFound)


class FirestoreDocuments:
    """Implements Documents."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._update_times: _OfVersions[datetime] = {}
        self._writers: _OfVersions[str] = {}

    def get(self, place: Place[E]) -> E | None:
        snapshot = self._read(place)
        found = value(place.collection, snapshot)
        if found is not None and place.collection.version:
            _keep(self._update_times, place, place.collection.version(found), snapshot.update_time)
        return found

    def get_all(self, places: Sequence[Place[E]]) -> Sequence[E | None]:
        """Return documents in the order of the places."""
        references = [document(self._client, place) for place in places]
        found = find(partial(self._client.get_all, references)) if places else []
        snapshots = {snapshot.reference: snapshot for snapshot in found}
        pairs = zip(places, references, strict=True)
        return [value(place.collection, snapshots[reference]) for place, reference in pairs]

    def create(self, place: Place[E], value: E) -> bool:
        reference, writer = document(self._client, place), uuid4().hex
        written = signed(content(place.collection, value), writer)
        with translated(SERVICE):
            try:
                patiently(lambda: reference.create(written, **once()))
            except exceptions.AlreadyExists:
                return written_by(patiently(lambda: reference.get(**once())), writer)
        return True

    def change(self, places: Sequence[Place[Any]], work: Callable[[Batch], T]) -> T:
        """Read documents at one instant, let `work` write some of them, and return its result.

        `work` runs again if another process was faster. If it raises, nothing is written. Transient if it does not
        succeed within half a minute.
        """
        references, writer = [document(self._client, place) for place in places], uuid4().hex
        results: list[T] = []

        def attempt() -> T:
            snapshots = list(self._client.get_all(references, **once()))
            if results and any(written_by(snapshot, writer) for snapshot in snapshots):
                return results[0]
            batch = FirestoreBatch(self._client, snapshots, writer, self._left_behind)
            result = work(batch)
            results[:] = [result]
            try:
                batch.commit()
            except _WRITTEN_MEANWHILE as error:
                raise exceptions.Aborted("another process wrote it meanwhile") from error  # type: ignore[no-untyped-call]
            return result

        with translated(SERVICE):
            return patiently(attempt)

    def replace(self, place: Place[E], value: E, *, version: int, guard: Guard) -> None:
        """Replace a document at a given version, in one transaction, if a guard holds.

        The version is compared by the instant at which this process last read or wrote it.
        """
        reference, writer = document(self._client, place), uuid4().hex
        written = signed(content(place.collection, value), writer)
        stored_at = self._stored_at(place, version)
        _keep(self._writers, place, version, writer)

        def attempt() -> datetime:
            with transaction(self._client) as writing:
                guarding = document(self._client, guard.place)
                [snapshot] = self._client.get_all([guarding], [guard.field], writing, **once())
                found = (snapshot.to_dict() or {}).get(guard.field)
                if found != guard.value:
                    raise GuardFailed(found)
                if stored_at is None:
                    raise Overtaken
                writing.update(reference, written, option=self._client.write_option(last_update_time=stored_at))
                return writing.end()

        with translated(SERVICE):
            try:
                update_time = patiently(attempt)
            except (exceptions.FailedPrecondition, exceptions.NotFound):
                stored = patiently(lambda: reference.get(**once()))
                if not last_written_by(stored, writer):
                    raise Overtaken from None
                update_time = stored.update_time
        _keep(self._update_times, place, version + 1, update_time)
        self._writers.pop(place, None)

    def find(self, collection: Collection[E], query: Query) -> Sequence[E]:
        """Return the documents that a query finds, with their parts, which are read in one call."""
        snapshots = find(asked(self._client, collection, query).stream)
        parts = self._parts(collection, snapshots) if query.parts else {}
        values = (value(collection, snapshot, parts.get(snapshot.reference)) for snapshot in snapshots)
        return [each for each in values if each is not None]

    def count(self, collection: Collection[Any], query: Query) -> int:
        [[counted]] = find(asked(self._client, collection, query).count(alias="found").get)
        return int(counted.value)

    def delete_all(self, collection: Collection[Any], keys: Keys) -> None:
        """Delete the documents whose first keys are these, in batches; PROGRESS and such are one document."""
        if collection.path.count("{}") == len(keys):
            found = [document(self._client, Place(collection, keys))]
        else:
            found = [each.reference for each in find(asked(self._client, collection, Query(under=keys)).stream)]
        for first in range(0, len(found), _MOST_DELETED):
            with translated(SERVICE):
                patiently(partial(self._delete, found[first : first + _MOST_DELETED]))

    def expire(self, collection: Collection[Any], now: datetime) -> None:
        """Do nothing: infra/modules/firestore has Firestore delete documents after their `expireAt`."""

    def _delete(self, references: Sequence[DocumentReference]) -> None:
        batch = self._client.batch()
        for reference in references:
            batch.delete(reference)
        batch.commit(**once())

    def fill(self, collection: Collection[Any], query: Query, field: str) -> None:
        """Rewrite the documents that a query finds without a field."""
        for snapshot in find(asked(self._client, collection, query).stream):
            if field not in (snapshot.to_dict() or {}):
                place = collection.at(*keys(collection, snapshot.reference))
                self.change([place], partial(_write_again, place))

    def _read(self, place: Place[Any]) -> Snapshot:
        reference = document(self._client, place)
        with translated(SERVICE):
            return patiently(lambda: reference.get(**once()))

    def _parts(self, collection: Collection[Any], snapshots: Sequence[Snapshot]) -> Mapping[Any, Mapping[str, Any]]:
        """Return the parts of documents by the documents' references."""
        wanted = [
            (each.reference, name, part(each.reference, name)) for each in snapshots for name in collection.parts
        ]
        if not wanted:
            return {}
        stored = find(partial(self._client.get_all, [place for _, _, place in wanted]))
        documents = {each.reference: plain(each) for each in stored}
        parts: dict[Any, dict[str, Any]] = defaultdict(dict)
        for reference, name, place in wanted:
            parts[reference][name] = documents[place]
        return parts

    def _stored_at(self, place: Place[Any], version: int) -> datetime | None:
        """Return when a version of a document was written; None if another version is stored."""
        known, at = self._update_times.get(place, (-1, None))
        if known == version:
            return at
        snapshot = self._read(place)
        stored = value(place.collection, snapshot)
        of = place.collection.version
        return snapshot.update_time if stored and of and of(stored) == version else None

    def _left_behind(self, place: Place[Any], version: int, snapshot: Snapshot) -> bool:
        failed, writer = self._writers.get(place, (-1, ""))
        return failed == version and last_written_by(snapshot, writer)


def _keep(known: _OfVersions[V], place: Place[Any], version: int, value: V) -> None:
    """Remember a version, and forget the oldest if there are too many."""
    while len(known) >= _MOST_REMEMBERED:
        known.pop(next(iter(known)), None)
    known[place] = (version, value)


def _write_again(place: Place[Any], batch: Batch) -> None:
    value = batch.read(place)
    if value is not None:
        batch.write(place, value)
