"""The audit log of a recipe and its sends, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from functions.domain import audit
from functions.domain.documents import Described
from functions.ports import Ports

_MOST = 100
_Audited = Annotated[Mapping[str, Any], Described("AuditedRecipe")]


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """What a person did: who, when, what, and the document before and after.

    For what was done to an execution, `after` has its id and the reason, and `before` is null.
    """

    number: int
    by: str
    at: datetime
    action: str
    before: _Audited | None
    after: _Audited | None


@dataclass(frozen=True, kw_only=True)
class Changes:
    """A page of a recipe's changes, newest first; `next` is the `before` of the next page."""

    recipe_id: str
    entries: Sequence[AuditEntry]
    next: int | None


@dataclass(frozen=True, kw_only=True)
class Activity(AuditEntry):
    """An entry of the audit log with its subject: the id of a recipe, or a name with a dot, such as test.people."""

    subject: str


def activity_shown(entry: audit.AuditEntry) -> Activity:
    """Return an entry with its subject as the API shows it."""
    return Activity(subject=entry.recipe_id, **vars(_shown(entry)))


def history_of(ports: Ports, recipe_id: str, *, before: int | None = None, most: int = 20) -> Changes:
    """Return a page of a recipe's audit log, newest first; at most 100 entries.

    `next`, None on the last page, is the `before` of the next page. A deleted recipe keeps its log.
    """
    most = max(1, min(most, _MOST))
    entries = ports.audit.of_recipe(recipe_id, before=before, most=most + 1)
    page = entries[:most]
    return Changes(
        recipe_id=recipe_id,
        entries=[_shown(entry) for entry in page],
        next=page[-1].number if len(entries) > most else None,
    )


def _shown(entry: audit.AuditEntry) -> AuditEntry:
    return AuditEntry(
        number=entry.number,
        by=entry.deed.by,
        at=entry.deed.at,
        action=entry.deed.action.value,
        before=entry.before,
        after=entry.after,
    )
