"""The plan of a recipe: when it sends, without the rest of its document."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.domain.recipe.read import Recipe, schedule_of
from functions.domain.recipe.schedule import Schedule, sends_from
from functions.domain.recipe.schedule_fields import RecipeSchedule
from functions.domain.recipe.skips import skipped_sends


@dataclass(frozen=True, kw_only=True)
class Plan:
    """When an active recipe sends, according to its document at the time of planning.

    `schedule` is the `schedule` of the document, as JSON. `next_send_at` is the first send at or after the time of
    planning. No later send of the recipe comes before it.
    """

    recipe_id: str
    name: str
    zone: str
    schedule: str
    first_send_at: datetime | None
    next_send_at: datetime

    def sends(self, since: datetime) -> Iterator[datetime]:
        """Yield the instants at or after `since` at which the recipe sends, in order."""
        return sends_from(self._rule(), max(since, self.first_send_at or since))

    def skipped(self, since: datetime, until: datetime) -> list[datetime]:
        """Return the skipped sends from `since` to before `until`, in order."""
        if '"skip"' not in self.schedule:
            return []
        return skipped_sends(self._rule(), since, until, self.first_send_at)

    def _rule(self) -> Schedule:
        return schedule_of(RecipeSchedule.model_validate_json(self.schedule), timedelta())


def plan_of(recipe: Recipe, now: datetime) -> Plan | None:
    """Return the plan of a recipe; None if it is not active or has no send left."""
    next_send_at = next(recipe.sends(now), None) if recipe.is_active else None
    if next_send_at is None:
        return None
    return Plan(
        recipe_id=recipe.id,
        name=recipe.name,
        zone=recipe.schedule.zone.key,
        schedule=recipe.written_schedule.model_dump_json(by_alias=True, exclude_unset=True),
        first_send_at=recipe.first_send_at,
        next_send_at=next_send_at,
    )
