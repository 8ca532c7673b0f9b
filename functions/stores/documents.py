"""The document port: what the stores need of a database. Firestore, SQLite and memory are its back ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, Protocol, TypeVar

from functions.domain.errors import NotFound

E = TypeVar("E")
T = TypeVar("T")

Key = str | int | date
Keys = tuple[Key, ...]


def _none(_: Any) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True, eq=False)
class Collection(Generic[E]):
    """Documents of one kind: where they lie, and how the values that they stand for are written and read.

    `path` has a place for each key of a document: `executions/{}/shards/{}`. `write` returns a document as JSON has
    it. `fields` returns what queries compare and what a database keeps in a type of its own, such as bytes and
    instants; a back end adds them to the document, or keeps them beside it. `parts` are fields that may be as large
    as a document: a back end may keep each of them apart. `read` takes all of it together, and the keys as text; it
    returns None for a document that counts as none.
    """

    path: str
    write: Callable[[E], Mapping[str, Any]]
    read: Callable[[Mapping[str, Any], Sequence[str]], E | None]
    fields: Callable[[E], Mapping[str, Any]] = _none
    parts: Mapping[str, Callable[[E], Mapping[str, Any] | None]] = field(default_factory=dict)
    numbered: Callable[[E, int], E] | None = None
    """Puts into a value the number that counts up in the order in which the documents were created."""
    version: Callable[[E], int] | None = None
    """Returns the number that counts the writes of a document which `Documents.replace` writes."""
    changeable: bool = False
    """Whether a value can be changed by those who have it, so that a back end has to keep a copy."""

    def at(self, *keys: Key) -> "Place[E]":
        """Return the place of a document."""
        return Place(self, keys)


@dataclass(frozen=True)
class Place(Generic[E]):
    """Where a document is, whether there is one or not."""

    collection: Collection[E]
    keys: Keys


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which documents of a collection are looked for, and in which order they come.

    Those whose first keys are `under`, and whose fields compare as `where` says: a field's name, a comparison, and a
    value. In order of the field `order`, then of their keys; with `where` and without `order`, in any. Those behind
    the place `after`: the value of `order`, if any, then the keys below `under`. At most so many. Without `parts`,
    those of each document are not read.
    """

    under: Keys = ()
    where: tuple[tuple[str, str, Any], ...] = ()
    order: str = ""
    descending: bool = False
    after: tuple[Any, ...] = ()
    most: int | None = None
    parts: bool = True


@dataclass(frozen=True, kw_only=True)
class Guard:
    """A condition on another document: its field has a value."""

    place: Place[Any]
    field: str
    value: str


class GuardFailed(Exception):
    """The guard's field has another value, or none where there is no document."""

    def __init__(self, found: str | None) -> None:
        self.found = found
        super().__init__(found)


class Overtaken(Exception):
    """The document is not at the version that was to be replaced."""


class Batch(Protocol):
    """One attempt at a change: what was read, and what is to be written, all of it or nothing."""

    def read(self, place: Place[E]) -> E | None:
        """Return a document as it was read."""
        ...

    def write(self, place: Place[E], value: E) -> None:
        """Create or replace a document that was read."""
        ...

    def create(self, place: Place[E], value: E) -> bool:
        """Create a document that was read; False where there is one."""
        ...

    def delete(self, place: Place[Any]) -> None:
        """Delete a document that was read, if there is one."""
        ...

    def add(self, place: Place[Mapping[str, int]], amounts: Mapping[str, int]) -> None:
        """Add to numbers of a document, which begin at 0; it need not have been read."""
        ...

    def touch(self, place: Place[None]) -> None:
        """Let no other change succeed that touches the same place at the same time; it has to be read."""
        ...

    def left_behind(self, place: Place[Any], version: int) -> bool:
        """Say whether this process has written what is stored by a `replace` of a version that it was told failed."""
        ...


class Documents(Protocol):
    """A database of documents. Transient where trouble passes by itself, Misconfigured where somebody has to act."""

    def get(self, place: Place[E]) -> E | None:
        """Return a document, None where there is none."""
        ...

    def get_all(self, places: Sequence[Place[E]]) -> Sequence[E | None]:
        """Return documents in the order of the places, all at once where that saves time."""
        ...

    def create(self, place: Place[E], value: E) -> bool:
        """Create a document; False where somebody else has created it before."""
        ...

    def change(self, places: Sequence[Place[Any]], work: Callable[[Batch], T]) -> T:
        """Read documents as they are at one instant, let `work` write some of them, and return its result.

        `work` may run more than once, where somebody else was faster; what it raises, leaves everything as it was.
        """
        ...

    def replace(self, place: Place[E], value: E, *, version: int, guard: Guard) -> None:
        """Replace a document that is at a version, in one transaction, while a guard holds.

        The hot path: one read, of the guard, and one conditional write. GuardFailed and Overtaken say what is not so,
        the guard first. A write that landed although its answer was lost may end in an error too, where the guard
        fails before it is repeated: `Batch.left_behind` knows it again.
        """
        ...

    def find(self, collection: Collection[E], query: Query) -> Sequence[E]:
        """Return the documents that a query finds."""
        ...

    def count(self, collection: Collection[Any], query: Query) -> int:
        """Return how many documents a query finds, without reading each of them."""
        ...

    def fill(self, collection: Collection[Any], query: Query, field: str) -> None:
        """Write the documents again that a query finds without a field, as older releases have written them."""
        ...


def change_one(documents: Documents, place: Place[E], change: Callable[[E], E], *, missing: str) -> E:
    """Replace a document by what `change` makes of it, in one transaction; NotFound where there is none.

    `missing` are the words for that.
    """

    def work(batch: Batch) -> E:
        stored = batch.read(place)
        if stored is None:
            raise NotFound(missing)
        changed = change(stored)
        batch.write(place, changed)
        return changed

    return documents.change([place], work)
