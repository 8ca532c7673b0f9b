"""Entries of the audit log: who changed what, when, and the document before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """What was done to a recipe, to the cadence rules, or to the graves of device tokens."""

    SAVED = "saved"
    PAUSED = "paused"
    RESUMED = "resumed"
    COMPLETED = "completed"
    DELETED = "deleted"
    LIFTED = "lifted"
    CHANGED = "changed"
    """An action that only a newer release knows."""


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
class AuditEntry:
    """A deed with the document before and after it; None means no document.

    A recipe's entries are numbered from 1.
    """

    recipe_id: str
    number: int
    deed: Deed
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
