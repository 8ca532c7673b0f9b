"""Rebuild the scheduler's job of one recipe."""

from dataclasses import dataclass
from datetime import datetime

from functions.domain.recipe.read import read
from functions.ports import Ports
from functions.usecases.recipes.save import match_schedule, stored_recipe, wanted_job


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A scheduler's job."""

    name: str
    cron: str
    timezone: str


@dataclass(frozen=True, kw_only=True)
class Rescheduled:
    """The current scheduler job of a recipe; null if the recipe is not active, or has no send left."""

    recipe_id: str
    status: str
    schedule: Schedule | None
    next_send_at: datetime | None


def reschedule(ports: Ports, recipe_id: str) -> Rescheduled:
    """Rebuild the scheduler's job of a recipe, and return it; NotFound without the recipe."""
    recipe = read(stored_recipe(ports, recipe_id), default_id=recipe_id)
    match_schedule(ports, recipe)
    job = wanted_job(ports, recipe)
    following = next(recipe.sends(ports.clock.now()), None) if recipe.is_active else None
    return Rescheduled(
        recipe_id=recipe.id,
        status=recipe.status.value,
        schedule=Schedule(name=job.name, cron=job.cron, timezone=job.zone) if job else None,
        next_send_at=following,
    )
