"""The sends that are to come, of all recipes."""

import marshal
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from operator import itemgetter
from typing import Any, NamedTuple

from functions.domain.errors import BadRecipe
from functions.domain.execution.execution import Execution
from functions.domain.recipe.read import read
from functions.ports import Ports
from functions.usecases.recipes.launched_sends import launched_sends

HORIZON = timedelta(days=31)
"""How far ahead is looked."""
_DAY = timedelta(days=1)
_MOST_SENDS = 500
"""Of one recipe: a cron may name each minute."""
_WITHOUT_REFERENCES = 2
"""The version of marshal that writes the same value the same way each time."""


class Upcoming(NamedTuple):
    """A send that is to come; `zone` is the recipe's, as is the wall clock that people go by.

    `execution` is there once it is launched: it may be under way, or have ended before its T-0.
    """

    at: datetime
    recipe_id: str
    name: str
    zone: str
    execution: Execution | None = None

    @property
    def is_off(self) -> bool:
        """Whether the send will not go out, as when it was cancelled."""
        return self.execution is not None and self.execution.state.final


def upcoming(ports: Ports, *, most: int | None = None, under_way: bool = True) -> Sequence[Upcoming]:
    """Return the sends of active recipes within the next 31 days, soonest first: all, or at most so many.

    Those that are under way can be left out. A recipe that was broken by hand has none: it sends nothing until
    somebody repairs it.
    """
    now = ports.clock.now()
    launched = launched_sends(ports, now)
    sends = _scheduled(ports, now, None if most is None else most + len(launched))
    with_executions = [send._replace(execution=launched.get((send.recipe_id, send.at))) for send in sends]
    wanted = [send for send in with_executions if under_way or send.execution is None or send.is_off]
    return wanted[:most]


def _scheduled(ports: Ports, now: datetime, most: int | None) -> Sequence[Upcoming]:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    sends = _merged(tuple(_sends(_written(document), today) for document in ports.recipes.all()))
    first, last = (bisect_left(sends, at, key=itemgetter(0)) for at in (now, now + HORIZON))
    return sends[first : last if most is None else min(last, first + most)]


@dataclass(frozen=True)
class _Written:
    """A recipe document that is known again by what it says."""

    text: bytes
    document: Mapping[str, Any] = field(compare=False, repr=False)


@dataclass(frozen=True, eq=False)
class _Sends:
    """The sends of one recipe; known again as this very object."""

    sends: Sequence[Upcoming] = ()


def _written(document: Mapping[str, Any]) -> _Written:
    return _Written(marshal.dumps(dict(document), _WITHOUT_REFERENCES), document)


@lru_cache(maxsize=10_000)
def _sends(written: _Written, since: datetime) -> _Sends:
    """Return a document's sends from a day on: the same all day, and dear to find for many recipes."""
    try:
        recipe = read(written.document)
    except BadRecipe:
        return _Sends()
    if not recipe.is_active:
        return _Sends()
    near = takewhile(lambda at: at < since + HORIZON + _DAY, recipe.sends(since))
    zone = recipe.schedule.zone.key
    return _Sends([Upcoming(at, recipe.id, recipe.name, zone) for at in islice(near, _MOST_SENDS)])


@lru_cache(maxsize=2)
def _merged(by_recipe: Sequence[_Sends]) -> Sequence[Upcoming]:
    """Return the sends of all recipes, soonest first; the same until one of them is changed."""
    return sorted((send for each in by_recipe for send in each.sends), key=itemgetter(0))
