"""List what people can do now to a recipe and to running executions."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.domain.errors import BadRecipe, NotFound
from functions.domain.recipe.read import read
from functions.domain.recipe.status import Status
from functions.ports import Ports
from functions.usecases.recipes.save import stored_recipe
from functions.usecases.reports.executions import ExecutionSummary, possible_for, summary


@dataclass(frozen=True, kw_only=True)
class Possible(ExecutionSummary):
    """A running execution, with what can be done to it."""

    possible: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class PossibleNow:
    """What can be done to the recipe, and to each running execution."""

    recipe_id: str | None
    recipe: Sequence[str]
    executions: Sequence[Possible]


def possible_now(ports: Ports, *, recipe_id: str = "", execution_id: str = "") -> PossibleNow:
    """Return what can be done to a recipe, to an execution, or to all running executions.

    NotFound if the named recipe or execution does not exist.
    """
    if execution_id and ports.executions.get(execution_id) is None:
        raise NotFound(f"the execution {execution_id!r} does not exist")
    under_way = [
        execution
        for execution in ports.executions.unfinished()
        if not execution.state.final and recipe_id in ("", execution.recipe_id) and execution_id in ("", execution.id)
    ]
    now = ports.clock.now()
    return PossibleNow(
        recipe_id=recipe_id or None,
        recipe=_possible_for_recipe(ports, recipe_id) if recipe_id else [],
        executions=[Possible(**vars(summary(each, now)), possible=possible_for(each)) for each in under_way],
    )


def _possible_for_recipe(ports: Ports, recipe_id: str) -> list[str]:
    document = stored_recipe(ports, recipe_id)
    try:
        status = read(document, default_id=recipe_id).status
    except BadRecipe:
        return ["pause"]
    return ["pause", "execute_now"] if status is Status.ACTIVE else ["resume"]
