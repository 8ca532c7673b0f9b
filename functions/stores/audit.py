"""The audit log: entries that are written together with the changes that they describe."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from functions.domain.audit import Action, AuditEntry, Deed
from functions.domain.documents import known
from functions.domain.errors import Conflict
from functions.domain.instants import instant
from functions.ports.stores import AuditPlace
from functions.stores.documents import Batch, Collection, Documents, Place, Query

Snapshot = dict[str, Any] | None
_MOST_TRIES = 100


def _write(entry: AuditEntry) -> Mapping[str, Any]:
    return {"number": entry.number, "by": entry.deed.by, "action": entry.deed.action.value}


def _read(document: Mapping[str, Any], keys: Sequence[str]) -> AuditEntry:
    action = known(Action, document["action"], Action.CHANGED)
    return AuditEntry(
        recipe_id=keys[0],
        number=document["number"],
        deed=Deed(by=document["by"], at=instant(document["at"]), action=action),
        before=document.get("before"),
        after=document.get("after"),
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


class _NumberTaken(Exception):
    """Another process added an entry of this number."""


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
        for _ in range(_MOST_TRIES):
            last = self._documents.find(ENTRIES, replace(_newest(subject, most=1), parts=False))
            number = 1 + max((entry.number for entry in last), default=0)

            def both(batch: Batch, number: int = number) -> Snapshot:
                before, after = change(batch)
                entry = AuditEntry(recipe_id=subject, number=number, deed=deed, before=before, after=after)
                exists = before is not None or after is not None
                if exists and not batch.create(ENTRIES.at(subject, number), entry):
                    raise _NumberTaken
                return after

            try:
                return self._documents.change([*places, ENTRIES.at(subject, number)], both)
            except _NumberTaken:
                continue
        raise Conflict(f"{subject} is being changed by other requests; try again")


def _newest(subject: str, *, most: int) -> Query:
    return Query(under=(subject,), order="number", descending=True, most=most)
