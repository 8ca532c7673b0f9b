"""Stores: recipes and their audit log, request keys, the cadence ledger, audience files, and alerts."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from functions.domain.access import AccessEntry
from functions.domain.alerts.outgoing import OutgoingAlert
from functions.domain.audience.segments import Segment
from functions.domain.audit import AuditEntry, Deed, Head
from functions.domain.cadence.rules import CadenceRule
from functions.domain.push.shard import Stored
from functions.domain.recipe.plan import Plan
from functions.domain.testers import NamedTester

T = TypeVar("T")


PlanPlace = tuple[datetime, str]
"""A position among the plans of all recipes: next send and recipe."""


class RecipeStore(Protocol):
    """Stores recipe documents as written. People may edit them by hand, so they may be malformed."""

    def get(self, recipe_id: str) -> dict[str, Any] | None:
        """Return a document; None if there is none."""
        ...

    def all(self) -> Iterable[dict[str, Any]]:
        """Return every document, in order of their ids."""
        ...

    def page(self, *, after: str = "", most: int) -> Sequence[dict[str, Any]]:
        """Return at most `most` documents in order of their ids, beginning after `after` or with the first."""
        ...

    def change(
        self,
        recipe_id: str,
        change: Callable[[dict[str, Any] | None], dict[str, Any] | None],
        deed: Deed | None = None,
    ) -> dict[str, Any] | None:
        """Replace a document by the result of `change`, in one transaction. None means no document.

        With a deed, the same transaction plans the recipe's sends and adds an entry to its audit log, unless no
        document exists before and after. Without a deed it is an edit by hand.
        """
        ...

    def plans(self, *, most: int | None = None, after: PlanPlace | None = None) -> Sequence[Plan]:
        """Return plans, sorted by next send and then by recipe: all, or at most `most` of those after a position."""
        ...

    def plan(self, recipe_id: str, now: datetime) -> None:
        """Update the plan of a recipe from its stored document, as of `now`, in one transaction."""
        ...


AuditPlace = tuple[datetime, str, int]
"""A position in the log of all subjects: instant, recipe or other subject, and number of an entry."""


class AuditLog(Protocol):
    """The log of changes to recipes, rules and graves.

    Changes of recipes and rules add entries. Nothing removes one. Each entry is linked to the one before it:
    `domain.audit_chain`.
    """

    def add(self, subject: str, deed: Deed, after: Mapping[str, Any]) -> None:
        """Add an entry about something without a document of its own; `after` describes it."""
        ...

    def of_recipe(self, recipe_id: str, *, before: int | None = None, most: int) -> Sequence[AuditEntry]:
        """Return at most `most` entries of a recipe, newest first, of all or of those numbered below `before`.

        The entries of a deleted recipe are kept.
        """
        ...

    def newest(self, *, most: int, after: AuditPlace | None = None) -> Sequence[AuditEntry]:
        """Return at most `most` entries of all subjects, newest first.

        The page begins after the place `after`, or with the newest entry.
        """
        ...

    def subjects(self) -> Sequence[str]:
        """Return every subject with an entry or a head, sorted. It reads each entry without its documents."""
        ...

    def all_of(self, subject: str, *, after: int = 0) -> Iterator[AuditEntry]:
        """Yield the entries of a subject in order of their numbers, all or those after a number."""
        ...

    def head(self, subject: str) -> Head | None:
        """Return the head of a subject's chain; None before its first link."""
        ...

    def open_heads(self, *, most: int) -> Sequence[Head]:
        """Return at most `most` heads with entries that are not part of a checkpoint."""
        ...

    def checkpoint(self, heads: Sequence[Head], deed: Deed) -> None:
        """Add a checkpoint with heads as they were read, under `domain.audit.CHECKPOINTS`, in one transaction.

        Firestore accepts 500 writes in one, so give at most 200 heads.
        """
        ...

    def redact(self, entry: AuditEntry, redact: Callable[[Any], Any], user: str, deed: Deed) -> bool:
        """Replace an entry's documents by the results of `redact`; False if those are the same.

        The same transaction adds an entry under `domain.audit.ERASURES`, which vouches for it, with the keyed hash
        `user` of the user's id. Conflict if the entry was redacted since it was read.
        """
        ...


AccessPlace = tuple[datetime, str]
"""A position in the access log: instant and id of an entry."""


class AccessLog(Protocol):
    """The log of who read or exported personal data. Entries are kept for at least ninety days."""

    def add(self, entry: AccessEntry) -> None:
        """Add an entry."""
        ...

    def newest(self, *, most: int, after: AccessPlace | None = None) -> Sequence[AccessEntry]:
        """Return at most `most` entries, newest first, from the newest or after a place."""
        ...

    def key(self) -> str:
        """Return the key of the hashes that name users; the first call makes it."""
        ...


class SegmentStore(Protocol):
    """Stores segments: conditions with a name."""

    def get(self, segment_id: str) -> Segment | None:
        """Return a segment; None if there is none."""
        ...

    def all(self) -> Sequence[Segment]:
        """Return every segment, in order of their ids."""
        ...

    def change(
        self, segment_id: str, change: Callable[[Segment | None], Segment | None], deed: Deed
    ) -> Segment | None:
        """Replace a segment by the result of `change`, in one transaction with its entry in the audit log.

        None means no segment.
        """
        ...


class RequestKeys(Protocol):
    """Stores what was requested under which Idempotency-Key, to recognize a repeated request."""

    def claim(self, key: str, asked: Mapping[str, Any], until: datetime) -> Mapping[str, Any]:
        """Store a request under a key, at least until `until`, and return the first request stored under that key."""
        ...


class CadenceLedger(Protocol):
    """Stores which push is reserved for which user, packed by partition and UTC day, and the cadence rules."""

    def transact(
        self,
        partition: int,
        days: Sequence[date],
        change: Callable[[Mapping[date, bytes]], tuple[Mapping[date, bytes], T]],
    ) -> T:
        """Read days and write the result of `change` in one transaction; return its second value."""
        ...

    def rules(self) -> Sequence[CadenceRule]:
        """Return the saved rules, which override those of the workspace; none before the first change."""
        ...

    def change_rules(
        self,
        declared: Sequence[CadenceRule],
        change: Callable[[Sequence[CadenceRule]], Sequence[CadenceRule]],
        deed: Deed,
    ) -> Sequence[CadenceRule]:
        """Replace the rules in force by the result of `change`, which gets them, and return it.

        `declared` are the rules of the workspace; `rule_changes.to_save` decides which to store. The same
        transaction adds an entry to the audit log, under `domain.cadence.rule_changes.SUBJECT`.
        """
        ...


class TesterStore(Protocol):
    """Stores the named test people."""

    def all(self) -> Sequence[NamedTester]:
        """Return all test people, in the order of their names."""
        ...

    def change(
        self, change: Callable[[Sequence[NamedTester]], Sequence[NamedTester]], deed: Deed
    ) -> Sequence[NamedTester]:
        """Replace the test people by the result of `change`, which gets them, and return it.

        The same transaction adds an entry to the audit log, under `domain.testers.SUBJECT`, unless they are the same.
        """
        ...


class AudienceFiles(Protocol):
    """Stores write-once files: audiences and their device tokens."""

    def write_once(self, name: str, source: Path) -> Stored:
        """Store a local file under a name. If the name is taken, the existing file wins and is returned."""
        ...

    def lines(self, stored: Stored) -> Iterator[bytes]:
        """Yield a file's lines with their line ends."""
        ...

    def read(self, stored: Stored, start: int, end: int) -> bytes:
        """Return a byte range; BadAudience if the file is missing or was replaced."""
        ...

    def delete(self, folder: str) -> None:
        """Delete all files in a folder, if there are any."""
        ...

    def names(self, folder: str) -> Sequence[str]:
        """Return the names of all files in a folder and below it, sorted, also what killed processes left there."""
        ...

    def find(self, name: str) -> Stored | None:
        """Return the stored file of a name; None if there is none."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file, if there is one."""
        ...

    def expire(self, execution_id: str) -> None:
        """Delete the files of an execution that is deleted. The lifecycle of a bucket has done so before."""
        ...


class Expiry(Protocol):
    """Deletes what has been kept long enough. Nothing may depend on when that happens."""

    def delete_execution(self, execution_id: str) -> None:
        """Delete an execution with its shards, pushes, violations and log. After a crash, a repetition goes on."""
        ...

    def expire(self, now: datetime) -> None:
        """Delete alerts, request keys and days of the ledger that have expired. Firestore does so by itself."""
        ...


class AlertStore(Protocol):
    """Stores alerts, delivered or not, for at least ninety days."""

    def record(self, outgoing: OutgoingAlert) -> bool:
        """Store an alert; False if one with its id exists."""
        ...

    def change(self, alert_id: str, change: Callable[[OutgoingAlert], OutgoingAlert]) -> OutgoingAlert:
        """Replace an alert by the result of `change`, in one transaction. If `change` raises, nothing is written.

        NotFound if there is none.
        """
        ...

    def waiting(self, quiet_since: datetime) -> Sequence[OutgoingAlert]:
        """Return undelivered alerts without an attempt since `quiet_since`, oldest first."""
        ...
