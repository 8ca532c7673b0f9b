"""Changes that make segments reach too few recipes, or too much of them."""

from dataclasses import replace
from typing import Any

from functions.domain.recipe.read import read
from functions.usecases.recipes.save import save_recipe
from functions.usecases.recipes.with_segments import with_current_segments


def only_by_people(right: Any) -> Any:
    """Renew what the person who changes a segment waits for, and nothing later."""
    return lambda ports, recipe_id, *, by: None if by == "reconcile" else right(ports, recipe_id, by=by)


def save_what_was_read(_: Any) -> Any:
    """Save a recipe with the conditions, as it was read before."""

    def renew_segments(ports: Any, recipe_id: str, *, by: str) -> Any:
        stored = ports.recipes.get(recipe_id)
        if stored is None or with_current_segments(ports, stored) == stored:
            return None
        return save_recipe(ports, stored, by=by)

    return renew_segments


def used_by_nothing(_: Any) -> Any:
    """Find no recipe that uses a segment."""
    return lambda _ports, _wanted: []


def by_current_conditions(right: Any) -> Any:
    """Build audiences by the conditions that segments have now."""

    def audiences_of(ports: Any, run: Any) -> Any:
        document = with_current_segments(ports, run.recipe.document())
        return right(ports, replace(run, recipe=read(document)))

    return audiences_of
