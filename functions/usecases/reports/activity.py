"""What people did, newest first: entries of the audit log by campaign, person, action and time."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from functions.domain.audience.dead_tokens import SUBJECT as GRAVES
from functions.domain.audience.segments import SUBJECT as SEGMENTS
from functions.domain.audit import CHECKPOINTS, ERASURES, IMPORTS, Action, AuditEntry
from functions.domain.cadence.rule_changes import SUBJECT as RULES
from functions.domain.ids import ONE_OFF
from functions.domain.testers import SUBJECT as TEST_PEOPLE
from functions.ports import Ports
from functions.ports.stores import AuditPlace

OWN_SUBJECTS = (RULES, GRAVES, CHECKPOINTS, ERASURES, IMPORTS, ONE_OFF, TEST_PEOPLE, SEGMENTS)
"""The subjects of the log that are no recipes."""
MOST_AT_ONCE = 50
_MOST_LOOKED_AT = 200
"""How many entries one page looks at. The log has no index for persons and actions."""
_FIRST = "!"
"""A name before those of all subjects."""


@dataclass(frozen=True, kw_only=True)
class ActivitySearch:
    """A search for entries: of subjects, by a person, of some kinds of actions, in a time. Empty fields match all."""

    subjects: Set[str] = frozenset()
    by: str = ""
    actions: Set[Action] = frozenset()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class FoundActivity:
    """A page of entries. The next page begins after the place `next`; None: there is none.

    A page may be short, or empty, although there are older entries.
    """

    entries: Sequence[AuditEntry]
    next: AuditPlace | None


def find_activity(
    ports: Ports, wanted: ActivitySearch, *, after: AuditPlace | None = None, most: int = MOST_AT_ONCE
) -> FoundActivity:
    """Return a page of what people did, at most 50 entries. Checkpoints of the log are shown only on request."""
    if after is None and wanted.until is not None:
        after = wanted.until, _FIRST, 0
    found, looked = list[AuditEntry](), 0
    while looked < _MOST_LOOKED_AT:
        page = _page(ports, wanted, after)
        for entry in page:
            looked, after = looked + 1, (entry.deed.at, entry.recipe_id, entry.number)
            if wanted.since is not None and entry.deed.at < wanted.since:
                return FoundActivity(entries=found, next=None)
            if _matches(entry, wanted):
                found.append(entry)
            if len(found) == most:
                return FoundActivity(entries=found, next=after)
        if len(page) < MOST_AT_ONCE:
            return FoundActivity(entries=found, next=None)
    return FoundActivity(entries=found, next=after)


def _page(ports: Ports, wanted: ActivitySearch, after: AuditPlace | None) -> Sequence[AuditEntry]:
    if len(wanted.subjects) != 1:
        return ports.audit.newest(most=MOST_AT_ONCE, after=after)
    [subject] = wanted.subjects
    before = after[2] if after and after[1] == subject else None
    return ports.audit.of_recipe(subject, before=before, most=MOST_AT_ONCE)


def _matches(entry: AuditEntry, wanted: ActivitySearch) -> bool:
    deed = entry.deed
    return (
        (entry.recipe_id in wanted.subjects if wanted.subjects else entry.recipe_id != CHECKPOINTS)
        and wanted.by.casefold() in deed.by.casefold()
        and (not wanted.actions or deed.action in wanted.actions)
        and (wanted.until is None or deed.at < wanted.until)
    )
