"""What every RecipeStore does."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.domain.audit import Action, Deed
from functions.stores.recipes import DocumentRecipeStore
from local.embedded.database import Database
from local.embedded.sqlite_documents import SqliteDocuments
from tests.factories import recipe

DAY = timedelta(days=1)
SAVED = Deed(by="zoë@example.com", at=datetime(2026, 11, 23, 12, 0, tzinfo=UTC), action=Action.SAVED)
AtOnce = Callable[[int, Callable[[int], Any]], list[Any]]


def put(document: dict[str, Any]) -> Callable[[Any], dict[str, Any]]:
    return lambda _: document


@pytest.mark.long
def test_a_recipe_that_was_never_written_is_none(ports: Any) -> None:
    assert ports.recipes.get("daily") is None
    assert list(ports.recipes.all()) == []


def test_a_document_comes_back_as_it_was_written_unknown_keys_and_unicode_included(
    ports: Any, open_ports: Any
) -> None:
    document = {"id": "daily", "name": "Größe 👟 日本", "x": [1, 2.5, None, {"deep": True}], "z": "", "a": 0}
    assert ports.recipes.change("daily", put(document)) == document
    assert open_ports().recipes.get("daily") == document


def test_the_embedded_store_keeps_the_order_of_keys_too(tmp_path: Path) -> None:
    database = Database(tmp_path / "tminus.db")
    DocumentRecipeStore(SqliteDocuments(database)).change("daily", put({"id": "daily", "z": 0, "a": 0}))
    assert list(DocumentRecipeStore(SqliteDocuments(database)).get("daily") or {}) == ["id", "z", "a"]
    database.close()


def test_recipes_are_listed_in_order_of_their_ids(ports: Any) -> None:
    for recipe_id in ("b", "a", "C", "a-2"):
        ports.recipes.change(recipe_id, put({"id": recipe_id}))
    assert [document["id"] for document in ports.recipes.all()] == ["C", "a", "a-2", "b"]


def test_recipes_are_read_page_by_page(ports: Any) -> None:
    for recipe_id in ("b", "a", "C", "a-2"):
        ports.recipes.change(recipe_id, put({"id": recipe_id}))
    pages = [ports.recipes.page(after=after, most=2) for after in ("", "a", "a-1", "b", "zz")]
    ids = [[document["id"] for document in page] for page in pages]
    assert ids == [["C", "a"], ["a-2", "b"], ["a-2", "b"], [], []]


def test_a_change_that_makes_none_deletes_the_recipe(ports: Any) -> None:
    ports.recipes.change("daily", put({"id": "daily"}))
    assert ports.recipes.change("daily", lambda _: None) is None
    assert ports.recipes.get("daily") is None
    assert ports.recipes.change("daily", lambda _: None) is None


def test_a_change_that_raises_leaves_the_recipe_and_passes_the_error_on(ports: Any) -> None:
    ports.recipes.change("daily", put({"id": "daily", "tags": ["a"]}))

    def spoil(document: dict[str, Any]) -> dict[str, Any]:
        document["tags"].append("b")
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        ports.recipes.change("daily", spoil)
    assert ports.recipes.get("daily") == {"id": "daily", "tags": ["a"]}
    assert ports.recipes.change("other", put({"id": "other"})) is not None


@pytest.mark.long
def test_no_change_of_42_concurrent_ones_is_lost(ports: Any, at_once: AtOnce) -> None:
    def add(number: int) -> None:
        ports.recipes.change("n", lambda old: {"seen": [*(old or {"seen": []})["seen"], number]})

    at_once(42, add)
    assert sorted(ports.recipes.get("n")["seen"]) == list(range(42))


COUNT_IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from functions.stores.recipes import DocumentRecipeStore
from local.embedded.database import Database
from local.embedded.sqlite_documents import SqliteDocuments

database = Database(Path(sys.argv[1]))
store = DocumentRecipeStore(SqliteDocuments(database))
for _ in range(100):
    store.change("n", lambda old: {"id": "n", "count": (old or {"count": 0})["count"] + 1})
database.close()
"""


@pytest.mark.long
def test_processes_that_open_one_new_database_together_lose_no_change(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    command = [sys.executable, "-c", COUNT_IN_ANOTHER_PROCESS, str(path)]
    children = [subprocess.Popen(command) for _ in range(3)]
    assert [child.wait(timeout=60) for child in children] == [0, 0, 0]
    database = Database(path)
    assert DocumentRecipeStore(SqliteDocuments(database)).get("n") == {"id": "n", "count": 300}
    database.close()


def planned(ports: Any) -> list[tuple[str, datetime]]:
    return [(plan.recipe_id, plan.next_send_at) for plan in ports.recipes.plans()]


def test_a_change_of_the_product_plans_the_recipes_sends_in_the_same_transaction(ports: Any, open_ports: Any) -> None:
    for recipe_id, clock in (("late", "18:30"), ("early", "09:00"), ("same", "09:00")):
        document = recipe(id=recipe_id, schedule__executionTime=clock, schedule__timezone="UTC")
        ports.recipes.change(recipe_id, put(document), SAVED)
    morning, evening = SAVED.at.replace(hour=9, minute=0) + DAY, SAVED.at.replace(hour=18, minute=30)
    assert planned(open_ports()) == [("late", evening), ("early", morning), ("same", morning)]
    first, second = ports.recipes.plans(most=2), ports.recipes.plans(most=2, after=(morning, "early"))
    assert [plan.recipe_id for plan in (*first, *second)] == ["late", "early", "same"]
    ports.recipes.change("late", put(recipe(id="late", status="paused")), SAVED)
    ports.recipes.change("early", lambda _: None, SAVED)
    assert planned(ports) == [("same", morning)]


def test_an_edit_by_hand_is_planned_when_asked_for(ports: Any) -> None:
    ports.recipes.change("daily", put(recipe(id="daily", schedule__timezone="UTC")))
    assert planned(ports) == []
    ports.recipes.plan("daily", SAVED.at)
    assert planned(ports) == [("daily", SAVED.at.replace(hour=18, minute=30))]
    ports.recipes.change("daily", put({"id": "daily", "schedule": "never"}))
    ports.recipes.plan("daily", SAVED.at)
    ports.recipes.plan("unknown", SAVED.at)
    assert planned(ports) == []
