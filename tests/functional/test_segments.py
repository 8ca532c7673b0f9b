"""Segments: named conditions that several recipes use, and a change of one that reaches them all."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audience_jobs.engines.duckdb import DuckDBEngine
from functions.domain.errors import BadRecipe, NotPossible
from functions.usecases.recipes.save import create_recipe, renew_segments, stored_recipe
from functions.usecases.recipes.segments import renew_recipes
from functions.usecases.timeline.reconcile import reconcile
from tests.audience_jobs.fitness import MODELS, fitness
from tests.factories import push, recipe
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import Lab

PRO = {"column": "pro", "op": "is", "value": True}
FREE = {"column": "pro", "op": "is", "value": False}


@pytest.fixture
def gym(lab: Lab, tmp_path: Path) -> Lab:
    """A laboratory on the data of a gym."""
    workspace = fitness(tmp_path / "fitness", devices=True, models=MODELS)
    lab.ports = replace(lab.ports, engine=DuckDBEngine(workspace.folder / "data", workspace), workspace=workspace)
    return lab


@pytest.fixture
def api(gym: Lab) -> ApiClient:
    return ApiClient(lambda: gym.ports)


def campaign(where: Any, **more: Any) -> dict[str, Any]:
    return recipe(audienceCriteria={"where": where}, pushSequence=[push(1, title="Hi", body="Train")], **more)


def where_of(lab: Lab, recipe_id: str) -> Any:
    return stored_recipe(lab.ports, recipe_id)["audienceCriteria"]["where"]


def test_a_recipe_gets_the_conditions_of_its_segment_when_it_is_saved(gym: Lab, api: ApiClient) -> None:
    made = api.data("POST", "/api/segments", json={"name": "Paying members", "where": PRO})
    assert (made["id"], made["words"]) == ("paying-members", "users whose pro is true")
    create_recipe(gym.ports, campaign({"all": [{"segment": "paying-members"}, {"not": FREE}]}, id="news"), by="ana")
    assert where_of(gym, "news") == {"all": [{"segment": "paying-members", "where": PRO}, {"not": FREE}]}
    with pytest.raises(BadRecipe, match="there are paying-members"):
        create_recipe(gym.ports, campaign({"any": [{"segment": "payers"}]}, id="other"), by="ana")


def test_a_change_reaches_every_recipe_that_uses_it_and_no_other(gym: Lab, api: ApiClient) -> None:
    api.data("PUT", "/api/segments/vips", json={"name": "VIPs", "where": PRO})
    for name in ("one", "two"):
        create_recipe(gym.ports, campaign({"not": {"segment": "vips"}}, id=name), by="ana")
    create_recipe(gym.ports, campaign(PRO, id="three"), by="ana")
    found = api.data("GET", "/api/segments/vips")
    assert [each["id"] for each in found["recipes"]] == ["one", "two"]
    saved = api.data("PUT", "/api/segments/vips", json={"name": "VIPs", "where": FREE})
    assert (saved["changedRecipes"], saved["unchangedRecipes"]) == (["one", "two"], {})
    assert where_of(gym, "one") == {"not": {"segment": "vips", "where": FREE}}
    assert where_of(gym, "three") == PRO
    assert gym.ports.audit.of_recipe("one", most=1)[0].deed.by == api.data("GET", "/api/segments")[0]["updatedBy"]


def test_conditions_that_were_changed_by_hand_beside_the_name_do_not_stay(gym: Lab, api: ApiClient) -> None:
    api.data("PUT", "/api/segments/vips", json={"name": "VIPs", "where": PRO})
    create_recipe(gym.ports, campaign({"segment": "vips", "where": FREE}, id="one"), by="ana")
    assert where_of(gym, "one") == {"segment": "vips", "where": PRO}


def test_a_change_that_stopped_half_way_is_finished_by_reconcile(gym: Lab, api: ApiClient) -> None:
    api.data("PUT", "/api/segments/vips", json={"name": "VIPs", "where": PRO})
    create_recipe(gym.ports, campaign({"segment": "vips"}, id="one"), by="ana")
    stale = {"segment": "vips", "where": FREE}
    gym.ports.recipes.change("one", lambda stored: {**(stored or {}), "audienceCriteria": {"where": stale}})
    reconcile(gym.ports)
    assert where_of(gym, "one") == {"segment": "vips", "where": PRO}
    assert renew_segments(gym.ports, "one", by="ana") is None


def test_a_segment_in_use_cannot_be_deleted(gym: Lab, api: ApiClient) -> None:
    api.data("PUT", "/api/segments/vips", json={"name": "VIPs", "where": PRO})
    create_recipe(gym.ports, campaign({"segment": "vips"}, id="one"), by="ana")
    assert "take it out of one first" in api.unchecked("DELETE", "/api/segments/vips").text
    gym.ports.recipes.change("one", lambda _: None)
    assert api.data("DELETE", "/api/segments/vips") == {"id": "vips"}
    assert api.unchecked("GET", "/api/segments/vips").status_code == 404


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ({"name": " ", "where": PRO}, "name"),
        ({"name": "VIPs", "where": {"column": "prp", "op": "is", "value": True}}, "where.column"),
        ({"name": "VIPs", "where": {"all": [{"segment": "others"}]}}, "where"),
        ({"name": "VIPs", "where": "pro = true"}, "where"),
    ],
)
def test_a_wrong_segment_is_refused_with_its_fields(api: ApiClient, written: Any, field: str) -> None:
    answer = api.unchecked("PUT", "/api/segments/vips", json=written)
    assert (answer.status_code, [each["field"] for each in json.loads(answer.text)["errors"]]) == (422, [field])


def test_two_people_do_not_overwrite_each_other(api: ApiClient) -> None:
    api.data("PUT", "/api/segments/vips", json={"name": "VIPs", "where": PRO})
    old = api("GET", "/api/segments/vips").headers["ETag"]
    api("PUT", "/api/segments/vips", json={"name": "VIPs", "where": FREE}, headers={"If-Match": old})
    late = api.unchecked("PUT", "/api/segments/vips", json={"name": "X", "where": PRO}, headers={"If-Match": old})
    assert late.status_code == 412
    twice = api.unchecked("POST", "/api/segments", json={"name": "VIPs", "where": PRO})
    assert twice.status_code == 409


def test_a_recipe_that_cannot_be_changed_is_named(gym: Lab, api: ApiClient) -> None:
    api.data("PUT", "/api/segments/vips", json={"name": "VIPs", "where": PRO})
    create_recipe(gym.ports, campaign({"segment": "vips"}, id="one"), by="ana")
    gym.ports.recipes.change("one", lambda stored: {**(stored or {}), "pushSequence": "none"})
    saved = api.data("PUT", "/api/segments/vips", json={"name": "VIPs", "where": FREE})
    assert (saved["changedRecipes"], list(saved["unchangedRecipes"])) == ([], ["one"])
    assert renew_recipes(gym.ports, {"other"}, by="ana") == ([], {})


def test_a_workspace_without_models_has_no_segments(lab: Lab) -> None:
    answer = ApiClient(lambda: lab.ports).unchecked("PUT", "/api/segments/a", json={"name": "A", "where": PRO})
    assert "needs models/people.sql" in answer.text


def test_a_segment_with_a_name_without_latin_letters_needs_an_id(api: ApiClient) -> None:
    answer = api.unchecked("POST", "/api/segments", json={"name": "会員", "where": PRO})
    assert json.loads(answer.text)["errors"][0]["field"] == "id"
    assert api.data("POST", "/api/segments", json={"id": "m", "name": "会員", "where": PRO})["id"] == "m"


def test_the_use_of_a_deleted_segment_is_refused_at_the_next_save(gym: Lab, api: ApiClient) -> None:
    api.data("PUT", "/api/segments/vips", json={"name": "VIPs", "where": PRO})
    api.data("DELETE", "/api/segments/vips")
    with pytest.raises((BadRecipe, NotPossible)):
        create_recipe(gym.ports, campaign({"segment": "vips", "where": PRO}, id="one"), by="ana")
