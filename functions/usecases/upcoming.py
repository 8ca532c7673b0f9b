"""The sends that are to come, of all recipes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import merge
from itertools import takewhile
from typing import Any

from functions.domain.errors import BadRecipe
from functions.domain.recipe import read
from functions.domain.schedule import sends_from
from functions.domain.status import Status, read_status
from functions.ports import Ports

HORIZON = timedelta(days=31)
"""How far ahead is looked."""
_MOST_SENDS = 500
"""Of one recipe: a cron may name each minute."""


@dataclass(frozen=True, kw_only=True, order=True)
class Upcoming:
    """A send that is to come; `zone` is the recipe's, as is the wall clock that people go by."""

    at: datetime
    recipe_id: str
    name: str
    zone: str


def upcoming(ports: Ports) -> Iterator[Upcoming]:
    """Yield the sends of active recipes within the next 31 days, soonest first.

    A recipe that was broken by hand has none: it sends nothing until somebody mends it.
    """
    now = ports.clock.now()
    return merge(*(_sends_of(document, now) for document in ports.recipes.all() if _is_active(document)))


def _is_active(document: Mapping[str, Any]) -> bool:
    try:
        return read_status(document)[0] is Status.ACTIVE
    except BadRecipe:
        return False


def _sends_of(document: Mapping[str, Any], now: datetime) -> Iterator[Upcoming]:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    zone, sends = _sends(json.dumps(document, sort_keys=True, default=str), today)
    name, recipe_id = str(document.get("name") or document["id"]), document["id"]
    near = takewhile(lambda at: at < now + HORIZON, (at for at in sends if at >= now))
    return (Upcoming(at=at, recipe_id=recipe_id, name=name, zone=zone) for at in near)


@lru_cache(maxsize=10_000)
def _sends(written: str, since: datetime) -> tuple[str, tuple[datetime, ...]]:
    """Return a document's zone and its sends from a day on: the same all day, and dear to find for many recipes."""
    try:
        recipe = read(json.loads(written))
    except BadRecipe:
        return "UTC", ()
    until = since + HORIZON + timedelta(days=1)
    near = takewhile(lambda at: at < until, sends_from(recipe.schedule, since))
    return recipe.schedule.zone.key, tuple(at for _, at in zip(range(_MOST_SENDS), near, strict=False))
