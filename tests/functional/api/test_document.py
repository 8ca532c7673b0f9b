"""The OpenAPI document says all that a generator of clients needs, and refusals have codes that it lists."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from functions.domain.errors import FieldCode
from functions.domain.recipe.schedule import Frequency
from functions.handlers.http.codes import MEANINGS, ErrorCode
from local.runtime.recipe_files import read_recipe_file
from local.runtime.serving import SOURCE
from tests.factories import push, recipe
from tests.functional.api.documented import ApiClient, document
from tests.functional.conftest import START_AT, Lab

RECIPES = "/api/automation/recipes"


def nodes(value: Any, place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object of the document, with where it is."""
    if isinstance(value, dict):
        yield place, value
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, (dict, list)):
            yield from nodes(inner, f"{place}/{key}")


def types(schema: Mapping[str, Any]) -> list[str]:
    kind = schema.get("type", [])
    return kind if isinstance(kind, list) else [kind]


def test_every_array_says_what_is_in_it_and_every_object_what_it_has() -> None:
    for place, schema in nodes(document()):
        if "array" in types(schema):
            assert "items" in schema, place
        if "object" in types(schema):
            assert {"properties", "additionalProperties"} & schema.keys(), place


def test_no_schema_has_a_default_that_it_refuses_or_a_null_of_another_version() -> None:
    for place, schema in nodes(document()):
        assert schema.get("default", "") is not None, place
        assert "nullable" not in schema, place
        assert "enum" not in schema or "type" in schema, place


def test_a_field_that_may_be_left_out_of_a_body_has_no_default_that_makes_it_required() -> None:
    for name, schema in document()["components"]["schemas"].items():
        for field, inner in schema.get("properties", {}).items():
            assert "default" not in inner, f"{name}.{field}"


def test_every_parameter_has_a_schema_and_every_answer_but_304_a_content() -> None:
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            for parameter in operation["parameters"]:
                assert parameter["schema"], f"{method} {path} {parameter['name']}"
            for status, answer in operation["responses"].items():
                assert status == "304" or all(each["schema"] for each in answer["content"].values()), (
                    f"{path} {status}"
                )


def test_every_component_is_used_and_every_reference_leads_somewhere() -> None:
    schemas = document()["components"]["schemas"]
    used = {schema["$ref"] for _, schema in nodes(document()) if "$ref" in schema}
    assert used == {f"#/components/schemas/{name}" for name in schemas}


def test_the_objects_of_a_recipe_keep_their_names() -> None:
    assert {
        *("RecipeDocument", "RecipeChanges", "RecipeChangesOfOne", "StoredRecipe", "SoundRecipe", "RecipeByHand"),
        *("RecipeSchedule", "RecipePush", "PushTiming", "AudienceCriteria", "CustomScript", "RecipeSettings"),
        *("RecipeSafeguards", "AlertThresholds", "AudienceFilters", "DataPacks", "UserIds", "CustomQuery"),
        *("AudienceWhere", "Condition", "ColumnIs", "Did", "DidNot", "JoinedModels", "JoinedModel"),
    } <= set(document()["components"]["schemas"])


def test_a_recipe_says_the_bounds_the_choices_and_the_defaults_of_its_fields() -> None:
    schemas = document()["components"]["schemas"]
    lateness = schemas["RecipeSettings"]["properties"]["maxLatenessMinutes"]
    assert (lateness["type"], lateness["minimum"], lateness["maximum"]) == (["integer", "null"], 0, 43_200)
    assert lateness["description"].endswith("Default: 15.")
    assert schemas["RecipeSchedule"]["properties"]["frequency"]["enum"] == [*Frequency]
    assert schemas["RecipeDocument"]["required"] == ["schedule", "pushSequence"]


def test_whatever_may_be_left_out_of_a_recipe_may_be_null() -> None:
    validator = jsonschema_rs.validator_for(written_recipe())
    for name in ("isActive", "name", "type", "audienceCriteria", "settings"):
        validator.validate(recipe(**{name: None}))
    for path in ("schedule__startDate", "settings__safeguards", "settings__onUnknown", "audienceCriteria__filters"):
        validator.validate(recipe(**{path: None}))
    validator.validate(recipe(pushSequence=[push(1, deepLink=None, layerId=0, timing=None)]))


def test_a_null_that_switches_off_a_default_is_valid_as_it_comes_back(lab: Lab, api: ApiClient) -> None:
    off = {"data": {"area": None}, "translations": {"de": None}, "ios": {"sound": None}}
    lab.save(recipe(pushSequence=[push(1, **off)]))
    found = api.data("GET", f"{RECIPES}/welcome")
    assert {key: found["pushSequence"][0][key] for key in off} == off
    schema = {"$ref": "#/components/schemas/SoundRecipe", "components": document()["components"]}
    jsonschema_rs.validate(schema, found)
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(schema, {**found, "pushSequence": [push(1, data={"area": 5})]})


@pytest.mark.parametrize(
    "path", sorted((SOURCE.parent / "local" / "recipes").glob("*.json")), ids=lambda path: path.stem
)
def test_the_samples_are_recipes_by_the_document(path: Path) -> None:
    jsonschema_rs.validate(written_recipe(), read_recipe_file(path))


def written_recipe() -> dict[str, Any]:
    """The schema of a recipe that a client writes."""
    return {"$ref": "#/components/schemas/RecipeDocument", "components": document()["components"]}


def test_codes_of_refusals_are_listed_with_their_meanings() -> None:
    schemas = document()["components"]["schemas"]
    assert schemas["ErrorCode"]["enum"] == [code.value for code in ErrorCode] == [code.value for code in MEANINGS]
    assert all(f"* `{code}`: " in schemas["ErrorCode"]["description"] for code in ErrorCode)
    assert schemas["FieldCode"]["enum"] == [code.value for code in FieldCode]


@pytest.mark.parametrize(
    ("method", "path", "request_", "code"),
    [
        ("GET", "/api/automation/nothing/here/at/all", {}, "unknown_endpoint"),
        ("PATCH", RECIPES, {}, "method_not_allowed"),
        ("GET", f"{RECIPES}/unknown", {}, "not_found"),
        ("POST", RECIPES, {"json": recipe()}, "not_possible"),
        ("PUT", f"{RECIPES}/welcome", {"data": b"{", "content_type": "application/json"}, "bad_request"),
        ("PUT", f"{RECIPES}/welcome", {"data": b"x", "content_type": "text/plain"}, "unsupported_body"),
        ("PUT", f"{RECIPES}/welcome", {"json": {"name": 5}}, "invalid_fields"),
        ("PUT", f"{RECIPES}/welcome", {"json": {}, "headers": {"If-Match": '"old"'}}, "changed_meanwhile"),
        ("POST", "/api/query-audience", {"json": {"filters": {"lastActiveDays": "x"}}}, "invalid_fields"),
        ("POST", "/api/scripts", {"json": {"scriptId": "everybody", "parameters": {"most": "x"}}}, "invalid_fields"),
    ],
)
def test_a_program_knows_a_refusal_by_its_code(
    method: str, path: str, request_: dict[str, Any], code: str, api: ApiClient
) -> None:
    body = json.loads(api.unchecked(method, path, **request_).text)
    assert (body["success"], body["code"]) == (False, code), body


def test_a_change_that_moves_a_send_that_is_being_prepared_has_a_code_of_its_own(lab: Lab, api: ApiClient) -> None:
    lab.run_to(START_AT)
    schedule = {"timezone": "UTC", "frequency": "daily", "executionTime": "19:30"}
    response = api("PUT", f"{RECIPES}/welcome", json={"schedule": schedule})
    assert (response.status_code, json.loads(response.text)["code"]) == (409, "schedule_underway")


def test_each_field_at_fault_has_the_code_of_its_kind(api: ApiClient) -> None:
    changes = {
        "schedule": {"frequency": "yearly", "executionTime": "25:00", "leadTimeMinutes": 0},
        "pushSequence": [{"title": 5, "body": "b", "layerId": "3"}],
        "settings": {"safegards": {}},
    }
    told = json.loads(api("PUT", f"{RECIPES}/welcome", json=changes).text)["errors"]
    assert {error["field"]: error["code"] for error in told} == {
        "settings.safegards": "misspelled_key",
        "schedule.timezone": "missing",
        "schedule.frequency": "not_one_of",
        "schedule.executionTime": "invalid",
        "schedule.leadTimeMinutes": "out_of_range",
        "pushSequence[0].title": "invalid",
        "pushSequence[0].layerId": "wrong_type",
    }


def test_a_bulk_update_says_by_code_why_one_recipe_was_not_changed(api: ApiClient) -> None:
    body = {"recipes": [{"id": "unknown", "name": "x"}, {"name": "x"}, {"id": "welcome", "name": "Hi"}]}
    results = api.data("PUT", RECIPES, json=body)["results"]
    assert [result["code"] for result in results] == ["not_found", "invalid_fields", None]
    assert results[1]["errors"] == [{"field": "id", "code": "missing", "reason": "is missing"}]
