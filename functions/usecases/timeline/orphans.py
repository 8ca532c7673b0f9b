"""Executions whose recipe has been paused or deleted since they started, by Tminus or by hand in the store."""

from functions.domain.errors import BadRecipe
from functions.domain.execution.execution import Execution, Kind
from functions.domain.recipe.status import Status, read_status
from functions.ports import Ports

_SENDS_NOTHING = (Status.PAUSED, Status.DRAFT, Status.ARCHIVED)


def why_orphaned(ports: Ports, execution: Execution) -> str | None:
    """Return why an execution has to be cancelled if it is before T-0; None: its recipe, as it is now, lets it go on.

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
        return None  # a pause cannot be ruled in: the execution keeps its snapshot
    return f"its recipe is {status.value}" if status in _SENDS_NOTHING else None
