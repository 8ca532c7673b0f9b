"""What every AuditLog does, and every RecipeStore with it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from functions.domain.audit import Action, Deed
from functions.ports.stores import AuditLog
from functions.stores.audit import DocumentAuditLog
from functions.stores.recipes import DocumentRecipeStore
from local.embedded.database import Database
from local.embedded.sqlite_documents import SqliteDocuments
from tests.factories import DEFAULT_RULES

AT = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
SAVED = Deed(by="zoë@example.com", at=AT, action=Action.SAVED)
DELETED = Deed(by="cli", at=AT + timedelta(minutes=1), action=Action.DELETED)


def put(**fields: Any) -> Callable[[Any], dict[str, Any]]:
    return lambda _: {"id": "daily", **fields}


def numbers(audit: AuditLog, **options: Any) -> list[int]:
    return [entry.number for entry in audit.of_recipe("daily", **({"most": 100} | options))]


def test_a_recipe_without_changes_has_no_entries(ports: Any) -> None:
    assert list(ports.audit.of_recipe("daily", most=10)) == []


def test_an_entry_says_who_did_what_when_with_the_documents_before_and_after(ports: Any, open_ports: Any) -> None:
    first, second = {"name": "Größe 👟", "x": [1, {"deep": None}]}, {"name": "b", "y": 2.5}
    ports.recipes.change("daily", put(**first), SAVED)
    ports.recipes.change("daily", put(**second), SAVED)
    ports.recipes.change("daily", lambda _: None, DELETED)
    deleted, edited, created = open_ports().audit.of_recipe("daily", most=10)
    assert (created.deed, created.before, created.after) == (SAVED, None, {"id": "daily", **first})
    assert (edited.deed, edited.before, edited.after) == (SAVED, created.after, {"id": "daily", **second})
    assert (deleted.deed, deleted.before, deleted.after) == (DELETED, edited.after, None)
    assert {entry.recipe_id for entry in (deleted, edited, created)} == {"daily"}


def test_entries_come_newest_first_in_pages_and_at_one_instant_in_the_order_of_the_changes(ports: Any) -> None:
    for number in range(5):
        ports.recipes.change("daily", put(n=number), SAVED)
    assert numbers(ports.audit) == [5, 4, 3, 2, 1]
    assert numbers(ports.audit, most=2) == [5, 4]
    assert numbers(ports.audit, most=2, before=4) == [3, 2]
    assert numbers(ports.audit, before=1) == []


def test_the_newest_entries_of_all_recipes_and_of_the_rules_come_first(ports: Any) -> None:
    later = Deed(by="ana@example.com", at=AT + timedelta(minutes=2), action=Action.SAVED)
    ports.recipes.change("other", put(), SAVED)
    ports.recipes.change("daily", put(), DELETED)
    ports.ledger.change_rules(DEFAULT_RULES, lambda rules: rules, later)
    told = [(entry.recipe_id, entry.deed.by) for entry in ports.audit.newest(most=10)]
    assert told == [("cadence.rules", "ana@example.com"), ("daily", "cli"), ("other", "zoë@example.com")]
    assert [entry.recipe_id for entry in ports.audit.newest(most=1)] == ["cadence.rules"]


def test_a_recipe_has_its_own_entries_only(ports: Any) -> None:
    ports.recipes.change("other", put(), SAVED)
    ports.recipes.change("daily", put(), SAVED)
    assert numbers(ports.audit) == [1]


def test_a_change_without_a_deed_and_one_of_nothing_leave_no_entry(ports: Any) -> None:
    ports.recipes.change("daily", lambda _: None, DELETED)
    ports.recipes.change("daily", put())
    assert numbers(ports.audit) == []


def test_a_change_that_raises_leaves_neither_recipe_nor_entry(ports: Any) -> None:
    def fail(_: Any) -> dict[str, Any]:
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        ports.recipes.change("daily", fail, SAVED)
    assert ports.recipes.get("daily") is None
    assert numbers(ports.audit) == []


def test_the_entries_of_all_recipes_are_read_page_by_page_those_of_one_instant_too(ports: Any) -> None:
    for number in range(3):
        for name in ("daily", "weekly"):
            ports.recipes.change(name, put(n=number), SAVED)
    found: list[tuple[str, int]] = []
    place = None
    while page := ports.audit.newest(most=2, after=place):
        found += [(entry.recipe_id, entry.number) for entry in page]
        place = (page[-1].deed.at, page[-1].recipe_id, page[-1].number)
    assert sorted(found) == [(name, number) for name in ("daily", "weekly") for number in (1, 2, 3)]


def test_the_log_of_a_deleted_recipe_goes_on_where_one_of_its_id_is_made_again(ports: Any) -> None:
    ports.recipes.change("daily", put(n=1), SAVED)
    ports.recipes.change("daily", lambda _: None, DELETED)
    ports.recipes.change("daily", put(n=2), SAVED)
    assert numbers(ports.audit) == [3, 2, 1]


def test_a_document_as_large_as_a_recipe_may_be_is_kept_before_and_after(ports: Any) -> None:
    ports.recipes.change("daily", put(text="ü" * 400_000), SAVED)
    ports.recipes.change("daily", put(text="é" * 400_000), SAVED)
    newest, _ = ports.audit.of_recipe("daily", most=2)
    assert (len(newest.before["text"]), newest.after["text"][0]) == (400_000, "é")


@pytest.mark.long
def test_of_20_changes_at_once_each_has_its_entry_and_the_entries_are_a_chain(ports: Any, at_once: Any) -> None:
    def add(number: int) -> None:
        ports.recipes.change("daily", lambda old: put(seen=[*(old or {"seen": []})["seen"], number])(old), SAVED)

    at_once(20, add)
    entries = ports.audit.of_recipe("daily", most=100)
    assert [entry.number for entry in entries] == list(range(20, 0, -1))
    assert all(newer.before == older.after for newer, older in pairwise(entries))
    assert sorted((entries[0].after or {})["seen"]) == list(range(20))


def test_the_embedded_log_refuses_to_be_changed_even_by_hand(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "tminus.db")) as database:
        DocumentRecipeStore(SqliteDocuments(database)).change("daily", put(), SAVED)
        for statement in ("UPDATE audit SET by = 'stranger'", "DELETE FROM audit"):
            with pytest.raises(sqlite3.IntegrityError, match="only grows"), database.transaction() as connection:
                connection.execute(statement)
        assert numbers(DocumentAuditLog(SqliteDocuments(database))) == [1]


def test_a_change_without_a_person_is_refused() -> None:
    with pytest.raises(ValueError, match="saved by an unnamed caller"):
        Deed(by=" ", at=AT, action=Action.SAVED)


def test_an_entry_about_no_document_says_what_was_done(ports: Any, open_ports: Any) -> None:
    lifted = Deed(by="zoë@example.com", at=AT, action=Action.LIFTED)
    for graves in (3, 4):
        ports.audit.add("devices.graves", lifted, {"graves": graves})
    newest, first = open_ports().audit.of_recipe("devices.graves", most=9)
    assert (newest.number, newest.deed, newest.before, newest.after) == (2, lifted, None, {"graves": 4})
    assert (first.number, first.after) == (1, {"graves": 3})
    assert open_ports().audit.newest(most=1)[0].recipe_id == "devices.graves"
