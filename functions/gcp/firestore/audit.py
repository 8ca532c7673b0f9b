"""The audit log in Firestore: `audit/{recipe}/entries/{number}`, and below each entry its `documents`.

The documents `before` and `after` are what the recipe was and is: whatever fits into the store fits in here, and
people can read it in Firestore's console.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.collection import CollectionReference
from google.cloud.firestore_v1.document import DocumentReference

from functions.domain.audit import Action, AuditEntry, Deed
from functions.domain.documents import known
from functions.domain.errors import Conflict
from functions.domain.instants import instant
from functions.gcp.firestore.documents import Unit, find, plain
from functions.gcp.firestore.documents import change as change_documents
from functions.ports.stores import AuditPlace

Told = dict[str, Any] | None
_MOST_TRIES = 100


class _NumberTaken(Exception):
    """Somebody else has added an entry of this number."""


class _NewEntry:
    """An entry that is to be written together with the change that it tells of."""

    def __init__(self, place: DocumentReference, number: int) -> None:
        self._place, self._number = place, number
        self._before, self._after = _documents(place)

    @property
    def places(self) -> Sequence[DocumentReference]:
        """The documents that the change has to read."""
        return (self._place, self._before, self._after)

    def check_free(self, unit: Unit) -> None:
        """Raise _NumberTaken where the entry exists: none is ever written over."""
        if unit.read(self._place).exists:
            raise _NumberTaken

    def write(
        self, unit: Unit, deed: Deed, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
    ) -> None:
        """Write the entry, unless there was no document and there is none."""
        if before is None and after is None:
            return
        unit.write(self._place, {"number": self._number, "by": deed.by, "at": deed.at, "action": deed.action.value})
        for place, document in ((self._before, before), (self._after, after)):
            if document is not None:
                unit.write(place, document)


class FirestoreAuditLog:
    """Plays AuditLog."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def add(self, subject: str, deed: Deed, after: Mapping[str, Any]) -> None:
        """Add an entry about something that is no document of its own."""
        self.tell(subject, self._client.collection("audit").document(subject), lambda _: (None, dict(after)), deed)

    def of_recipe(self, recipe_id: str, *, before: int | None = None, most: int) -> Sequence[AuditEntry]:
        """Return a recipe's newest entries, newest first, at most so many: all, or those numbered before another."""
        numbered: Any = self._entries(recipe_id)
        if before is not None:
            numbered = numbered.where(filter=FieldFilter("number", "<", before))
        newest = numbered.order_by("number", direction=firestore.Query.DESCENDING).limit(most)
        return self._told(find(newest.stream))

    def newest(self, *, most: int, after: AuditPlace | None = None) -> Sequence[AuditEntry]:
        """Return entries of all recipes and of the rules, newest first, at most so many: the first, or the next."""
        entries: Any = self._client.collection_group("entries")
        descending = firestore.Query.DESCENDING
        newest = entries.order_by("at", direction=descending).order_by("__name__", direction=descending)
        if after is not None:
            at, subject, number = after
            newest = newest.start_after({"at": at, "__name__": self._entry(subject, number)})
        return self._told(find(newest.limit(most).stream))

    def _told(self, entries: Sequence[Any]) -> Sequence[AuditEntry]:
        """Return entries with the documents below them, which are read all at once."""
        places = [place for entry in entries for place in _documents(entry.reference)]
        stored = {each.reference: plain(each) for each in find(partial(self._client.get_all, places))}
        return [
            _read(_subject(entry), plain(entry) or {}, *map(stored.get, _documents(entry.reference)))
            for entry in entries
        ]

    def tell(
        self, subject: str, reference: DocumentReference, change: Callable[[Unit], tuple[Told, Told]], deed: Deed
    ) -> Told:
        """Change a document and add the next entry to its log; again with the number after it where that is taken.

        `change` writes the document, and returns what the entry tells: what was, and what is. That is returned, too.
        """
        for _ in range(_MOST_TRIES):
            entry = self._next_entry(subject)

            def both(unit: Unit, entry: _NewEntry = entry) -> Told:
                entry.check_free(unit)
                before, after = change(unit)
                entry.write(unit, deed, before, after)
                return after

            try:
                return change_documents(self._client, [reference, *entry.places], both)
            except _NumberTaken:
                continue
        raise Conflict(f"others change {subject} all the time; try again")

    def _next_entry(self, recipe_id: str) -> _NewEntry:
        """Return the entry after a recipe's newest one."""
        newest = self._entries(recipe_id).order_by("number", direction=firestore.Query.DESCENDING).limit(1)
        number = 1 + max((entry.get("number") for entry in find(newest.stream)), default=0)
        return _NewEntry(self._entry(recipe_id, number), number)

    def _entry(self, recipe_id: str, number: int) -> DocumentReference:
        return self._entries(recipe_id).document(f"{number:08}")

    def _entries(self, recipe_id: str) -> CollectionReference:
        return cast("CollectionReference", self._client.collection("audit").document(recipe_id).collection("entries"))


def _subject(entry: Any) -> str:
    """Return whose log an entry is of: a recipe's id, or the name that the rules go by."""
    return str(entry.reference.parent.parent.id)


def _documents(entry: DocumentReference) -> tuple[DocumentReference, DocumentReference]:
    documents = entry.collection("documents")
    return documents.document("before"), documents.document("after")


def _read(
    recipe_id: str, entry: Mapping[str, Any], before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> AuditEntry:
    deed = Deed(by=entry["by"], at=instant(entry["at"]), action=known(Action, entry["action"], Action.CHANGED))
    return AuditEntry(recipe_id=recipe_id, number=entry["number"], deed=deed, before=before, after=after)
