"""Stores: recipes and their audit log, request keys, the cadence ledger, audience files, and alerts."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from functions.domain.alerts.outgoing import OutgoingAlert
from functions.domain.audit import AuditEntry, Deed
from functions.domain.cadence.rules import CadenceRule
from functions.domain.push.shard import Stored
from functions.domain.recipe.plan import Plan

T = TypeVar("T")


PlanPlace = tuple[datetime, str]
"""Where a plan stands among those of all recipes: its next send, and its recipe."""


class RecipeStore(Protocol):
    """Recipe documents, as written; a person may have edited them by hand, so they may be malformed."""

    def get(self, recipe_id: str) -> dict[str, Any] | None:
        """Return a document, None where there is none."""
        ...

    def all(self) -> Iterable[dict[str, Any]]:
        """Return every document, in order of their ids."""
        ...

    def page(self, *, after: str = "", most: int) -> Sequence[dict[str, Any]]:
        """Return at most so many documents, in order of their ids: the first, or those that follow an id."""
        ...

    def change(
        self,
        recipe_id: str,
        change: Callable[[dict[str, Any] | None], dict[str, Any] | None],
        deed: Deed | None = None,
    ) -> dict[str, Any] | None:
        """Replace a document by what `change` makes of it, in one transaction; None stands for no document.

        With a deed, the same transaction plans the recipe's sends, and adds its next entry to the audit log, unless
        there was no document and there is none. Without one it is as if a person had edited the document by hand.
        """
        ...

    def plans(self, *, most: int | None = None, after: PlanPlace | None = None) -> Sequence[Plan]:
        """Return the plans of recipes, in order of their next sends and then of the recipes' ids.

        All of them, or at most so many: the first, or those that follow the place `after`.
        """
        ...

    def plan(self, recipe_id: str, now: datetime) -> None:
        """Replace a recipe's plan by what its stored document announces from `now` on, in one transaction."""
        ...


AuditPlace = tuple[datetime, str, int]
"""Where an entry stands among those of all recipes: its instant, its recipe or the rules' name, its number."""


class AuditLog(Protocol):
    """What was done to recipes, rules and graves. Changing recipes and rules adds entries; nothing removes one."""

    def add(self, subject: str, deed: Deed, after: Mapping[str, Any]) -> None:
        """Add an entry about something that is no document of its own: what is said of it is the entry's `after`."""
        ...

    def of_recipe(self, recipe_id: str, *, before: int | None = None, most: int) -> Sequence[AuditEntry]:
        """Return a recipe's newest entries, newest first, at most so many: all, or those numbered before another.

        The entries of a recipe that was deleted stay.
        """
        ...

    def newest(self, *, most: int, after: AuditPlace | None = None) -> Sequence[AuditEntry]:
        """Return entries of all recipes and of the rules, newest first, at most so many: the first, or the next.

        Those that follow the place `after` are the next.
        """
        ...


class RequestKeys(Protocol):
    """What was asked for under which name, so that a request which comes again is known again."""

    def claim(self, key: str, asked: Mapping[str, Any], until: datetime) -> Mapping[str, Any]:
        """Keep what is asked under a name, until then at least; return what the first request asked under it."""
        ...


class CadenceLedger(Protocol):
    """Who was reserved which push, packed by partition and UTC day, and the rules that it is read by."""

    def transact(
        self,
        partition: int,
        days: Sequence[date],
        change: Callable[[Mapping[date, bytes]], tuple[Mapping[date, bytes], T]],
    ) -> T:
        """Read days, write what `change` makes of them, all in one transaction; return its second value."""
        ...

    def rules(self) -> Sequence[CadenceRule]:
        """Return the rules in force: those that were saved, else the default ones."""
        ...

    def change_rules(
        self, change: Callable[[Sequence[CadenceRule]], Sequence[CadenceRule]], deed: Deed
    ) -> Sequence[CadenceRule]:
        """Replace the rules by what `change` makes of those in force; no rules at all bring the default ones back.

        In one transaction, which adds the entry after the last of `domain.cadence_rules.SUBJECT` to the audit log.
        """
        ...


class AudienceFiles(Protocol):
    """Write-once files: audiences, and the device tokens beside them."""

    def write_once(self, name: str, source: Path) -> Stored:
        """Store a local file under a name; where the name is taken, the file that is there wins and is returned."""
        ...

    def lines(self, stored: Stored) -> Iterator[bytes]:
        """Yield a file's lines with their ends."""
        ...

    def read(self, stored: Stored, start: int, end: int) -> bytes:
        """Return a byte range; BadAudience where the file is no longer the one that was stored."""
        ...

    def delete(self, folder: str) -> None:
        """Delete all files of a folder; nothing happens where there are none."""
        ...


class AlertStore(Protocol):
    """Alerts on their way to channels, and those that have arrived, for ninety days at least."""

    def record(self, outgoing: OutgoingAlert) -> bool:
        """Keep an alert; False where one of its id is kept already."""
        ...

    def change(self, alert_id: str, change: Callable[[OutgoingAlert], OutgoingAlert]) -> OutgoingAlert:
        """Replace an alert by what `change` makes of it, in one transaction; what `change` raises, leaves it.

        NotFound where there is none.
        """
        ...

    def waiting(self, quiet_since: datetime) -> Sequence[OutgoingAlert]:
        """Return the alerts that a channel has yet to get and no task has tried since then, oldest first."""
        ...
