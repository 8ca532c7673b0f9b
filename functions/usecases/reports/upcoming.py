"""The upcoming sends of all recipes."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from operator import itemgetter
from typing import NamedTuple

from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.recipe.plan import Plan
from functions.ports import Ports
from functions.usecases.recipes.launched_sends import launched_sends

HORIZON = timedelta(days=31)
"""How far ahead sends are listed."""
_DAY = timedelta(days=1)
_MOST_SENDS = 10_000
"""For each recipe: one every five minutes. A cron expression may name every minute."""
_SEND_AT = itemgetter(0)
_ORDER = itemgetter(0, 1)


class Upcoming(NamedTuple):
    """An upcoming send, and the time zone of its recipe.

    `execution` is set from the launch on. It may be under way, or have ended before its T-0. Only the calendar lists
    `skipped` sends.
    """

    at: datetime
    recipe_id: str
    name: str
    zone: str
    execution: Execution | None = None
    skipped: bool = False

    @property
    def is_off(self) -> bool:
        """Whether the send will not go out, for example because it was cancelled."""
        return self.skipped or (self.execution is not None and self.execution.state.final)

    @property
    def may_skip(self) -> bool:
        """Whether the send can be left out: it is planned or in preparation."""
        if self.execution is None or self.is_off:
            return not self.is_off
        return self.execution.kind is Kind.SCHEDULED and self.execution.state is not State.LIVE


def upcoming(ports: Ports) -> Sequence[Upcoming]:
    """Return the sends of active recipes within the next 31 days, soonest first.

    They come from the plans of recipes. After an edit by hand, `reconcile` updates the plan together with the
    schedule. A broken recipe has no plan: it sends nothing until it is fixed.
    """
    now = ports.clock.now()
    sends = list(planned(ports.recipes.plans(), now, now + HORIZON))
    for (recipe_id, at), execution in launched_sends(ports, now).items():
        place = bisect_left(sends, (at, recipe_id), key=_ORDER)
        if place < len(sends) and _ORDER(sends[place]) == (at, recipe_id):
            sends[place] = sends[place]._replace(execution=execution)
    return sends


def planned(plans: Sequence[Plan], since: datetime, until: datetime) -> Sequence[Upcoming]:
    """Return the sends of plans from an instant to another one, at most 31 days later, soonest first."""
    day = since.replace(hour=0, minute=0, second=0, microsecond=0)
    sends = _merged(tuple(replace(plan, next_send_at=day) for plan in plans))
    first, last = (bisect_left(sends, at, key=_SEND_AT) for at in (since, until))
    return sends[first:last]


def next_sends(ports: Ports, *, most: int) -> Sequence[Upcoming]:
    """Return the first sends of `upcoming` that are not under way, at most `most`.

    No send of a recipe comes before the next send of its plan, so only the first plans are read.
    """
    now = ports.clock.now()
    launched = launched_sends(ports, now)
    read_at_once = most + len(launched)
    found, after = list[Upcoming](), None
    while True:
        plans = ports.recipes.plans(most=read_at_once, after=after)
        found += [send for plan in plans for send in islice(_near(plan, now, HORIZON), read_at_once)]
        found = sorted(found, key=_ORDER)[:read_at_once]
        if len(plans) < read_at_once or plans[-1].next_send_at >= now + HORIZON:
            break
        after = (plans[-1].next_send_at, plans[-1].recipe_id)
        if len(found) == read_at_once and _ORDER(found[-1]) <= after:
            break
    sends = [send._replace(execution=launched.get((send.recipe_id, send.at))) for send in found]
    return [send for send in sends if send.execution is None or send.is_off][:most]


def _near(plan: Plan, since: datetime, horizon: timedelta) -> Iterator[Upcoming]:
    for at in takewhile(lambda at: at < since + horizon, plan.sends(since)):
        yield Upcoming(at, plan.recipe_id, plan.name, plan.zone)


@lru_cache(maxsize=10_000)
def _month_of(plan: Plan) -> Sequence[Upcoming]:
    """Return the sends of a plan from its next send on. Many recipes take long, and the result holds all day."""
    return tuple(islice(_near(plan, plan.next_send_at, HORIZON + 2 * _DAY), _MOST_SENDS))


@lru_cache(maxsize=4)
def _merged(plans: Sequence[Plan]) -> Sequence[Upcoming]:
    """Return the sends of all plans, soonest first. The result holds until a plan changes."""
    return sorted((send for plan in plans for send in _month_of(plan)), key=_ORDER)
