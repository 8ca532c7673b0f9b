"""Record who reads or exports personal data, and list it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from functions.domain.access import AccessEntry, Subject, SubjectKind
from functions.ports import Ports
from functions.ports.stores import AccessPlace


@dataclass(frozen=True, kw_only=True)
class AccessShown:
    """One access to personal data: who, when, by which route, and of which subject; a user is a keyed hash."""

    at: datetime
    by: str
    route: str
    kind: SubjectKind
    subject: str


@dataclass(frozen=True, kw_only=True)
class Accesses:
    """A page of the access log, newest first, and the place after which the next page begins."""

    entries: Sequence[AccessShown]
    next: AccessPlace | None


def record_access(ports: Ports, subject: Subject, *, by: str, route: str) -> None:
    """Add an entry to the access log, before the data are read: without an entry the caller gets none."""
    key = (ports.policy.user_hash_key or ports.accesses.key()) if subject.kind is SubjectKind.USER else ""
    entry = AccessEntry(
        id=uuid4().hex,
        at=ports.clock.now(),
        by=by,
        route=route,
        kind=subject.kind,
        subject=subject.shown(key),
    )
    ports.accesses.add(entry)


def list_accesses(ports: Ports, *, most: int, after: AccessPlace | None = None) -> Accesses:
    """Return a page of the access log."""
    found = ports.accesses.newest(most=most + 1, after=after)
    page = found[:most]
    entries = [
        AccessShown(at=entry.at, by=entry.by, route=entry.route, kind=entry.kind, subject=entry.subject)
        for entry in page
    ]
    return Accesses(entries=entries, next=(page[-1].at, page[-1].id) if len(found) > most else None)
