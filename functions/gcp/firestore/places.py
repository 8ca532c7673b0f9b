"""Firestore references, queries and contents for the collections of the stores."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.document import DocumentReference

from functions.gcp.firestore.snapshots import Snapshot, plain
from functions.stores.documents import Collection, E, Key, Keys, Place, Query

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def document(client: firestore.Client, place: Place[Any]) -> DocumentReference:
    """Return the reference of a document."""
    return client.document(_path(place.collection.path, place.keys))


def part(reference: DocumentReference, name: str) -> DocumentReference:
    """Return the reference of a part, below its document."""
    return cast("DocumentReference", reference.collection("documents").document(name))


def keys(collection: Collection[Any], reference: DocumentReference) -> tuple[str, ...]:
    """Return the keys of a document, as text."""
    names = zip(collection.path.split("/"), reference.path.split("/"), strict=True)
    return tuple(name for form, name in names if form.startswith("{"))


def content(collection: Collection[E], value: E) -> Mapping[str, Any]:
    """Return the content of a document in Firestore, without its parts."""
    return {**collection.document(value), **collection.fields(value)}


def value(
    collection: Collection[E], snapshot: Snapshot, parts: Mapping[str, Mapping[str, Any] | None] | None = None
) -> E | None:
    """Return the value of a document, None if there is none. Firestore numbers documents by creation time."""
    found = plain(snapshot)
    if found is None:
        return None
    read = collection.value({**found, **(parts or {})}, keys(collection, snapshot.reference))
    if read is None or collection.numbered is None:
        return read
    return collection.numbered(read, (snapshot.create_time - _EPOCH) // timedelta(microseconds=1))


def asked(client: firestore.Client, collection: Collection[Any], query: Query) -> Any:
    """Return a Firestore query. Without keys it covers every collection of that name."""
    folder = collection.path.rpartition("/")[0]
    everywhere = "{" in folder and not query.under
    found: Any = (
        client.collection_group(folder.rpartition("/")[2])
        if everywhere
        else client.collection(_path(folder, query.under))
    )
    for name, comparison, wanted in query.where:
        found = found.where(filter=FieldFilter(name, comparison, wanted))
    if query.order or query.after:
        direction = firestore.Query.DESCENDING if query.descending else firestore.Query.ASCENDING
        for name in filter(None, (query.order, "__name__")):
            found = found.order_by(name, direction=direction)
    if query.after:
        found = found.start_after(_cursor(client, collection, query))
    return found if query.most is None else found.limit(query.most)


def _cursor(client: firestore.Client, collection: Collection[Any], query: Query) -> Mapping[str, Any]:
    values = {query.order: query.after[0]} if query.order else {}
    rest = query.after[len(values) :]
    return {**values, "__name__": document(client, collection.at(*query.under, *rest))}


def _path(path: str, given: Keys) -> str:
    return path.format(*map(_name, given))


def _name(key: Key) -> Key:
    """Return a key as part of a document's name, which must not contain a slash."""
    return key.replace("/", "%2F") or "%" if isinstance(key, str) else key
