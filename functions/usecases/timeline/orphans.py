"""Executions whose recipe was paused or deleted, or whose send was skipped or moved, perhaps by hand in the store."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from functions.domain.errors import BadRecipe
from functions.domain.execution.execution import Execution, Kind
from functions.domain.ids import execution_id
from functions.domain.recipe.moved import moved_from, moved_id
from functions.domain.recipe.read import read
from functions.domain.recipe.schedule import is_skipped
from functions.domain.recipe.status import Status, read_status
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch

SKIPPED = "its send is skipped"
"""Why an execution is cancelled whose send a person left out."""
_SENDS_NOTHING = (Status.PAUSED, Status.DRAFT, Status.ARCHIVED)
_MOST_OF_ONCE = 20
"""More executions than a recipe that sends once has, with its tests."""


def why_orphaned(ports: Ports, execution: Execution) -> str | None:
    """Return why an execution before T-0 has to be cancelled; None if its current recipe lets it go on.

    The recipe of a test need not be active. A send that was moved goes out at one time only.
    """
    if execution.kind is Kind.ONE_OFF:
        return None
    document = ports.recipes.get(execution.recipe_id)
    if document is None:
        return "its recipe was deleted"
    if execution.kind is Kind.TEST:
        return None
    scheduled = execution.kind is Kind.SCHEDULED
    why = _why_off(document, execution.send_at if scheduled else None)
    if why is None and scheduled:
        origin = moved_from(document)
        why = _why_moved(ports, execution) if origin is None else _why_restored(ports, *origin)
    return why


def went_live(ports: Ports, recipe_id: str) -> bool:
    """Return whether a recipe that sends once has sent to its audience."""
    found = ports.executions.search(ExecutionSearch(recipe_id=recipe_id), most=_MOST_OF_ONCE)
    return any(execution.went_live for execution in found)


def _why_off(document: Mapping[str, Any], send_at: datetime | None, *, named: str = "its recipe") -> str | None:
    """Return why a recipe does not send at an instant; without one, whether it sends nothing at all."""
    try:
        status, _ = read_status(document)
        if status in _SENDS_NOTHING:
            return f"{named} is {status.value}"
        skipped = send_at is not None and is_skipped(read(document).schedule, send_at)
    except BadRecipe:
        return None  # an unreadable recipe may not be paused: the execution goes on with its snapshot
    return SKIPPED if skipped else None


def _why_moved(ports: Ports, execution: Execution) -> str | None:
    sent = went_live(ports, moved_id(execution.recipe_id, execution.send_at))
    return "its send was moved, and has gone out" if sent else None


def _why_restored(ports: Ports, recipe_id: str, send_at: datetime) -> str | None:
    """Return why a copy must not send in place of a send of another recipe; None if it may."""
    named = "the recipe in whose place it sends"
    own = ports.executions.get(execution_id(recipe_id, send_at))
    if own is not None and own.went_live:
        return "the send in whose place it sends has gone out"
    document = ports.recipes.get(recipe_id)
    if document is None:
        return f"{named} was deleted"
    off = _why_off(document, send_at, named=named)
    if off is None:
        return "the send in whose place it sends was restored" if send_at > ports.clock.now() else None
    return None if off == SKIPPED else off
