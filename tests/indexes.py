"""Which index of Firestore a query needs, and which ones Terraform makes.

Firestore indexes each field of a collection by itself, in both directions. A query over more fields needs a composite
index; one over all collections of a name needs the field's index of that scope:
firebase.google.com/docs/firestore/query-data/index-overview. Firestore can merge several indexes for one query, too;
nothing here counts on that, because a merged query reads more. The emulator asks for no index at all.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.api_core.exceptions import FailedPrecondition
from google.cloud.firestore_v1.base_collection import BaseCollectionReference
from google.cloud.firestore_v1.base_query import BaseQuery
from google.cloud.firestore_v1.types import StructuredQuery

from tests.terraform import INFRA, local_values

_NAME = "__name__"
_EQUAL = StructuredQuery.FieldFilter.Operator.EQUAL
_DESCENDING = StructuredQuery.Direction.DESCENDING
_SCOPES = {True: "COLLECTION_GROUP", False: "COLLECTION"}

Sorted = tuple[tuple[str, str], ...]
"""Fields with their directions, in order."""


@dataclass(frozen=True, kw_only=True)
class Index:
    """An index for queries that compare fields for equality, in any order, and sort by others.

    One with a single field is the index of that field. Its direction matters only where the query sorts by it.
    """

    collection: str
    scope: str
    equal: frozenset[str] = frozenset()
    sorted_by: Sorted = ()

    @property
    def fields(self) -> list[str]:
        """The indexed fields."""
        return [*sorted(self.equal), *(name for name, _ in self.sorted_by)]

    def served_by(self, fields: Sorted) -> bool:
        """Return whether an index with these fields serves the queries."""
        first, last = fields[: len(self.equal)], fields[len(self.equal) :]
        return {name for name, _ in first} == self.equal and last == self.sorted_by


def needed(asked: BaseQuery | BaseCollectionReference[Any]) -> Iterator[Index]:
    """Yield the indexes that a query needs. Firestore merges those of fields that are only compared for equality."""
    query: StructuredQuery = (asked if isinstance(asked, BaseQuery) else asked._query())._to_protobuf()
    [source] = query.from_
    scope = _SCOPES[source.all_descendants]
    filters = list(_filters(query.where))
    equal = frozenset(each.field.field_path for each in filters if each.op == _EQUAL)
    orders = [(order.field.field_path, _direction(order.direction)) for order in query.order_by]
    last = orders[-1][1] if orders else "ASCENDING"
    ranged = [(each.field.field_path, last) for each in filters if each.op != _EQUAL]
    by_field = dict(ranged) | dict(orders)
    name = by_field.pop(_NAME, last)
    sorted_by = tuple((path, direction) for path, direction in by_field.items() if path not in equal)
    turned = name != (sorted_by[-1][1] if sorted_by else "ASCENDING")
    if turned and not (equal and not sorted_by):
        sorted_by += ((_NAME, name),)
    if sorted_by:
        yield Index(collection=source.collection_id, scope=scope, equal=equal, sorted_by=sorted_by)
    else:
        for path in sorted(equal):
            yield Index(collection=source.collection_id, scope=scope, equal=frozenset({path}))


@dataclass(frozen=True, kw_only=True)
class Declared:
    """The indexes of infra/modules/firestore.

    `composite` has collection, scope and fields of each index by its name; `single` the same for the fields that have
    other indexes than the automatic ones; `bare` the fields that have none.
    """

    composite: Mapping[str, tuple[str, str, Sorted]]
    single: Mapping[tuple[str, str], tuple[str, str]]
    bare: frozenset[tuple[str, str]]

    def serving(self, index: Index) -> str | None:
        """Return the name of what serves an index, "automatic" for Firestore's own; None if nothing does."""
        if len(index.fields) == 1:
            return self._serving_field(index)
        for name, (collection, scope, fields) in self.composite.items():
            if (collection, scope) == (index.collection, index.scope) and index.served_by(fields):
                return name
        return None

    def _serving_field(self, index: Index) -> str | None:
        [path] = index.fields
        place = (index.collection, path)
        if place in self.bare:
            return None
        if place in self.single:  # replaces the automatic indexes of the field
            scope, order = self.single[place]
            return ".".join(place) if scope == index.scope and index.served_by(((path, order),)) else None
        return "automatic" if index.scope == "COLLECTION" and path != _NAME else None

    @property
    def names(self) -> set[str]:
        """The names of all declared indexes."""
        return {*self.composite, *(".".join(place) for place in self.single)}


@cache
def declared() -> Declared:
    """Return what Terraform makes."""
    found = local_values(INFRA / "modules" / "firestore" / "main.tf")
    return Declared(
        composite={
            name: (each["collection"], each["scope"], tuple((path, order) for path, order in each["fields"]))
            for name, each in found["indexes"].items()
        },
        single={
            (each["collection"], each["field"]): ("COLLECTION_GROUP", each["order"])
            for each in found["searched_everywhere"]
        },
        bare=frozenset(
            {(each["collection"], each["field"]) for each in found["unindexed"]}
            | {(collection, "expireAt") for collection in found["expiring"]}
        ),
    )


def refusing(asked: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the adapter's function that makes queries: FailedPrecondition, as on Google Cloud, without an index."""

    def checked(*args: Any) -> Any:
        query = asked(*args)
        for index in needed(query):
            if declared().serving(index) is None:
                raise FailedPrecondition(f"the query requires an index that Terraform does not make: {index}")  # type: ignore[no-untyped-call]
        return query

    return checked


def _filters(where: StructuredQuery.Filter) -> Iterator[StructuredQuery.FieldFilter]:
    if where.field_filter.op:
        yield where.field_filter
    for each in where.composite_filter.filters:
        yield from _filters(each)


def _direction(direction: Any) -> str:
    return "DESCENDING" if direction == _DESCENDING else "ASCENDING"
