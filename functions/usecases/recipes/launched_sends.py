"""Scheduled sends that already have executions: running, or ended before their time."""

from collections.abc import Mapping
from datetime import datetime

from functions.domain.execution.execution import Execution, Kind
from functions.domain.recipe.read import Recipe
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch

_MOST = 500
"""A limit for executions before T-0: each exists at most for its lead time, a day."""
LaunchedSends = Mapping[tuple[str, datetime], Execution]
"""Executions by recipe and send."""


def launched_sends(ports: Ports, now: datetime, recipe_id: str | None = None) -> LaunchedSends:
    """Return the scheduled executions with T-0 now or later, of one recipe or of all."""
    wanted = ExecutionSearch(recipe_id=recipe_id, since=now)
    found = ports.executions.search(wanted, most=_MOST, oldest_first=True)
    return {(each.recipe_id, each.send_at): each for each in found if each.kind is Kind.SCHEDULED}


def next_send(recipe: Recipe, now: datetime, launched: LaunchedSends) -> datetime | None:
    """Return the next send that goes out unless a person intervenes, or None.

    A send that was cancelled or failed before T-0 is skipped.
    """
    if not recipe.is_active:
        return None
    for send_at in recipe.sends(now):
        execution = launched.get((recipe.id, send_at))
        if execution is None or not execution.state.final:
            return send_at
    return None
