"""The document port: what the stores need from a database. Firestore, SQLite and memory are its back ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, Protocol, TypeVar

from functions.domain.documents import FORMAT, shown
from functions.domain.errors import NotFound, Unreadable

E = TypeVar("E")
T = TypeVar("T")

Key = str | int | date
Keys = tuple[Key, ...]
Document = Mapping[str, Any]


def _none(_: Any) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True, eq=False)
class Collection(Generic[E]):
    """Documents of one kind: their path, and how their values are written and read.

    `path` has a place for each key of a document: `executions/{}/shards/{}`. `write` returns a document as JSON has
    it. `fields` returns what queries compare and what a database keeps in a type of its own, such as bytes and
    instants; a back end adds them to the document, or keeps them beside it. `parts` are fields that may be as large
    as a document: a back end may keep each of them apart. `read` takes all of it together, and the keys as text; it
    returns None for a document that counts as none.

    Back ends write and read documents by `document` and `value`, which add the number of their format. A new field
    that older releases may ignore leaves the format as it is. Any other change is a step in `upgrades`.
    """

    path: str
    write: Callable[[E], Mapping[str, Any]]
    read: Callable[[Mapping[str, Any], Sequence[str]], E | None]
    fields: Callable[[E], Mapping[str, Any]] = _none
    parts: Mapping[str, Callable[[E], Mapping[str, Any] | None]] = field(default_factory=dict)
    numbered: Callable[[E, int], E] | None = None
    """Adds to a value its number in the order of creation."""
    version: Callable[[E], int] | None = None
    """Returns the version of a value: the number of its writes by `Documents.replace`."""
    changeable: bool = False
    """Whether values are mutable, so that a back end has to copy them."""
    upgrades: tuple[Callable[[Document], Document], ...] = ()
    """For each older format, from 1 on, the step from it to the next."""
    read_newer: Callable[[Document, Sequence[str]], E | None] | None = None
    """Reads a document of a newer format, as far as this release can. Without it, such a document is Unreadable."""
    has_format: bool = True
    """Whether documents carry the number of their format."""

    @property
    def format(self) -> int:
        """The format that this release writes."""
        return len(self.upgrades) + 1

    def document(self, value: E) -> Document:
        """Return a value as it is stored, with the number of its format."""
        written = self.write(value)
        return {**written, FORMAT: self.format} if self.has_format else written

    def value(self, document: Document, keys: Sequence[str]) -> E | None:
        """Return the value of a stored document of this format or an older one.

        Unreadable for a newer one, unless the collection reads those, too.
        """
        number = document.get(FORMAT, 1)
        plain = {name: each for name, each in document.items() if name != FORMAT}
        if type(number) is int and 1 <= number <= self.format:
            for upgrade in self.upgrades[number - 1 :]:
                plain = dict(upgrade(plain))
            return self.read(plain, keys)
        if self.read_newer is None:
            raise Unreadable(f"{self._named(keys)}: {newer_format(number, self.format)}")
        return self.read_newer(document, keys)

    def _named(self, keys: Sequence[str]) -> str:
        names = iter(keys)
        return "/".join(next(names, "?") if part.startswith("{") else part for part in self.path.split("/"))

    def at(self, *keys: Key) -> "Place[E]":
        """Return the place of a document."""
        return Place(self, keys)


def newer_format(number: object, known: int = 1) -> str:
    """Return why a document of a newer format cannot be used, and the way out."""
    return (
        f"a newer release has stored it in format {shown(number)}, and this release reads formats up to {known}; "
        "deploy the newer release again (docs/how-to-upgrade.md)"
    )


@dataclass(frozen=True)
class Place(Generic[E]):
    """The place of a document, whether it exists or not."""

    collection: Collection[E]
    keys: Keys


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query for documents of a collection, with their order.

    It finds documents whose first keys are `under` and whose fields match `where`: name, comparison and value. They
    are in order of the field `order`, then of their keys; with `where` but without `order`, in any order. They begin
    after the place `after`: the value of `order`, if any, then the keys below `under`. There are at most `most`.
    Without `parts`, the parts of documents are not read.
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
    """A condition on another document: a field has a given value."""

    place: Place[Any]
    field: str
    value: str


class GuardFailed(Exception):
    """The guard's field has another value, or the document is missing."""

    def __init__(self, found: str | None) -> None:
        self.found = found
        super().__init__(found)


class Overtaken(Exception):
    """The stored document has another version than the one to replace."""


class Batch(Protocol):
    """One attempt at a change: documents that were read, and writes that happen all or not at all."""

    def read(self, place: Place[E]) -> E | None:
        """Return a document as it was read."""
        ...

    def write(self, place: Place[E], value: E) -> None:
        """Create or replace a document that was read."""
        ...

    def create(self, place: Place[E], value: E) -> bool:
        """Create a document that was read; False if it exists."""
        ...

    def delete(self, place: Place[Any]) -> None:
        """Delete a document that was read, if it exists."""
        ...

    def add(self, place: Place[Mapping[str, int]], amounts: Mapping[str, int]) -> None:
        """Add to numeric fields, which begin at 0. The document need not have been read."""
        ...

    def touch(self, place: Place[None]) -> None:
        """Make concurrent changes that touch the same place fail. The document must have been read."""
        ...

    def left_behind(self, place: Place[Any], version: int) -> bool:
        """Return whether the stored document comes from a `replace` by this process that seemed to fail."""
        ...


class Documents(Protocol):
    """A database of documents. Transient for temporary problems, Misconfigured if the operator has to act."""

    def get(self, place: Place[E]) -> E | None:
        """Return a document; None if there is none."""
        ...

    def get_all(self, places: Sequence[Place[E]]) -> Sequence[E | None]:
        """Return documents in the order of the places, in one call if that saves time."""
        ...

    def create(self, place: Place[E], value: E) -> bool:
        """Create a document; False if it exists."""
        ...

    def change(self, places: Sequence[Place[Any]], work: Callable[[Batch], T]) -> T:
        """Read documents at one instant, let `work` write some of them, and return its result.

        `work` may run several times if other processes were faster. If it raises, nothing is written.
        """
        ...

    def replace(self, place: Place[E], value: E, *, version: int, guard: Guard) -> None:
        """Replace a document at a given version, in one transaction, if a guard holds.

        This is the hot path: one read of the guard, and one conditional write. It raises GuardFailed, or else
        Overtaken. A write that succeeded but whose answer was lost can also end in an error, if the guard fails
        before the repetition: `Batch.left_behind` recognizes it.
        """
        ...

    def find(self, collection: Collection[E], query: Query) -> Sequence[E]:
        """Return the documents that a query finds."""
        ...

    def count(self, collection: Collection[Any], query: Query) -> int:
        """Count the documents that a query finds, without reading each of them."""
        ...

    def delete_all(self, collection: Collection[Any], keys: Keys) -> None:
        """Delete the documents whose first keys are these. A repetition after a crash deletes the rest."""
        ...

    def expire(self, collection: Collection[Any], now: datetime) -> None:
        """Delete the documents whose field `expireAt` has passed. A database that does so itself does nothing."""
        ...

    def fill(self, collection: Collection[Any], query: Query, field: str) -> None:
        """Rewrite the documents without a field, which older releases wrote."""
        ...


def change_one(documents: Documents, place: Place[E], change: Callable[[E], E], *, missing: str) -> E:
    """Replace a document by the result of `change`, in one transaction; NotFound if there is none.

    `missing` is the message of that error.
    """

    return documents.change([place], lambda batch: change_in(batch, place, change, missing)[1])


def change_in(batch: Batch, place: Place[E], change: Callable[[E], E], missing: str) -> tuple[E, E]:
    """Replace a document of a batch by the result of `change`, and return both; NotFound if there is none."""
    stored = batch.read(place)
    if stored is None:
        raise NotFound(missing)
    changed = change(stored)
    batch.write(place, changed)
    return stored, changed
