"""What lists and searches need of every recipe: its name, tags, owner and status.

Reading a thousand recipes takes too long for each page, so a process keeps what it read. Every change of a recipe by
Tminus adds an entry to the audit log: the recipes of new entries are read again. Everything is read again after five
minutes, and then edits by hand show: `reconcile` finds them as late.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from functions.domain.errors import BadRecipe
from functions.domain.ids import RECIPE_ID
from functions.domain.recipe.labels import owner_of, tags_of
from functions.domain.recipe.plan import Plan, plan_of
from functions.domain.recipe.read import Recipe, read
from functions.ports import Ports
from functions.ports.stores import AuditPlace, RecipeStore
from functions.usecases.reports.recipes import with_status

_KEPT = timedelta(minutes=5)
_COMPARED = 10
"""The newest entries of the audit log that are compared. If all of them are new, everything is read again."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A recipe as lists find it. `folded` is what a search looks in: name, id and tags."""

    id: str
    name: str
    status: str
    tags: tuple[str, ...]
    owner: str
    folded: str
    document: Mapping[str, Any]

    @cached_property
    def recipe(self) -> Recipe | None:
        """The recipe, read once; None if it cannot be read."""
        with suppress(BadRecipe):
            return read(self.document)
        return None

    @cached_property
    def problem(self) -> str:
        """Why the recipe cannot be read; empty if it can."""
        try:
            read(self.document)
        except BadRecipe as error:
            return str(error)
        return ""


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """What was read: `until` when it holds, as of the newest entries of the audit log."""

    until: datetime
    newest: Set[AuditPlace]
    index: Sequence[Labelled]
    plans: Sequence[Plan]


_kept: WeakKeyDictionary[RecipeStore, _Kept] = WeakKeyDictionary()


def campaign_index(ports: Ports) -> Sequence[Labelled]:
    """Return every recipe, in order of their names. The sequence stays the same object while nothing changes."""
    return _current(ports).index


def campaign_plans(ports: Ports) -> Sequence[Plan]:
    """Return the plan of every recipe that sends. Their next sends may be past ones, at most five minutes ago."""
    return _current(ports).plans


def _current(ports: Ports) -> _Kept:
    kept = _kept.get(ports.recipes)
    newest = {(each.deed.at, each.recipe_id, each.number) for each in ports.audit.newest(most=_COMPARED)}
    if kept is None or ports.clock.now() >= kept.until or (newest and newest.isdisjoint(kept.newest)):
        kept = _read_all(ports, newest)
    elif newest != kept.newest:
        kept = _changed(ports, kept, newest)
    _kept[ports.recipes] = kept
    return kept


def matching(index: Sequence[Labelled], text: str) -> Sequence[Labelled]:
    """Return the recipes with every word of a text in their names, ids or tags. Case and accents do not matter."""
    words = fold(text).split()
    return [each for each in index if all(word in each.folded for word in words)]


def named(index: Sequence[Labelled], text: str) -> Sequence[str]:
    """Return the ids of the recipes that a text means: those with exactly this name or id, else those it matches.

    A text that matches none may be the id of a deleted recipe.
    """
    wanted = fold(text)
    exact = [each.id for each in index if wanted in (fold(each.name), fold(each.id))]
    found = exact or [each.id for each in matching(index, text)]
    return found or ([text] if RECIPE_ID.fullmatch(text) else [])


def fold(text: str) -> str:
    """Return a text without case and accents, for searches."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).strip()


def _changed(ports: Ports, kept: _Kept, newest: Set[AuditPlace]) -> _Kept:
    """Read the recipes again that new entries changed."""
    changed = {recipe_id for _, recipe_id, _ in newest - kept.newest}
    documents = [document for each in changed if (document := ports.recipes.get(each)) is not None]
    known = {each.id for each in kept.index}
    if not documents and not changed & known:  # entries about other things
        return replace(kept, newest=newest)
    read_again = [_labelled(each) for each in documents]
    plans = (plan_of(each.recipe, ports.clock.now()) for each in read_again if each.recipe)
    return replace(
        kept,
        newest=newest,
        index=_sorted([*(each for each in kept.index if each.id not in changed), *read_again]),
        plans=[*(each for each in kept.plans if each.recipe_id not in changed), *(each for each in plans if each)],
    )


def _read_all(ports: Ports, newest: Set[AuditPlace]) -> _Kept:
    return _Kept(
        until=ports.clock.now() + _KEPT,
        newest=newest,
        index=_sorted(map(_labelled, ports.recipes.all())),
        plans=ports.recipes.plans(),
    )


def _sorted(recipes: Iterable[Labelled]) -> Sequence[Labelled]:
    return sorted(recipes, key=lambda each: (fold(each.name), each.id))


def _labelled(document: Mapping[str, Any]) -> Labelled:
    name, recipe_id = document.get("name"), document["id"]
    name = name.strip() if isinstance(name, str) and name.strip() else recipe_id
    tags = tags_of(document)
    return Labelled(
        id=recipe_id,
        name=name,
        status=with_status(document)["status"],
        tags=tags,
        owner=owner_of(document),
        document=document,
        folded=fold(" ".join((name, recipe_id, *tags))),
    )
