"""Documents in Firestore's form, with the names of their last writers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from google.cloud.firestore_v1.base_document import DocumentSnapshot
from google.cloud.firestore_v1.document import DocumentReference

from functions.domain.instants import stamp

Snapshot = DocumentSnapshot[Any]
WRITERS = "_writers"
"""The field with the writers of a document, the last one first."""
_MOST_WRITERS = 20


def signed(content: Mapping[str, Any], writer: str, snapshot: Snapshot | None = None) -> dict[str, Any]:
    """Return a document to write, with the new writer before the previous ones."""
    before = writers(snapshot) if snapshot else []
    return storable(content) | {WRITERS: [writer, *before][:_MOST_WRITERS]}


def writers(snapshot: Snapshot) -> list[Any]:
    """Return the last writers of a document; none if a person edited the field."""
    written = (snapshot.to_dict() or {}).get(WRITERS)
    return written if isinstance(written, list) else []


def written_by(snapshot: Snapshot, writer: str) -> bool:
    """Return whether a writer wrote the document, even if others wrote it later."""
    return writer in writers(snapshot)


def last_written_by(snapshot: Snapshot, writer: str) -> bool:
    """Return whether a writer was the last to write the document."""
    return writers(snapshot)[:1] == [writer]


def plain(snapshot: Snapshot) -> dict[str, Any] | None:
    """Return a document as JSON, except for bytes; None if there is none."""
    document = snapshot.to_dict()
    if document is None:
        return None
    return {name: _plain(value) for name, value in document.items() if name != WRITERS}


def storable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document made of dicts and lists: Firestore's client accepts no other containers."""
    return {name: _storable(value) for name, value in document.items()}


def _storable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return storable(value)
    return [_storable(item) for item in value] if isinstance(value, (list, tuple)) else value


def _plain(value: Any) -> Any:
    """Convert types that only Firestore's console can enter to text: timestamps, geographical points, references."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, DocumentReference):
        return value.path
    return value if value is None or isinstance(value, (str, int, float, bool, bytes)) else str(value)
