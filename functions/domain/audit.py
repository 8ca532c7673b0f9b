"""Entries of the audit log: who changed what, when, and the document before and after."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

CHECKPOINTS = "audit.checkpoints"
"""The subject of checkpoints in the audit log. The id of a recipe cannot contain a dot."""
ERASURES = "users.erased"
"""The subject of erasures of users in the audit log."""
IMPORTS = "cadence.imports"
"""The subject of imports of past pushes in the audit log."""
BEFORE, AFTER = "before", "after"


DAMAGED = (AttributeError, KeyError, TypeError, ValueError)
"""What reading a document of the log raises after somebody edited it."""


class Action(StrEnum):
    """What was done to a recipe, its sends and their violations, the cadence, dead tokens, a user, or the log."""

    SAVED = "saved"
    PAUSED = "paused"
    RESUMED = "resumed"
    SKIPPED = "skipped"
    RESTORED = "restored"
    MOVED = "moved"
    COMPLETED = "completed"
    DELETED = "deleted"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    TESTED = "tested"
    STARTED = "started"
    SENT_ONCE = "sent_once"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    IMPORTED = "imported"
    LIFTED = "lifted"
    CHECKED = "checked"
    REDACTED = "redacted"
    ERASED = "erased"
    CHANGED = "changed"
    """An action that only a newer release knows."""


ABOUT_SENDS = frozenset(
    {Action.CANCELLED, Action.STOPPED, Action.TESTED, Action.STARTED, Action.SENT_ONCE, Action.RESOLVED}
) | {Action.REOPENED}
"""What people do to executions and violations. The log of their recipe has it, and the recipe stays as it is."""


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Who changes something, when, and how.

    `by` is a caller's e-mail address, or the name of the part of Tminus that acts: cli, finish.
    """

    by: str
    at: datetime
    action: Action

    def __post_init__(self) -> None:
        if not self.by.strip():
            raise ValueError(f"a recipe was {self.action} by an unnamed caller; give its name")


@dataclass(frozen=True, kw_only=True)
class Link:
    """An entry's link in the hash chain of its subject; all values are SHA-256 in hexadecimal.

    `before` and `after` are digests of the documents with their salts, empty where there is no document. `hash`
    covers everything but the documents and the salts, with `previous`, the hash of the entry before. So a document
    can be redacted later, and the chain still holds.
    """

    previous: str
    before: str
    after: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """A deed with the document before and after it; None means no document.

    A recipe's entries are numbered from 1. Entries of releases before the chain have no `link`. `salts` are those of
    the documents by their names, without those that were redacted; `redactions` counts the redactions. An entry that
    cannot be read, because somebody edited it, has only its subject and number.
    """

    recipe_id: str
    number: int
    deed: Deed
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    link: Link | None = None
    salts: Mapping[str, str] = field(default_factory=dict)
    redactions: int = 0
    readable: bool = True


@dataclass(frozen=True, kw_only=True)
class Head:
    """The end of a subject's chain: the number and the hash of its last entry, and the number of its first link.

    The entries up to `checked` are part of a checkpoint, the last of them with `checked_hash`. `open` says that there
    are later ones.
    """

    subject: str
    count: int
    hash: str
    first: int
    checked: int = 0
    checked_hash: str = ""

    @property
    def open(self) -> bool:
        """Whether entries are not part of a checkpoint yet. Checkpoints themselves need none."""
        return self.count > self.checked and self.subject != CHECKPOINTS
