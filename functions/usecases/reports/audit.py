"""What was done to a recipe, page by page."""

from collections.abc import Mapping
from typing import Any

from functions.domain.audit import AuditEntry
from functions.domain.instants import stamp
from functions.ports import Ports

_MOST = 100


def history_of(ports: Ports, recipe_id: str, *, before: int | None = None, most: int = 20) -> Mapping[str, Any]:
    """Return a page of a recipe's audit log as JSON has it, newest first; at most 100 entries.

    `next`, None on the last page, is the `before` of the next page. A recipe that was deleted keeps its log.
    """
    most = max(1, min(most, _MOST))
    entries = ports.audit.of_recipe(recipe_id, before=before, most=most + 1)
    page = entries[:most]
    return {
        "recipeId": recipe_id,
        "entries": [_document(entry) for entry in page],
        "next": page[-1].number if len(entries) > most else None,
    }


def _document(entry: AuditEntry) -> Mapping[str, Any]:
    return {
        "number": entry.number,
        "by": entry.deed.by,
        "at": stamp(entry.deed.at),
        "action": entry.deed.action.value,
        "before": entry.before,
        "after": entry.after,
    }
