"""The sends that are to come, of all recipes."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import merge
from itertools import takewhile
from typing import Any, NamedTuple

from functions.domain.errors import BadRecipe
from functions.domain.recipe import read
from functions.domain.schedule import sends_from
from functions.ports import Ports

HORIZON = timedelta(days=31)
"""How far ahead is looked."""
_DAY = timedelta(days=1)
_MOST_SENDS = 500
"""Of one recipe: a cron may name each minute."""


class Upcoming(NamedTuple):
    """A send that is to come; `zone` is the recipe's, as is the wall clock that people go by."""

    at: datetime
    recipe_id: str
    name: str
    zone: str


def upcoming(ports: Ports) -> Iterator[Upcoming]:
    """Yield the sends of active recipes within the next 31 days, soonest first.

    A recipe that was broken by hand has none: it sends nothing until somebody mends it.
    """
    return merge(*_by_recipe(ports))


def all_upcoming(ports: Ports) -> Sequence[Upcoming]:
    """Return what `upcoming` yields, all at once."""
    return sorted(send for sends in _by_recipe(ports) for send in sends)


def _by_recipe(ports: Ports) -> Iterator[Sequence[Upcoming]]:
    now = ports.clock.now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for document in ports.recipes.all():
        sends = _sends(_Written(repr(document), document), today)
        first, last = ((at, "", "", "") for at in (now, now + HORIZON))
        yield sends[bisect_left(sends, first) : bisect_left(sends, last)]


@dataclass(frozen=True)
class _Written:
    """A recipe document that is known again by what it says."""

    text: str
    document: Mapping[str, Any] = field(compare=False, repr=False)


@lru_cache(maxsize=10_000)
def _sends(written: _Written, since: datetime) -> Sequence[Upcoming]:
    """Return a document's sends from a day on: the same all day, and dear to find for many recipes."""
    try:
        recipe = read(written.document)
    except BadRecipe:
        return ()
    if not recipe.is_active:
        return ()
    near = takewhile(lambda at: at < since + HORIZON + _DAY, sends_from(recipe.schedule, since))
    zone = recipe.schedule.zone.key
    return [Upcoming(at, recipe.id, recipe.name, zone) for _, at in zip(range(_MOST_SENDS), near, strict=False)]
