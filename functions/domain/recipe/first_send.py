"""The first send of a recipe that was activated or whose schedule changed: one that will really happen.

A send is passed over if there is too little time to prepare it, if its execution has already ended, or if the recipe
has already sent on that day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from functions.domain.errors import FieldError, NotPossible
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.execution.safeguards import past_errors, schedule_field
from functions.domain.recipe.read import Recipe
from functions.domain.recipe.schedule import sends_from

LOOK_BACK = timedelta(days=2)
"""How far back executions can affect what may still be sent on the same day, in any zone."""
_MINUTE = timedelta(minutes=1)
_MOST_REASONS = 3
"""A cron may match every minute."""


class Underway(StrEnum):
    """What to do with a running execution whose send time is no longer in the schedule."""

    KEEP = "keep"
    REPLACE = "replace"


class ScheduleUnderWay(NotPossible):
    """A schedule change leaves a running execution behind: the caller has to say whether to keep or replace it."""

    def __init__(self, recipe: Recipe, displaced: Execution, kept: "FirstSend", replaced: "FirstSend") -> None:
        self.zone, self.send_at = recipe.schedule.zone, displaced.send_at
        self.kept, self.replaced = kept.at, replaced.at
        super().__init__(
            f"execution {displaced.id}, which sends at {displaced.send_at:%Y-%m-%d %H:%M} UTC, is under way. "
            f"underway=keep lets it send, and the new schedule starts {_when(kept.at)}; "
            f"underway=replace cancels it, and the new schedule starts {_when(replaced.at)}"
        )


@dataclass(frozen=True, kw_only=True)
class FirstSend:
    """The first send that will happen, or None. `passed_over` says why each send before it will not."""

    at: datetime | None
    passed_over: tuple[str, ...] = ()


def displaced(recipe: Recipe, executions: Iterable[Execution]) -> list[Execution]:
    """Return the scheduled executions before T-0 whose send times are not in the recipe's schedule."""
    return [
        execution
        for execution in executions
        if execution.kind is Kind.SCHEDULED
        and not execution.state.final
        and execution.state is not State.LIVE
        and next(sends_from(recipe.schedule, execution.send_at), None) != execution.send_at
    ]


def first_send(
    recipe: Recipe, executions: Sequence[Execution], now: datetime, *, kept: Sequence[Execution] = ()
) -> FirstSend:
    """Return the first send of a schedule that takes effect now.

    `executions` are the recipe's executions with a send less than `LOOK_BACK` ago or in the future. A running one
    that is `kept` blocks other sends on its day.
    """
    schedule = recipe.schedule
    scheduled = [each for each in executions if each.kind is Kind.SCHEDULED]
    at_instant = {each.send_at: each for each in scheduled}
    days_taken = {schedule.day_of(each.send_at): "is kept" for each in kept}
    if schedule.by_day:
        days_taken |= {schedule.day_of(each.send_at): "went live" for each in scheduled if each.went_live}
    passed_over: list[str] = []
    for send_at in sends_from(schedule, now):
        there = at_instant.get(send_at)
        reason = _reason_to_pass(recipe, send_at, now, there, days_taken)
        if reason is None or (there is not None and not there.state.final):
            return FirstSend(at=send_at, passed_over=tuple(passed_over[:_MOST_REASONS]))
        passed_over.append(f"{send_at:%Y-%m-%d %H:%M} UTC is not sent: {reason}")
    return FirstSend(at=None, passed_over=tuple(passed_over[:_MOST_REASONS]))


def _reason_to_pass(
    recipe: Recipe, send_at: datetime, now: datetime, there: Execution | None, days_taken: dict[date, str]
) -> str | None:
    if there is not None:
        return f"its execution is {there.state.value} already"
    day = recipe.schedule.day_of(send_at)
    if day in days_taken:
        return f"the recipe's send of {day} {days_taken[day]}, and it sends once a day"
    if send_at - recipe.preparation < now:
        return _too_soon(recipe, send_at, now)
    return None


def _too_soon(recipe: Recipe, send_at: datetime, now: datetime) -> str:
    left, needed = (send_at - now) // _MINUTE, recipe.preparation // _MINUTE
    earliest = (now + recipe.preparation + _MINUTE - timedelta(microseconds=1)).astimezone(recipe.schedule.zone)
    return (
        f"it is {left} minutes away, and audience, test and cancellation window take {needed}; "
        f"the earliest time is now {earliest:%Y-%m-%d %H:%M} in {recipe.schedule.zone.key}"
    )


def no_send_errors(recipe: Recipe, found: FirstSend, now: datetime) -> list[FieldError]:
    """Return the error of an active recipe that has no send left."""
    if not recipe.is_active or found.at is not None:
        return []
    if not found.passed_over:
        return past_errors(recipe, now)
    reason = f"{'; '.join(found.passed_over)}. Move the send, or set status to draft"
    return [FieldError(schedule_field(recipe), reason)]


def _when(at: datetime | None) -> str:
    return "never: it has no send left then" if at is None else f"on {at:%Y-%m-%d at %H:%M} UTC"
