"""Entries of the access log: who read or exported personal data, when, by which route, and of which subject.

An entry has none of the data. A user is named by a keyed hash of the id.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from functions.domain.documents import known
from functions.domain.ids import canonical_user_id
from functions.domain.instants import instant, stamp

KEPT = timedelta(days=90)
"""How long an entry is kept, the same as alerts and the logs of executions."""


class SubjectKind(StrEnum):
    """What was read."""

    USER = "user"
    """One user; the id of the subject is a keyed hash."""
    USERS = "users"
    """Several users that the caller named; the id of the subject is their number."""
    EXECUTION = "execution"
    RECIPE = "recipe"
    JOB = "job"
    AUDIENCE = "audience"
    """The users who fit conditions; the subject has no id."""
    OTHER = "other"
    """A kind that only a newer release knows."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a request reads. `name` is a user's id, or the id of an execution, a recipe or a job; it may be empty."""

    kind: SubjectKind
    name: str = ""

    @classmethod
    def of_users(cls, user_ids: Sequence[object]) -> "Subject":
        """Return the subject of a request that names users; what is not text is no user's id."""
        match user_ids:
            case [str(user_id)]:
                return cls(kind=SubjectKind.USER, name=user_id)
        return cls(kind=SubjectKind.USERS, name=str(len(user_ids)))

    def shown(self, key: str) -> str:
        """Return the name for the log: for a user, the keyed hash of the id."""
        return hash_of_user(self.name, key) if self.kind is SubjectKind.USER else self.name


def hash_of_user(user_id: str, key: str) -> str:
    """Return HMAC-SHA256 of a user's id in hexadecimal. Without the key an id cannot be compared with it."""
    text = canonical_user_id(user_id.strip()).encode("utf-8", "surrogatepass")
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


@dataclass(frozen=True, kw_only=True)
class AccessEntry:
    """One access. `by` is the caller's name, `route` the method and the path without parameters."""

    id: str
    at: datetime
    by: str
    route: str
    kind: SubjectKind
    subject: str

    def document(self) -> dict[str, Any]:
        """Return the entry as JSON has it."""
        return {
            "at": stamp(self.at),
            "by": self.by,
            "route": self.route,
            "kind": self.kind.value,
            "subject": self.subject,
        }

    @staticmethod
    def read(entry_id: str, document: Mapping[str, Any]) -> "AccessEntry":
        """Return the entry in a stored document."""
        return AccessEntry(
            id=entry_id,
            at=instant(document["at"]),
            by=document["by"],
            route=document["route"],
            kind=known(SubjectKind, document["kind"], SubjectKind.OTHER),
            subject=document["subject"],
        )
