"""Documents as Firestore returns them and takes them, with the names of their last writers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from google.cloud.firestore_v1.base_document import DocumentSnapshot
from google.cloud.firestore_v1.document import DocumentReference

from functions.domain.instants import stamp

Snapshot = DocumentSnapshot[Any]
WRITERS = "_writers"
"""The field that names who wrote a document, the last first."""
_MOST_WRITERS = 20


def signed(content: Mapping[str, Any], writer: str, snapshot: Snapshot | None = None) -> dict[str, Any]:
    """Return a document to write, with the name of its writer before those of the last writers."""
    before = writers(snapshot) if snapshot else []
    return storable(content) | {WRITERS: [writer, *before][:_MOST_WRITERS]}


def writers(snapshot: Snapshot) -> list[Any]:
    """Return the last writers of a document, none where a person has made something else of them."""
    written = (snapshot.to_dict() or {}).get(WRITERS)
    return written if isinstance(written, list) else []


def written_by(snapshot: Snapshot, writer: str) -> bool:
    """Return whether a writer has written a document, even if others have written it since."""
    return writer in writers(snapshot)


def last_written_by(snapshot: Snapshot, writer: str) -> bool:
    """Say whether a document is as a writer left it."""
    return writers(snapshot)[:1] == [writer]


def plain(snapshot: Snapshot) -> dict[str, Any] | None:
    """Return a document as JSON has it, bytes aside; None where there is none."""
    document = snapshot.to_dict()
    if document is None:
        return None
    return {name: _plain(value) for name, value in document.items() if name != WRITERS}


def storable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with nothing but dicts and lists in it: Firestore's client takes no other containers."""
    return {name: _storable(value) for name, value in document.items()}


def _storable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return storable(value)
    return [_storable(item) for item in value] if isinstance(value, (list, tuple)) else value


def _plain(value: Any) -> Any:
    """Write as text what only Firestore's console can enter: timestamps, places, references."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, DocumentReference):
        return value.path
    return value if value is None or isinstance(value, (str, int, float, bool, bytes)) else str(value)
