"""Stored documents carry a format; what a newer release has stored is neither misread nor overwritten."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud import firestore

from functions.domain.documents import FORMAT
from functions.domain.errors import NotPossible, Unreadable
from functions.domain.execution.execution import State
from functions.ports.executions import ExecutionSearch
from functions.stores.documents import Collection, Place
from functions.stores.executions import EXECUTIONS
from functions.stores.recipes import PLANS, RECIPES
from functions.stores.shards import PUSHES, SHARDS
from functions.usecases.recipes.save import pause_recipe, save_recipe
from functions.usecases.reports.overview import overview, push_logs
from functions.usecases.reports.recipes import list_recipes, shown_recipe
from functions.usecases.timeline.control import cancel
from functions.usecases.timeline.reconcile import reconcile
from local.embedded.tables import TABLES
from tests.factories import push, recipe
from tests.functional.conftest import SEND_AT, START_AT
from tests.functional.upgrade.firestore_documents import client_of, dump
from tests.functional.upgrade.scenario import Evening

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)


class Stored:
    """A laboratory whose documents a test can read and change as they are stored."""

    def __init__(self, lab: Evening, client: firestore.Client | None) -> None:
        self.lab, self._client = lab, client

    def formats(self) -> dict[str, Any]:
        """The formats of stored documents, by path in Firestore, or by table and key in SQLite."""
        if self._client is not None:
            return {each["path"]: each["fields"].get(FORMAT) for each in dump(self._client.project)}
        found = {}
        for table in TABLES.values():
            if "document" in self._columns(table.name):
                for row in self._rows(f"SELECT * FROM {table.name}"):
                    key = "/".join(str(row[name]) for name in table.keys)
                    found[f"{table.name}/{key}"] = json.loads(row["document"]).get(FORMAT)
        return found

    def come_from_a_newer_release(self, place: Place[Any], number: object = 2) -> None:
        """Give a stored document a format that only a newer release knows."""
        if self._client is not None:
            path = place.collection.path.format(*place.keys)
            self._client.document(path).update({FORMAT: number})
            return
        table = TABLES[place.collection]
        keys = table.key(place)
        where = " AND ".join(f"{name} = ?" for name in keys) or "1"
        assert self.lab.system is not None
        with self.lab.system.database.transaction() as connection:
            changed = f"UPDATE {table.name} SET document = json_set(document, '$.{FORMAT}', ?) WHERE {where}"
            assert connection.execute(changed, (number, *keys.values())).rowcount

    def _columns(self, table: str) -> list[str]:
        return [row["name"] for row in self._rows(f"SELECT name FROM pragma_table_info('{table}')")]

    def _rows(self, query: str) -> list[Any]:
        assert self.lab.system is not None
        return self.lab.system.database.rows(query)


@pytest.fixture(params=["sqlite", "firestore"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stored]:
    """A laboratory with one recipe, on each store."""
    client = None
    if request.param == "firestore":
        request.getfixturevalue("emulators")
        client = client_of(f"demo-{tmp_path.name.replace('_', '-')}-{id(request)}"[:60].lower())
    lab = Evening(tmp_path, client)
    lab.open()
    lab.save(recipe(pushSequence=[push(1, layerId=3)]))
    yield Stored(lab, client)
    lab.close()


WITHOUT = ("/log/", "/documents/")
"""Lines of logs, and parts of documents that have a format themselves."""


@pytest.mark.long
def test_every_stored_document_has_the_number_of_its_format(stored: Stored) -> None:
    stored.lab.run_to_the_end()
    found = stored.formats()
    lacking = [path for path, number in found.items() if number is None]
    assert len(found) > 10
    assert [path for path in lacking if not any(part in path for part in WITHOUT)] == []


@pytest.mark.long
def test_a_recipe_of_a_newer_release_sends_nothing_is_listed_and_cannot_be_overwritten(stored: Stored) -> None:
    lab = stored.lab
    stored.come_from_a_newer_release(RECIPES.at("welcome"))
    with pytest.raises(Unreadable, match=r"recipe welcome: a newer release .* format 2, .* deploy the newer release"):
        save_recipe(lab.ports, recipe(name="Overwritten"), by="ann@example.com")
    with pytest.raises(Unreadable):
        pause_recipe(lab.ports, "welcome", by="ann@example.com")
    [listed], _ = list_recipes(lab.ports, most=5)
    assert "a newer release has stored the recipe" in shown_recipe(listed, lab.clock.now())["problem"]
    assert any("malformed" in sentence for sentence in reconcile(lab.ports).sentences)
    lab.run_to_the_end()
    assert lab.outbox() == []
    assert (lab.ports.recipes.get("welcome") or {})["name"] == "Welcome"


@pytest.mark.long
def test_an_execution_of_a_newer_release_is_listed_and_ends_as_failed(stored: Stored) -> None:
    lab = stored.lab
    lab.run_to(SEND_AT - 10 * MINUTE)
    stored.come_from_a_newer_release(EXECUTIONS.at(lab.id))
    assert "a newer release has stored it in format 2" in lab.execution().reason
    assert overview(lab.ports).executions == 1
    with pytest.raises(NotPossible):
        cancel(lab.ports, lab.id, "not today")
    lab.run_to_the_end()
    ended = lab.execution()
    assert (ended.state, ended.cleaned, lab.violations()) == (State.FAILED, True, ["unreadable"])
    assert lab.outbox(test=False) == []
    assert [path for path in (lab.state / "devices").rglob("*") if path.is_file()] == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("collection", "key", "minutes"),
    [
        pytest.param(PUSHES, 1, -10, id="manifest-before-it-is-live"),
        pytest.param(PUSHES, 1, 0.5, id="manifest-live"),
        pytest.param(SHARDS, "1-1", 0.5, id="shard-live"),
    ],
)
def test_an_execution_with_a_part_of_a_newer_release_ends_as_failed_and_sends_nothing_more(
    collection: Collection[Any], key: int | str, minutes: float, stored: Stored
) -> None:
    lab = stored.lab
    lab.run_to(SEND_AT + minutes * MINUTE)
    sent = len(lab.outbox(test=False))
    stored.come_from_a_newer_release(collection.at(lab.id, key))
    lab.run_to(SEND_AT + 20 * MINUTE)
    ended = lab.execution()
    assert (ended.state, ended.cleaned) == (State.FAILED, True)
    assert "newer release" in ended.reason
    assert len(lab.outbox(test=False)) == sent
    assert [path for path in (lab.state / "devices").rglob("*") if path.is_file()] == []
    assert push_logs(lab.ports, ExecutionSearch(), most=5).next is None
    assert not any(lab.id in sentence for sentence in reconcile(lab.ports).sentences), "it is not ended again"


def test_a_plan_of_a_newer_release_is_made_again(stored: Stored) -> None:
    stored.come_from_a_newer_release(PLANS.at("welcome"))
    assert list(stored.lab.ports.recipes.plans()) == []
    reconcile(stored.lab.ports)
    assert [plan.recipe_id for plan in stored.lab.ports.recipes.plans()] == ["welcome"]


def test_a_number_that_is_none_counts_as_one_of_a_newer_release(stored: Stored) -> None:
    stored.lab.run_to(START_AT + MINUTE)
    stored.come_from_a_newer_release(EXECUTIONS.at(stored.lab.id), "two")
    assert 'format "two"' in stored.lab.execution().reason


def test_an_older_format_takes_the_steps_to_this_one() -> None:
    collection = Collection[str](
        path="things/{}",
        write=lambda name: {"name": name},
        read=lambda document, _: document["name"],
        upgrades=(lambda old: {"title": old["t"]}, lambda old: {"name": old["title"].upper()}),
    )
    assert collection.document("A") == {"name": "A", FORMAT: 3}
    for document in ({"t": "a"}, {"t": "a", FORMAT: 1}, {"title": "a", FORMAT: 2}, {"name": "A", FORMAT: 3}):
        assert collection.value(document, ["1"]) == "A"
    with pytest.raises(Unreadable, match=r"things/1: a newer release has stored it in format 4, .* up to 3"):
        collection.value({"name": "A", FORMAT: 4}, ["1"])
