"""Rebuild the scheduler's job of one recipe."""

from typing import Any

from functions.domain.instants import stamp
from functions.domain.recipe.read import read
from functions.ports import Ports
from functions.usecases.recipes.save import match_schedule, stored_recipe, wanted_job


def reschedule(ports: Ports, recipe_id: str) -> dict[str, Any]:
    """Make the scheduler's job of a recipe what it should be, and say what that is; NotFound without the recipe."""
    recipe = read(stored_recipe(ports, recipe_id), default_id=recipe_id)
    match_schedule(ports, recipe)
    job = wanted_job(ports, recipe)
    following = next(recipe.sends(ports.clock.now()), None) if recipe.is_active else None
    return {
        "recipeId": recipe.id,
        "status": recipe.status.value,
        "schedule": {"name": job.name, "cron": job.cron, "timezone": job.zone} if job else None,
        "nextSendAt": stamp(following),
    }
