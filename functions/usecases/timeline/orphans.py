"""Executions whose recipe was paused or deleted, or whose send was skipped, by Tminus or by hand in the store."""

from functions.domain.errors import BadRecipe
from functions.domain.execution.execution import Execution, Kind
from functions.domain.recipe.read import read
from functions.domain.recipe.schedule import is_skipped
from functions.domain.recipe.status import Status, read_status
from functions.ports import Ports

SKIPPED = "its send is skipped"
"""Why an execution is cancelled whose send a person left out."""
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
        if status in _SENDS_NOTHING:
            return f"its recipe is {status.value}"
        skipped = execution.kind is Kind.SCHEDULED and is_skipped(read(document).schedule, execution.send_at)
    except BadRecipe:
        return None  # an unreadable recipe may not be paused: the execution goes on with its snapshot
    return SKIPPED if skipped else None
