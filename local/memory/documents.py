"""The document port in memory. It keeps values, which are immutable, or copies of them."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from operator import eq, ge, gt, le, lt
from typing import Any

from functions.stores.documents import Batch, Collection, E, Guard, GuardFailed, Keys, Overtaken, Place, Query, T

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"==": eq, "<": lt, "<=": le, ">": gt, ">=": ge}
_ABOVE = "above"
"""The keys of a document but for the last, as if they were a field of it."""


class MemoryDocuments:
    """Implements Documents."""

    def __init__(self) -> None:
        self._shelves: dict[Collection[Any], _Shelf] = {}
        self._working = threading.RLock()

    def stored(self, place: Place[E]) -> E | None:
        """Return a document itself, which nobody may change; each write stores another object."""
        found: E | None = self._shelf(place.collection).values.get(place.keys)
        return found

    def get(self, place: Place[E]) -> E | None:
        found = self.stored(place)
        return deepcopy(found) if place.collection.changeable else found

    def get_all(self, places: Sequence[Place[E]]) -> Sequence[E | None]:
        """Return documents in the order of the places."""
        return [self.get(place) for place in places]

    def all(self, collection: Collection[E]) -> Mapping[Keys, E]:
        """Return all documents of a collection by their keys, in the order in which they were created."""
        return dict(self._shelf(collection).values)

    def put(self, place: Place[E], value: E) -> None:
        collection = place.collection
        with self._working:
            shelf = self._shelf(collection)
            if collection.numbered and place.keys not in shelf.values:
                value = collection.numbered(value, len(shelf.values) + 1)
            shelf.put(place.keys, deepcopy(value) if collection.changeable else value)

    def delete(self, place: Place[Any]) -> None:
        with self._working:
            self._shelf(place.collection).delete(place.keys)

    def create(self, place: Place[E], value: E) -> bool:
        with self._working:
            if place.keys in self._shelf(place.collection).values:
                return False
            self.put(place, value)
            return True

    def change(self, places: Sequence[Place[Any]], work: Callable[[Batch], T]) -> T:  # noqa: ARG002
        """Let `work` read and write documents exclusively, and return its result."""
        with self._working:
            batch = MemoryBatch(self)
            result = work(batch)
            for write in batch.writes:
                write()
        return result

    def replace(self, place: Place[E], value: E, *, version: int, guard: Guard) -> None:
        with self._working:
            guarding = self.get(guard.place)
            found = None if guarding is None else guard.place.collection.fields(guarding)[guard.field]
            if found != guard.value:
                raise GuardFailed(found)
            stored, of = self.get(place), place.collection.version
            if stored is None or of is None or of(stored) != version:
                raise Overtaken
            self.put(place, value)

    def find(self, collection: Collection[E], query: Query) -> Sequence[E]:
        with self._working:
            shelf = self._shelf(collection)
            found: list[E] = [shelf.values[keys] for keys in shelf.find(query)]
        return deepcopy(found) if collection.changeable else found

    def count(self, collection: Collection[Any], query: Query) -> int:
        with self._working:
            return len(self._shelf(collection).find(query))

    def delete_all(self, collection: Collection[Any], keys: Keys) -> None:
        """Delete the documents whose first keys are these."""
        with self._working:
            shelf = self._shelf(collection)
            for each in [each for each in shelf.values if each[: len(keys)] == keys]:
                shelf.delete(each)

    def expire(self, collection: Collection[Any], now: datetime) -> None:
        """Delete the documents whose field `expireAt` has passed."""
        with self._working:
            shelf = self._shelf(collection)
            for keys in shelf.expired(now):
                shelf.delete(keys)

    def fill(self, collection: Collection[Any], query: Query, field: str) -> None:
        """Do nothing: there are no documents of older releases."""

    def _shelf(self, collection: Collection[Any]) -> "_Shelf":
        found = self._shelves.get(collection)
        if found is None:
            found = self._shelves.setdefault(collection, _Shelf(collection))
        return found


class MemoryBatch:
    """Implements Batch; `writes` are made at the end of the change."""

    def __init__(self, documents: MemoryDocuments) -> None:
        self._documents = documents
        self.writes: list[Callable[[], None]] = []

    def read(self, place: Place[E]) -> E | None:
        return self._documents.get(place)

    def write(self, place: Place[E], value: E) -> None:
        self.writes.append(lambda: self._documents.put(place, value))

    def create(self, place: Place[E], value: E) -> bool:
        if self.read(place) is not None:
            return False
        self.write(place, value)
        return True

    def delete(self, place: Place[Any]) -> None:
        self.writes.append(lambda: self._documents.delete(place))

    def add(self, place: Place[Mapping[str, int]], amounts: Mapping[str, int]) -> None:
        before = self.read(place) or {}
        self.write(place, {name: before.get(name, 0) + amount for name, amount in amounts.items()})

    def touch(self, place: Place[None]) -> None:
        """Do nothing: no other change happens at the same time."""

    def left_behind(self, place: Place[Any], version: int) -> bool:  # noqa: ARG002
        """Return False: a write that failed was never stored."""
        return False


class _Shelf:
    """The documents of a collection, with an index of each field by which a query has begun."""

    def __init__(self, collection: Collection[Any]) -> None:
        self._collection = collection
        self.values: dict[Keys, Any] = {}
        self._fields: dict[Keys, Mapping[str, Any]] = {}
        self._indexes: dict[str, dict[Any, dict[Keys, None]]] = {}

    def put(self, keys: Keys, value: Any) -> None:
        self._forget(keys)
        self.values[keys] = value
        self._fields[keys] = {_ABOVE: keys[:-1], **self._collection.fields(value)}
        for name in self._indexes:
            self._note(name, keys)

    def delete(self, keys: Keys) -> None:
        self._forget(keys)
        self.values.pop(keys, None)
        self._fields.pop(keys, None)

    def expired(self, now: datetime) -> list[Keys]:
        """Return the keys of the documents whose field `expireAt` has passed."""
        ends = ((keys, fields.get("expireAt")) for keys, fields in self._fields.items())
        return [keys for keys, at in ends if at is not None and at <= now]

    def find(self, query: Query) -> list[Keys]:
        """Return the keys of the documents that a query finds, in its order."""
        where = (*(((_ABOVE, "==", query.under),) if query.under else ()), *query.where)
        found = [keys for keys in self._candidates(where) if self._fits(keys, where[1:])]
        found.sort(key=lambda keys: self._place(keys, query), reverse=query.descending)
        if query.after:
            sorted_by = bool(query.order)
            after = (*query.after[:sorted_by], *query.under, *query.after[sorted_by:])
            behind = _COMPARE["<" if query.descending else ">"]
            found = [keys for keys in found if behind(self._place(keys, query), after)]
        return found[: query.most]

    def _candidates(self, where: Sequence[tuple[str, str, Any]]) -> Iterable[Keys]:
        """Return the keys of the documents that fit the first condition."""
        if not where:
            return self.values
        name, comparison, wanted = where[0]
        if name not in self._indexes:
            self._indexes[name] = defaultdict(dict)
            for keys in self.values:
                self._note(name, keys)
        if comparison == "==":
            return self._indexes[name].get(wanted, ())
        fits = _COMPARE[comparison]
        return [keys for value, found in self._indexes[name].items() if fits(value, wanted) for keys in found]

    def _fits(self, keys: Keys, where: Sequence[tuple[str, str, Any]]) -> bool:
        fields = self._fields[keys]
        return all(_COMPARE[comparison](fields[name], wanted) for name, comparison, wanted in where)

    def _place(self, keys: Keys, query: Query) -> tuple[Any, ...]:
        return (self._fields[keys][query.order], *keys) if query.order else keys

    def _note(self, name: str, keys: Keys) -> None:
        value = self._fields[keys].get(name)
        if value is not None:
            self._indexes[name][value][keys] = None

    def _forget(self, keys: Keys) -> None:
        for name, index in self._indexes.items():
            value = self._fields.get(keys, {}).get(name)
            if value is not None:
                index[value].pop(keys)
                if not index[value]:
                    del index[value]
