"""Apply a recipe's change to its sends: which one is first, which running ones stay, and what starts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from functions.domain.errors import BadRecipe, NotPossible
from functions.domain.execution.execution import Execution, State
from functions.domain.execution.safeguards import past_errors
from functions.domain.recipe.first_send import (
    LOOK_BACK,
    ScheduleUnderWay,
    Underway,
    displaced,
    first_send,
    no_send_errors,
)
from functions.domain.recipe.read import Recipe, read
from functions.domain.recipe.schedule import Schedule, is_skipped
from functions.domain.recipe.skips import skipped_sends
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.timeline.control import cancel_all
from functions.usecases.timeline.missed import find_missing, record_missed, start_due
from functions.usecases.timeline.orphans import SKIPPED

_MOST_EXECUTIONS = 200
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Move:
    """The effect of a change on a recipe's sends. `first_send_at` is None if the recipe does not send.

    With `cancels_displaced`, running executions at times that are no longer in the schedule are cancelled.
    """

    first_send_at: datetime | None = None
    passed_over: tuple[str, ...] = ()
    cancels_displaced: bool = False


def recent_executions(ports: Ports, recipe_id: str, now: datetime) -> Sequence[Execution]:
    """Return the executions that affect what a recipe may still send today."""
    wanted = ExecutionSearch(recipe_id=recipe_id, since=now - LOOK_BACK)
    return ports.executions.search(wanted, most=_MOST_EXECUTIONS)


def record_missed_before(
    ports: Ports, stored: Mapping[str, Any] | None, changed: Callable[[], Recipe | None], why: str
) -> None:
    """Record the missed sends of a stored recipe before a change of its schedule or status hides them.

    `changed` returns the recipe after the change, None for no recipe; an error refuses the change. If the schedule
    stays the same, sends that can still start are left to reconcile.
    """
    try:
        before = read(stored or {})
    except BadRecipe:
        return
    missing = find_missing(ports, before, ports.executions.accounted_until() if before.is_active else None)
    if not missing.more and all(send_at > ports.clock.now() for send_at in missing.sends):
        return
    after = changed()
    if after is None or not after.is_active or _without_skips(after) != _without_skips(before):
        record_missed(ports, before, missing, why)


def plan_move(
    before: Mapping[str, Any] | None,
    recipe: Recipe,
    executions: Sequence[Execution],
    now: datetime,
    underway: Underway | None,
) -> Move:
    """Return the effect on a recipe's sends if `recipe` replaces the stored document `before`.

    BadRecipe if an active recipe has no send left that can be prepared. ScheduleUnderWay if the new schedule lacks
    the send of a running execution, and `underway` does not say what to do with it.
    """
    if not recipe.is_active:
        if underway is Underway.KEEP:
            _refuse_to_keep(recipe, executions)
        return Move()
    same = _same_schedule(before, recipe)
    if same is not None:
        _refuse(past_errors(recipe, now))
        return Move(first_send_at=same.first_send_at, cancels_displaced=underway is Underway.REPLACE)
    moved = displaced(recipe, executions)
    kept, replaced = (first_send(recipe, executions, now, kept=keeps) for keeps in (moved, ()))
    if moved and underway is None:
        raise ScheduleUnderWay(recipe, moved[0], kept, replaced)
    found = kept if underway is Underway.KEEP else replaced
    _refuse(no_send_errors(recipe, found, now))
    skipped = skipped_sends(recipe.schedule, now, found.at, None) if found.at else []
    return Move(
        first_send_at=skipped[0] if skipped else found.at,  # a skipped send before it can still be restored
        passed_over=found.passed_over,
        cancels_displaced=underway is not Underway.KEEP,
    )


def _same_schedule(before: Mapping[str, Any] | None, recipe: Recipe) -> Recipe | None:
    """Return the stored recipe if it already sends at the same times, apart from skipped ones."""
    try:
        stored = read(before or {}, default_id=recipe.id)
    except BadRecipe:
        return None
    return stored if stored.is_active and _without_skips(stored) == _without_skips(recipe) else None


def _without_skips(recipe: Recipe) -> Schedule:
    return replace(recipe.schedule, skip=frozenset())


def _refuse_to_keep(recipe: Recipe, executions: Sequence[Execution]) -> None:
    """Raise NotPossible if an execution before T-0 should be kept, although the recipe stops sending."""
    waiting = [each for each in executions if not each.state.final and each.state is not State.LIVE]
    if waiting:
        raise NotPossible(
            f"underway=keep cannot keep execution {waiting[0].id}: a recipe that is {recipe.status.value} sends "
            "nothing. Leave underway out to cancel it, or make this change after its send"
        )


def _refuse(errors: Sequence[Any]) -> None:
    if errors:
        raise BadRecipe(errors)


def cancel_displaced(ports: Ports, recipe: Recipe, move: Move) -> Sequence[Execution]:
    """Cancel the executions of skipped sends, and the displaced ones if the move says so, and return them."""
    under_way = [each for each in ports.executions.unfinished() if each.recipe_id == recipe.id]
    gone = displaced(recipe, under_way)
    skipped = [each for each in gone if is_skipped(recipe.schedule, each.send_at)]
    moved = [each for each in gone if each not in skipped] if move.cancels_displaced else []
    return [*cancel_all(ports, skipped, SKIPPED), *cancel_all(ports, moved, "its send was moved")]


def start_moved(ports: Ports, recipe: Recipe, move: Move) -> Iterator[str]:
    """Start what is due, and return sentences about what starts, what was blocked at once, and what is not sent."""
    for execution in start_due(ports, recipe):
        label = f"the send at {execution.send_at:%Y-%m-%d %H:%M} UTC"
        if execution.state.final:
            yield f"{label} is {execution.state.value}: {execution.reason}"
        else:
            minutes = (execution.send_at - ports.clock.now()) // _MINUTE
            yield f"{label} starts now, {minutes} minutes before its time"
    yield from move.passed_over
