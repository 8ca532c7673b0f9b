"""The audit log: entries that are written together with the changes that they describe, each linked to the last one.

The head of a subject's chain is one document, which changes with each entry. So only changes of one recipe wait for
each other, as they do anyway: Firestore accepts about one write a second of a document.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from functions.domain.audit import CHECKPOINTS, DAMAGED, ERASURES, Action, AuditEntry, Deed, Head, Link
from functions.domain.audit_chain import checkpoint, linked, redacted, redaction
from functions.domain.documents import known
from functions.domain.errors import Conflict
from functions.domain.instants import instant
from functions.ports.stores import AuditPlace
from functions.stores.documents import Batch, Collection, Documents, Place, Query, change_in

E = TypeVar("E")
Snapshot = dict[str, Any] | None
_MOST_TRIES = 100
_AT_ONCE = 100
_SALT_BYTES = 16
_UNKNOWN_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)


def _write(entry: AuditEntry) -> Mapping[str, Any]:
    link = {"link": dict(vars(entry.link)), "salts": dict(entry.salts)} if entry.link else {}
    redactions = {"redactions": entry.redactions} if entry.redactions else {}
    said = {"number": entry.number, "by": entry.deed.by, "action": entry.deed.action.value}
    return {**said, **link, **redactions}


def _read(document: Mapping[str, Any], keys: Sequence[str]) -> AuditEntry:
    try:
        return _read_entry(document, keys)
    except DAMAGED:
        unknown = Deed(by="unknown", at=_UNKNOWN_INSTANT, action=Action.CHANGED)
        return AuditEntry(
            recipe_id=keys[0], number=int(keys[-1]), deed=unknown, before=None, after=None, readable=False
        )


def _read_entry(document: Mapping[str, Any], keys: Sequence[str]) -> AuditEntry:
    action = known(Action, document["action"], Action.CHANGED)
    return AuditEntry(
        recipe_id=keys[0],
        number=document["number"],
        deed=Deed(by=document["by"], at=instant(document["at"]), action=action),
        before=None if document.get("before") is None else dict(document["before"]),
        after=None if document.get("after") is None else dict(document["after"]),
        link=Link(**document["link"]) if document.get("link") else None,
        salts=dict(document.get("salts") or {}),
        redactions=document.get("redactions") or 0,
    )


ENTRIES = Collection[AuditEntry](
    path="audit/{}/entries/{:08}",
    write=_write,
    read=_read,
    fields=lambda entry: {"at": entry.deed.at, "number": entry.number},
    parts={"before": lambda entry: entry.before, "after": lambda entry: entry.after},
    changeable=True,
)
"""Keyed by subject (a recipe's id or another one) and number."""


def _write_head(head: Head) -> Mapping[str, Any]:
    ends = {"count": head.count, "hash": head.hash, "checked": head.checked, "checkedHash": head.checked_hash}
    return {**ends, "first": head.first}


def _read_head(document: Mapping[str, Any], keys: Sequence[str]) -> Head | None:
    if not document:
        return None
    return Head(
        subject=keys[0],
        count=document["count"],
        hash=document["hash"],
        first=document["first"],
        checked=document["checked"],
        checked_hash=document["checkedHash"],
    )


HEADS = Collection[Head](path="audit/{}", write=_write_head, read=_read_head, fields=lambda head: {"open": head.open})
"""The heads of the subjects' chains, keyed by subject."""


class _NumberTaken(Exception):
    """Another process added an entry of this number, or of a later one."""

    def __init__(self, last: int) -> None:
        self.last = last
        super().__init__(last)


class DocumentAuditLog:
    """Implements AuditLog."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def add(self, subject: str, deed: Deed, after: Mapping[str, Any]) -> None:
        self.change(subject, [], lambda _: (None, dict(after)), deed)

    def of_recipe(self, recipe_id: str, *, before: int | None = None, most: int) -> Sequence[AuditEntry]:
        newest = _newest(recipe_id, most=most)
        earlier = () if before is None else (("number", "<", before),)
        return self._documents.find(ENTRIES, replace(newest, where=earlier))

    def newest(self, *, most: int, after: AuditPlace | None = None) -> Sequence[AuditEntry]:
        return self._documents.find(ENTRIES, Query(order="at", descending=True, after=after or (), most=most))

    def change(
        self,
        subject: str,
        places: Sequence[Place[Any]],
        change: Callable[[Batch], tuple[Snapshot, Snapshot]],
        deed: Deed,
    ) -> Snapshot:
        """Change documents and add the next entry to a log; again with the number after it where that is taken.

        `change` writes the documents, and returns what the entry tells: what was, and what is. That is returned, too.
        Where nothing was and nothing is, there is no entry.
        """
        least = 1
        for _ in range(_MOST_TRIES):
            last = self._documents.find(ENTRIES, replace(_newest(subject, most=1), parts=False))
            number = max([least, *(entry.number + 1 for entry in last)])

            def both(batch: Batch, number: int = number) -> Snapshot:
                before, after = change(batch)
                entry = AuditEntry(recipe_id=subject, number=number, deed=deed, before=before, after=after)
                if before is not None or after is not None:
                    _append(batch, entry)
                return after

            try:
                return self._documents.change([*places, HEADS.at(subject), ENTRIES.at(subject, number)], both)
            except _NumberTaken as taken:
                least = taken.last + 1
        raise Conflict(f"{subject} is being changed by other requests; try again")

    def change_one(
        self,
        subject: str,
        place: Place[E],
        change: Callable[[E], E],
        deed: Deed,
        *,
        said: Callable[[E], dict[str, Any]],
        missing: str,
    ) -> E:
        """Replace a document as `documents.change_one` does, with an entry that tells what `said` returns of it.

        There is no entry if `change` returns an equal value.
        """
        done: list[E] = []

        def work(batch: Batch) -> tuple[Snapshot, Snapshot]:
            stored, changed = change_in(batch, place, change, missing)
            done[:] = [changed]
            return None, None if changed == stored else said(changed)

        self.change(subject, [place], work, deed)
        return done[0]

    def subjects(self) -> Sequence[str]:
        found, after = dict[str, None](), tuple[Any, ...]()
        while page := self._documents.find(
            ENTRIES, Query(order="at", descending=True, after=after, most=_AT_ONCE, parts=False)
        ):
            found.update(dict.fromkeys(entry.recipe_id for entry in page))
            last = (page[-1].deed.at, page[-1].recipe_id, page[-1].number)
            if last == after:  # someone has written the oldest instant in another form, so it comes again
                break
            after = last
        with suppress(*DAMAGED):  # an edited head: reading it alone tells which
            found.update(dict.fromkeys(head.subject for head in self._documents.find(HEADS, Query())))
        return sorted(found)

    def all_of(self, subject: str, *, after: int = 0) -> Iterator[AuditEntry]:
        while page := self._documents.find(ENTRIES, _following(subject, after)):
            yield from page
            after = page[-1].number

    def head(self, subject: str) -> Head | None:
        return self._documents.get(HEADS.at(subject))

    def open_heads(self, *, most: int) -> Sequence[Head]:
        return self._documents.find(HEADS, Query(where=(("open", "==", True),), most=most))

    def checkpoint(self, heads: Sequence[Head], deed: Deed) -> None:
        places = {HEADS.at(head.subject): head for head in heads}

        def work(batch: Batch) -> tuple[Snapshot, Snapshot]:
            for place, head in places.items():
                stored = batch.read(place)
                if stored is not None and stored.checked < head.count:
                    batch.write(place, replace(stored, checked=head.count, checked_hash=head.hash))
            return None, checkpoint(heads)

        self.change(CHECKPOINTS, list(places), work, deed)

    def redact(self, entry: AuditEntry, redact: Callable[[Any], Any], user: str, deed: Deed) -> bool:
        place, stands = ENTRIES.at(entry.recipe_id, entry.number), redacted(entry, redact)
        if stands is None:
            return False

        def work(batch: Batch) -> tuple[Snapshot, Snapshot]:
            stored = batch.read(place)
            if stored is None or stored.redactions != entry.redactions:
                raise Conflict(f"entry {entry.number} of {entry.recipe_id} was redacted meanwhile; try again")
            batch.write(place, stands)
            return None, redaction(stands, user)

        self.change(ERASURES, [place], work, deed)
        return True


def _append(batch: Batch, entry: AuditEntry) -> None:
    """Add an entry with its link, and move the head; _NumberTaken if another one has its number."""
    head = batch.read(HEADS.at(entry.recipe_id))
    if head is not None and head.count >= entry.number:
        raise _NumberTaken(head.count)
    entry, head = linked(entry, head, lambda: secrets.token_hex(_SALT_BYTES))
    if not batch.create(ENTRIES.at(entry.recipe_id, entry.number), entry):
        raise _NumberTaken(entry.number)
    batch.write(HEADS.at(entry.recipe_id), head)


def _newest(subject: str, *, most: int) -> Query:
    return Query(under=(subject,), order="number", descending=True, most=most)


def _following(subject: str, number: int) -> Query:
    return Query(under=(subject,), where=(("number", ">", number),), order="number", most=_AT_ONCE)
