"""What lists and searches need of every recipe: its name, tags, owner and status.

Reading a thousand recipes takes too long for each page, so a process keeps what it read. Every change of a recipe by
Tminus adds an entry to the audit log: while the newest entry stays the same, what was read is up to date. Edits by
hand show after half a minute.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import Any

from functions.domain.errors import BadRecipe
from functions.domain.ids import RECIPE_ID
from functions.domain.recipe.labels import owner_of, tags_of
from functions.domain.recipe.read import Recipe, read
from functions.ports import Ports
from functions.usecases.reports.recipes import with_status

_KEPT = timedelta(seconds=30)


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


def campaign_index(ports: Ports) -> Sequence[Labelled]:
    """Return every recipe, in order of their names. The sequence stays the same object while nothing changes."""
    newest = tuple((entry.deed.at, entry.recipe_id, entry.number) for entry in ports.audit.newest(most=1))
    return _index(ports.recipes.all, newest, int(ports.clock.now().timestamp() // _KEPT.total_seconds()))


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


@lru_cache(maxsize=2)
def _index(read_all: Callable[[], Iterable[Mapping[str, Any]]], _: tuple[Any, ...], __: int) -> Sequence[Labelled]:
    return sorted(map(_labelled, read_all()), key=lambda each: (fold(each.name), each.id))


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
