"""Recipes and their audit log, the cadence ledger, and dead tokens, in memory."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from functions.domain.audit import AuditEntry, Deed
from functions.domain.cadence.rule_changes import SUBJECT, rules_document
from functions.domain.cadence.rules import DEFAULT_RULES, CadenceRule
from functions.ports.stores import AuditPlace
from local.embedded.documents import to_text

T = TypeVar("T")


class MemoryRecipeStore:
    """Plays RecipeStore; a document is kept as text, so that nobody can change it but through the store."""

    def __init__(self, audit: "MemoryAuditLog") -> None:
        self._audit = audit
        self._texts: dict[str, str] = {}
        self._writing = threading.RLock()

    def get(self, recipe_id: str) -> dict[str, Any] | None:
        """Return a document, None where there is none."""
        text = self._texts.get(recipe_id)
        return None if text is None else json.loads(text)

    def all(self) -> Iterable[dict[str, Any]]:
        """Return every document, in order of their ids."""
        return [json.loads(text) for _, text in sorted(self._texts.items())]

    def page(self, *, after: str = "", most: int) -> Sequence[dict[str, Any]]:
        """Return at most so many documents, in order of their ids: the first, or those that follow an id."""
        return [json.loads(text) for recipe_id, text in sorted(self._texts.items()) if recipe_id > after][:most]

    def change(
        self,
        recipe_id: str,
        change: Callable[[dict[str, Any] | None], dict[str, Any] | None],
        deed: Deed | None = None,
    ) -> dict[str, Any] | None:
        """Replace a document by what `change` makes of it; a deed adds the recipe's next entry to the audit log."""
        with self._writing:
            before = self.get(recipe_id)
            changed = change(self.get(recipe_id))
            if deed is not None and (before is not None or changed is not None):
                self._audit.append(recipe_id, deed, before, changed)
            if changed is None:
                self._texts.pop(recipe_id, None)
            else:
                self._texts[recipe_id] = to_text(changed)
        return changed


class MemoryAuditLog:
    """Plays AuditLog."""

    def __init__(self) -> None:
        self._entries: dict[str, list[AuditEntry]] = defaultdict(list)
        self._all: list[AuditEntry] = []

    def append(self, recipe_id: str, deed: Deed, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        """Add a recipe's next entry."""
        entries = self._entries[recipe_id]
        kept = None if after is None else json.loads(to_text(after))
        entries.append(AuditEntry(recipe_id=recipe_id, number=len(entries) + 1, deed=deed, before=before, after=kept))
        self._all.append(entries[-1])

    def add(self, subject: str, deed: Deed, after: Mapping[str, Any]) -> None:
        """Add an entry about something that is no document of its own."""
        self.append(subject, deed, None, dict(after))

    def of_recipe(self, recipe_id: str, *, before: int | None = None, most: int) -> Sequence[AuditEntry]:
        """Return a recipe's newest entries, newest first, at most so many: all, or those numbered before another."""
        entries = self._entries[recipe_id]
        return entries[: None if before is None else max(0, before - 1)][::-1][:most]

    def newest(self, *, most: int, after: AuditPlace | None = None) -> Sequence[AuditEntry]:
        """Return entries of all recipes and of the rules, newest first, at most so many: the first, or the next."""
        places = [(entry.deed.at, entry.recipe_id, entry.number) for entry in self._all]
        return self._all[: None if after is None else places.index(after)][::-1][:most]


class MemoryRequestKeys:
    """Plays RequestKeys."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def claim(self, key: str, asked: Mapping[str, Any], until: datetime) -> Mapping[str, Any]:  # noqa: ARG002
        """Keep what is asked under a name that nobody has claimed; return what is kept under it."""
        kept: dict[str, Any] = json.loads(self._texts.setdefault(key, to_text(asked)))
        return kept


class MemoryCadenceLedger:
    """Plays CadenceLedger."""

    def __init__(self, audit: MemoryAuditLog) -> None:
        self._audit = audit
        self._days: dict[tuple[int, date], bytes] = {}
        self._rules: tuple[CadenceRule, ...] = ()
        self._writing = threading.RLock()

    def transact(
        self,
        partition: int,
        days: Sequence[date],
        change: Callable[[Mapping[date, bytes]], tuple[Mapping[date, bytes], T]],
    ) -> T:
        """Read days, write what `change` makes of them, in one transaction; a day never written is empty bytes."""
        with self._writing:
            written, result = change({day: self._days.get((partition, day), b"") for day in days})
            self._days.update({(partition, day): packed for day, packed in written.items()})
        return result

    def rules(self) -> Sequence[CadenceRule]:
        """Return the rules in force: those saved last, else the default ones."""
        return self._rules or DEFAULT_RULES

    def change_rules(
        self, change: Callable[[Sequence[CadenceRule]], Sequence[CadenceRule]], deed: Deed
    ) -> Sequence[CadenceRule]:
        """Replace the rules, with an entry of the audit log; no rules at all bring the default ones back."""
        with self._writing:
            before = self.rules()
            self._rules = tuple(change(before))
            self._audit.append(SUBJECT, deed, rules_document(before), rules_document(self.rules()))
        return self.rules()

    def days(self, partition: int) -> Mapping[date, bytes]:
        """Return all packed days of a partition."""
        return {day: packed for (owner, day), packed in self._days.items() if owner == partition}


class MemoryDevices:
    """Plays Devices."""

    def __init__(self) -> None:
        self._graves: dict[int, bytes] = {}
        self._writing = threading.RLock()

    def graves(self, partitions: range) -> Mapping[int, bytes]:
        """Return the dead tokens of partitions of users; empty bytes where there are none."""
        found = self._graves
        return {partition: found.get(partition, b"") for partition in partitions}

    def bury(self, partition: int, change: Callable[[bytes], bytes]) -> None:
        """Replace a partition's dead tokens by what `change` makes of them, in one transaction."""
        with self._writing:
            self._graves[partition] = change(self._graves.get(partition, b""))
