"""Which executions a change of a recipe cancels: named before it is made, and found after it."""

from collections.abc import Callable
from typing import TypeVar

from functions.domain.execution import Execution, Kind, State
from functions.ports import Ports

Done = TypeVar("Done")


def would_cancel(ports: Ports, recipe_id: str, *, tests: bool = False) -> list[Execution]:
    """Return the executions before T-0 that pausing a recipe cancels for good; deleting it cancels tests, too."""
    return [
        execution
        for execution in ports.executions.unfinished()
        if execution.recipe_id == recipe_id
        and not execution.state.final
        and execution.state is not State.LIVE
        and (tests or execution.kind is not Kind.TEST)
    ]


def while_cancelling(ports: Ports, recipe_id: str, do: Callable[[], Done]) -> tuple[Done, list[Execution]]:
    """Do something to a recipe; return what it comes to, and the executions that were cancelled meanwhile."""
    before = {execution.id for execution in _cancelled(ports, recipe_id)}
    done = do()
    return done, [execution for execution in _cancelled(ports, recipe_id) if execution.id not in before]


def _cancelled(ports: Ports, recipe_id: str) -> list[Execution]:
    """Return a recipe's cancelled executions that are not cleaned up: that is done ten minutes after T-0."""
    found = ports.executions.unfinished()
    return [each for each in found if each.recipe_id == recipe_id and each.state is State.CANCELLED]
