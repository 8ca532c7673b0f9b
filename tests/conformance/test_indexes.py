"""Each query of the stores has its index in Terraform, and each index there has a query.

The test asks the stores everything that they can be asked. Tests on Firestore's emulator refuse a query without its
index, too: see `emulators` in tests/conftest.py.
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from functions.domain.audit import Action, Deed
from functions.domain.execution.execution import State
from functions.gcp.firestore.places import asked
from functions.ports.executions import ExecutionSearch
from functions.stores import Stores, stores_on
from functions.stores.documents import Collection, E, Query
from local.memory.documents import MemoryDocuments
from tests.indexes import Declared, Index, declared, needed
from tests.terraform import INFRA, ROOT, local_values

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PLACE = (NOON, "daily_20261123T180000Z")


class Recording(MemoryDocuments):
    """Records each query with the collection, and the lines of the stores that asked."""

    def __init__(self) -> None:
        super().__init__()
        self.queries: list[tuple[Collection[Any], Query]] = []
        self.lines: set[tuple[str, int]] = set()

    def find(self, collection: Collection[E], query: Query) -> Sequence[E]:
        self._record(collection, query)
        return super().find(collection, query)

    def count(self, collection: Collection[Any], query: Query) -> int:
        self._record(collection, query)
        return super().count(collection, query)

    def fill(self, collection: Collection[Any], query: Query, field: str) -> None:  # noqa: ARG002
        self._record(collection, query)

    def _record(self, collection: Collection[Any], query: Query) -> None:
        frame = sys._getframe(2)
        self.queries.append((collection, query))
        self.lines.add((frame.f_code.co_filename, frame.f_lineno))


def ask_everything(stores: Stores) -> None:
    """Ask the stores for everything that needs a query, with each combination of what may be left out."""
    executions, violations = stores["executions"], stores["violations"]
    recipes, audit = stores["recipes"], stores["audit"]
    for recipe, state, since, until in product(("daily", None), (State.LIVE, None), (NOON, None), (NOON, None)):
        wanted = ExecutionSearch(recipe_id=recipe, state=state, since=since, until=until)
        executions.count(wanted)
        for after, oldest_first in product((PLACE, None), (True, False)):
            executions.search(wanted, most=5, after=after, oldest_first=oldest_first)
    executions.unfinished()
    stores["logs"].of("e")
    stores["shards"].of("e")
    stores["shards"].under_way(NOON)
    stores["alert_store"].waiting(NOON)
    violations.of("e")
    for recipe, violation in product(("daily", None), ((NOON, "e", "v"), None)):
        violations.unresolved(most=5, recipe_id=recipe, after=violation)
    recipes.all()
    stores["segments"].all()
    for key in ("", "daily"):
        recipes.page(after=key, most=5)
    for plan in (PLACE, None):
        recipes.plans(most=5, after=plan)
    for before in (7, None):
        audit.of_recipe("daily", before=before, most=5)
    for entry in ((NOON, "daily", 7), None):
        audit.newest(most=5, after=entry)
    for access in ((NOON, "a"), None):
        stores["accesses"].newest(most=5, after=access)
    audit.add("daily", Deed(at=NOON, by="me", action=next(iter(Action))), {})
    audit.subjects()
    audit.open_heads(most=5)
    for number in (0, 7):
        list(audit.all_of("daily", after=number))


@pytest.fixture(scope="module")
def recorded() -> Recording:
    documents = Recording()
    ask_everything(stores_on(documents))
    return documents


@pytest.fixture(scope="module")
def indexes(recorded: Recording) -> set[Index]:
    """The indexes that the recorded queries need, as the adapter asks Firestore."""
    client = firestore.Client(project="demo", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    found = {index for asking in recorded.queries for index in needed(asked(client, *asking))}
    client.close()  # type: ignore[no-untyped-call]
    return found


def test_everything_that_the_stores_can_ask_is_recorded(recorded: Recording) -> None:
    reached = {(str(Path(file).relative_to(ROOT)), line) for file, line in recorded.lines}
    for file, first, last in queries_in_the_code():
        assert any(place == file and first <= line <= last for place, line in reached), (
            f"{file}:{first} asks for documents: add what asks for it to ask_everything"
        )


def queries_in_the_code() -> Iterator[tuple[str, int, int]]:
    """Yield the place of each call in functions/ that asks the document port for documents."""
    for path in sorted((ROOT / "functions" / "stores").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                port = ast.unparse(node.func.value).endswith("documents")
                if port and node.func.attr in ("find", "count", "fill"):
                    yield str(path.relative_to(ROOT)), node.lineno, node.end_lineno or node.lineno


def test_each_query_has_its_index(indexes: set[Index]) -> None:
    assert len(indexes) > 10
    assert [index for index in indexes if declared().serving(index) is None] == []


def test_each_index_has_a_query(indexes: set[Index]) -> None:
    assert declared().names - {declared().serving(index) for index in indexes} == set()


def test_fields_without_an_index_are_of_collections_that_there_are() -> None:
    values = local_values(INFRA / "modules" / "firestore" / "main.tf")
    named = {entry["collection"] for entry in values["unindexed"]} | {*values["expiring"]}
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "functions" / "stores").glob("*.py"))
    assert [name for name in named if f'"{name}/{{' not in text and f"/{name}/{{" not in text] == []


def _index(*sorted_by: tuple[str, str], equal: str = "", scope: str = "COLLECTION") -> Index:
    return Index(collection="shoes", scope=scope, equal=frozenset(equal.split()), sorted_by=sorted_by)


UP, DOWN = "ASCENDING", "DESCENDING"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), []),
        (Query(after=("a",)), []),
        (Query(where=(("size", "==", 44),)), [_index(equal="size")]),
        (Query(where=(("size", "==", 44), ("hue", "==", "red"))), [_index(equal="hue"), _index(equal="size")]),
        (Query(order="price"), [_index(("price", UP))]),
        (Query(where=(("price", ">", 9),)), [_index(("price", UP))]),
        (Query(where=(("price", ">", 9),), order="price", descending=True), [_index(("price", DOWN))]),
        (Query(where=(("size", "==", 44),), order="price"), [_index(("price", UP), equal="size")]),
        (Query(where=(("size", "==", 44), ("price", ">", 9))), [_index(("price", UP), equal="size")]),
    ],
)
def test_the_index_of_a_query_follows_firestores_rules(query: Query, expected: list[Index]) -> None:
    client = firestore.Client(project="demo", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    shoes = Collection[Any](path="shoes/{}", write=dict, read=lambda document, _: document)
    assert list(needed(asked(client, shoes, query))) == expected
    client.close()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("index", "serves"),
    [
        (_index(("price", UP)), "automatic"),
        (_index(equal="size"), "automatic"),
        (_index(("packed", UP)), None),
        (_index(("price", UP), scope="COLLECTION_GROUP"), None),
        (_index(("at", DOWN), scope="COLLECTION_GROUP"), "shoes.at"),
        (_index(("at", UP), scope="COLLECTION_GROUP"), None),
        (_index(("at", DOWN)), None),
        (_index(("price", DOWN), equal="hue size"), "dearest"),
        (_index(("price", UP), equal="hue size"), None),
        (_index(("price", DOWN), equal="hue"), None),
        (_index(("price", DOWN), equal="hue size", scope="COLLECTION_GROUP"), None),
    ],
)
def test_an_index_serves_the_queries_that_it_is_made_for(index: Index, serves: str | None) -> None:
    fields = (("size", UP), ("hue", UP), ("price", DOWN))
    made = Declared(
        composite={"dearest": ("shoes", "COLLECTION", fields)},
        single={("shoes", "at"): ("COLLECTION_GROUP", DOWN)},
        bare=frozenset({("shoes", "packed")}),
    )
    assert made.serving(index) == serves
