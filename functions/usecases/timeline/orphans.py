"""Executions whose recipe was paused or deleted since they started, by Tminus or by hand in the store."""

from functions.domain.errors import BadRecipe
from functions.domain.execution.execution import Execution, Kind
from functions.domain.recipe.status import Status, read_status
from functions.ports import Ports

_SENDS_NOTHING = (Status.PAUSED, Status.DRAFT, Status.ARCHIVED)


def why_orphaned(ports: Ports, execution: Execution) -> str | None:
    """Return why an execution before T-0 has to be cancelled; None if its current recipe lets it go on.

    The recipe of a test need not be active.
    """
    if execution.kind is Kind.ONE_OFF:
        return None
    document = ports.recipes.get(execution.recipe_id)
    if document is None:
        return "its recipe was deleted"
    if execution.kind is Kind.TEST:
        return None
    try:
        status, _ = read_status(document)
    except BadRecipe:
        return None  # an unreadable recipe may not be paused: the execution goes on with its snapshot
    return f"its recipe is {status.value}" if status in _SENDS_NOTHING else None
