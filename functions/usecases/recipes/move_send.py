"""Move one send of a recipe to another time, once."""

from dataclasses import dataclass
from datetime import datetime

from functions.domain.audit import Action
from functions.domain.errors import NotPossible
from functions.domain.recipe.moved import moved_copy
from functions.domain.recipe.read import Recipe, read
from functions.domain.recipe.schedule import is_skipped
from functions.domain.recipe.skips import with_skip
from functions.domain.recipe.status import Status
from functions.ports import Ports
from functions.usecases.recipes.move_sends import plan_move
from functions.usecases.recipes.save import (
    add_recipe,
    checked,
    pause_recipe,
    skip_send,
    stored_recipe,
    update_recipe,
)
from functions.usecases.timeline.orphans import went_live


@dataclass(frozen=True, kw_only=True)
class Moved:
    """The recipe whose send was moved, and the recipe that sends in its place."""

    recipe: Recipe
    copy: Recipe


def move_send(ports: Ports, recipe_id: str, send_at: datetime, to: datetime, *, by: str) -> Moved:
    """Skip the send at `send_at` of an active recipe, and have a copy of the recipe send once at `to`.

    For example, the send on Friday 18:30 goes out on Saturday 10:00, and the one of the next Friday as planned. A
    send that is moved again goes out at the last time only. If the process dies in between, the send is skipped, and
    moving it again does the rest. NotPossible as in `skip_send`, and if the copy has started; BadRecipe if `to` is
    too soon to prepare.
    """
    stored = stored_recipe(ports, recipe_id)
    copy = moved_copy(stored, send_at, to)
    with_skip(stored, send_at, ports.clock.now(), last="change its schedule instead")
    ready = checked(ports, copy)
    plan_move(None, ready, (), ports.clock.now(), None)
    _refuse_sent(ports, ready, send_at)
    recipe = skip_send(ports, recipe_id, send_at, by=by, action=Action.MOVED)
    moved = _create(ports, ready, send_at, by=by)
    current = ports.recipes.get(recipe_id)
    if current is None or not (read(current).is_active and is_skipped(read(current).schedule, send_at)):
        pause_recipe(ports, moved.id, by=by)
        raise NotPossible(f"recipe {recipe_id!r} was changed meanwhile: the send at {_named(send_at)} is not moved")
    return Moved(recipe=recipe, copy=moved)


def _create(ports: Ports, copy: Recipe, send_at: datetime, *, by: str) -> Recipe:
    """Create the copy, or change when it sends. It is paused first, so that it cannot go live at its old time."""
    if ports.recipes.get(copy.id) is None:
        return add_recipe(ports, copy, by=by)
    pause_recipe(ports, copy.id, by=by)
    _refuse_sent(ports, copy, send_at)
    changes = {"schedule": copy.document()["schedule"], "status": Status.ACTIVE.value}
    return update_recipe(ports, copy.id, changes, by=by)


def _refuse_sent(ports: Ports, copy: Recipe, send_at: datetime) -> None:
    if went_live(ports, copy.id):
        raise NotPossible(f"the send at {_named(send_at)} was moved, and recipe {copy.id!r} has sent in its place")


def _named(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
