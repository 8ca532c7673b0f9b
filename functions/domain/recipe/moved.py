"""A send that is moved: the recipe skips it, and a copy of the recipe sends once in its place."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from functions.domain.errors import BadRecipe, NotPossible
from functions.domain.ids import LONGEST_RECIPE_ID
from functions.domain.instants import instant, stamp
from functions.domain.recipe.read import FIRST_SEND_AT, Document, read
from functions.domain.recipe.schedule import Frequency, planned_from, sends_from
from functions.domain.recipe.skips import skips_of
from functions.domain.recipe.status import Status

MOVED_FROM = "movedFrom"
"""The field of a copy that names the recipe and the send in whose place it sends."""
OF_ITS_OWN = ("createdAt", "updatedAt", FIRST_SEND_AT, MOVED_FROM, "isActive", "problem")
"""Fields that no copy of a recipe gets."""


def moved_id(recipe_id: str, send_at: datetime) -> str:
    """Return the id of the copy that sends in place of a send, always the same: a send is moved to one time only."""
    end = f"-moved-{send_at.astimezone(UTC):%Y%m%dT%H%MZ}"
    if len(recipe_id) + len(end) <= LONGEST_RECIPE_ID:
        return recipe_id + end
    digest = hashlib.sha256(recipe_id.encode()).hexdigest()[:8]
    return f"{recipe_id[: LONGEST_RECIPE_ID - len(end) - len(digest) - 1]}-{digest}{end}"


def moved_copy(document: Document, send_at: datetime, to: datetime) -> Document:
    """Return the document of the active recipe that sends once at `to`, in place of a send of this recipe.

    NotPossible if `to` is not a whole minute on the clock of the recipe's time zone, or the recipe sends then anyway.
    """
    recipe = read(document)
    if to == send_at:
        raise NotPossible(f"the send is at {to:%Y-%m-%d %H:%M} UTC already: name another time")
    if next(sends_from(recipe.schedule, to), None) == to:
        raise NotPossible(f"recipe {recipe.id!r} sends at {to:%Y-%m-%d %H:%M} UTC anyway: name another time, or skip")
    local = to.astimezone(recipe.schedule.zone)
    schedule = {
        "timezone": recipe.schedule.zone.key,
        "frequency": Frequency.ONCE.value,
        "startDate": f"{local:%Y-%m-%d}",
        "executionTime": f"{local:%H:%M}",
    }
    lead = document["schedule"].get("leadTimeMinutes")
    copy = {
        **{name: value for name, value in document.items() if name not in OF_ITS_OWN},
        "id": moved_id(recipe.id, send_at),
        "name": f"{recipe.name} (moved)",
        "status": Status.ACTIVE.value,
        MOVED_FROM: {"recipeId": recipe.id, "sendAt": stamp(send_at)},
        "schedule": schedule if lead is None else {**schedule, "leadTimeMinutes": lead},
    }
    if next(planned_from(read(copy).schedule, to), None) != to:
        raise NotPossible(
            f"no clock in {recipe.schedule.zone.key} names {to:%Y-%m-%d %H:%M:%S} UTC: name a whole minute, which "
            "does not come twice because the clocks change"
        )
    return copy


def moved_from(document: Mapping[str, Any]) -> tuple[str, datetime] | None:
    """Return the recipe and the send in whose place a recipe sends once; None if it sends as itself."""
    match document:
        case {"movedFrom": {"recipeId": str(recipe_id), "sendAt": str(send_at)}, "schedule": {"frequency": "once"}}:
            with suppress(ValueError):
                return recipe_id, instant(send_at)
    return None


def moved_ids(document: Mapping[str, Any], send_at: datetime) -> Sequence[str]:
    """Return the ids that the copy may have which sends in place of a skipped send.

    A schedule with one send a day skips a day. So the send was at another time if its time of day has changed since.
    """
    recipe = read(document)
    schedule, day = recipe.schedule, recipe.schedule.day_of(send_at)
    same = {at for at in skips_of(document) if at == send_at or (schedule.by_day and schedule.day_of(at) == day)}
    return [moved_id(recipe.id, at) for at in sorted({send_at, *same})]


def sends_instead(copy: Mapping[str, Any]) -> bool:
    """Return whether a copy sends, or has sent, in place of a send."""
    return _status(copy) in (Status.ACTIVE, Status.COMPLETED)


def has_status(copy: Mapping[str, Any] | None, status: Status) -> bool:
    """Return whether a copy is there, and has a status."""
    return copy is not None and _status(copy) is status


def _status(copy: Mapping[str, Any]) -> Status | None:
    """Return the status of a copy; None if somebody broke it by hand, so that it does not run."""
    try:
        return read(copy).status
    except BadRecipe:
        return None
