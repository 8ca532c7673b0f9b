"""Recipes over HTTP."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.factories import recipe
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import SEND_AT, START_AT, Lab

RECIPES = "/api/automation/recipes"
WELCOME = f"{RECIPES}/welcome"


def test_a_recipe_is_created_read_changed_and_removed(lab: Lab, api: ApiClient) -> None:
    created = api("POST", RECIPES, json=recipe(id="", name="Spring sale"))
    assert (created.status_code, created.headers["Location"]) == (201, f"{RECIPES}/spring-sale")
    assert api.data("GET", f"{RECIPES}/spring-sale")["nextSendAt"] == "2026-03-02T18:30:00Z"
    changed = api.data(
        "PUT", f"{RECIPES}/spring-sale", json={"schedule": {**recipe()["schedule"], "executionTime": "19:00"}}
    )
    assert changed["nextSendAt"] == "2026-03-02T19:00:00Z"
    assert [job.cron for job in lab.ports.schedules.all() if job.name == "tminus-spring-sale"] == ["30 18 * * *"]
    assert api.data("DELETE", f"{RECIPES}/spring-sale") == {"recipeId": "spring-sale", "cancelled": []}
    assert api("GET", f"{RECIPES}/spring-sale").status_code == 404
    assert "tminus-spring-sale" not in {job.name for job in lab.ports.schedules.all()}
    entries = lab.ports.audit.of_recipe("spring-sale", most=9)
    assert [(entry.deed.by, entry.deed.action.value) for entry in entries] == [
        ("local", "deleted"),
        ("local", "saved"),
        ("local", "saved"),
    ]


def test_creating_never_replaces_a_recipe(lab: Lab, api: ApiClient) -> None:
    assert api("POST", RECIPES, json=recipe(name="Another")).status_code == 409
    assert (lab.ports.recipes.get("welcome") or {})["name"] == "Welcome"


def test_a_recipe_that_cannot_run_names_each_field(api: ApiClient) -> None:
    response = api("POST", RECIPES, json={"name": "x", "schedule": {"timezone": "Mars"}, "pushSequence": []})
    fields = [error["field"] for error in json.loads(response.text)["errors"]]
    assert response.status_code == 422
    assert fields == [
        *("schedule.timezone", "schedule.frequency", "pushSequence"),
        "audienceCriteria.customScript.scriptId",
    ]


def test_two_editors_never_overwrite_each_other_silently(api: ApiClient) -> None:
    etag = api("GET", WELCOME).headers["ETag"]
    assert api("PUT", WELCOME, json={"name": "Ann's"}, headers={"If-Match": etag}).status_code == 200
    late = api("PUT", WELCOME, json={"name": "Bob's"}, headers={"If-Match": etag})
    assert (late.status_code, api.data("GET", WELCOME)["name"]) == (412, "Ann's")
    assert api("DELETE", WELCOME, headers={"If-Match": etag}).status_code == 412


def test_of_many_who_change_one_version_at_once_one_gets_through(api: ApiClient) -> None:
    etag = api("GET", WELCOME).headers["ETag"]

    def change(number: int) -> int:
        return api("PUT", WELCOME, json={"name": str(number)}, headers={"If-Match": etag}).status_code

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(change, range(8))) == [200, *[412] * 7]


def test_old_clients_that_send_no_etag_change_only_the_fields_that_they_name(api: ApiClient) -> None:
    api.data("PUT", WELCOME, json={"name": "Ann's"})
    changed = api.data("PUT", WELCOME, json={"description": "Bob's"})
    assert (changed["name"], changed["description"]) == ("Ann's", "Bob's")
    assert api.data("PUT", WELCOME, json={"name": "any"}, headers={"If-Match": "*"})["name"] == "any"


@pytest.mark.slow
def test_the_etag_of_a_change_is_the_one_that_reading_gives(api: ApiClient) -> None:
    changed = api("PUT", WELCOME, json={"name": "Ann's"}).headers["ETag"]
    assert api("GET", WELCOME).headers["ETag"] == changed
    assert api("GET", WELCOME, headers={"If-None-Match": changed}).status_code == 304


def test_a_status_or_is_active_alone_decides(api: ApiClient) -> None:
    assert api.data("PUT", WELCOME, json={"status": "inactive"})["isActive"] is False
    assert api.data("PUT", WELCOME, json={"isActive": True})["status"] == "active"
    answer = json.loads(api("PUT", WELCOME, json={"status": "active", "isActive": False}).text)
    assert (answer["data"]["status"], "contradicts" in answer["message"]) == ("paused", True)


def test_recipes_are_listed_page_by_page_and_by_status(lab: Lab, api: ApiClient) -> None:
    for number in range(5):
        lab.save(recipe(id=f"r{number}", status="paused" if number % 2 else "active"))
    first = json.loads(api("GET", f"{RECIPES}?limit=4").text)
    second = json.loads(api("GET", f"{RECIPES}?limit=4&cursor={first['pagination']['next']}").text)
    assert [each["id"] for each in first["data"] + second["data"]] == ["r0", "r1", "r2", "r3", "r4", "welcome"]
    assert second["pagination"]["next"] is None
    assert [each["id"] for each in api.data("GET", f"{RECIPES}?status=paused")] == ["r1", "r3"]


def test_a_recipe_that_was_broken_by_hand_is_shown_with_what_is_wrong(lab: Lab, api: ApiClient) -> None:
    lab.ports.recipes.change("welcome", lambda _: {"id": "welcome", "status": "on"})
    assert "must be one of" in api.data("GET", WELCOME)["problem"]
    assert api.data("GET", RECIPES)[0]["status"] == "on"


def test_several_recipes_change_each_on_its_own(lab: Lab, api: ApiClient) -> None:
    lab.save(recipe(id="other"))
    body = {"recipes": [{"id": "other", "name": "New"}, {"recipeId": "welcome", "pushSequence": []}, {"name": "x"}]}
    done = api.data("PUT", RECIPES, json=body)
    assert (done["updated"], done["failed"]) == (1, 2)
    assert [error["field"] for result in done["results"] for error in result["errors"]] == ["pushSequence", "id"]
    done = api.data("PUT", RECIPES, json={"recipeIds": ["other", "welcome"], "updates": {"status": "paused"}})
    assert [result["success"] for result in done["results"]] == [True, True]
    assert {each["status"] for each in api.data("GET", RECIPES)} == {"paused"}


def test_a_change_cannot_make_one_recipe_another(api: ApiClient) -> None:
    response = api("PUT", WELCOME, json={"id": "other", "name": "x"})
    assert (response.status_code, json.loads(response.text)["errors"][0]["field"]) == (422, "id")
    assert api.data("PUT", WELCOME, json={"id": "welcome", "name": "x"})["name"] == "x"


SOON = f"{START_AT - timedelta(hours=2) + timedelta(minutes=20):%H:%M}"
"""Twenty minutes after the laboratory opens: inside the lead time."""
LATER = {"schedule": {**recipe()["schedule"], "executionTime": "18:45"}}


@pytest.mark.slow
def test_moving_a_send_under_way_asks_what_becomes_of_it_and_says_what_happened(lab: Lab, api: ApiClient) -> None:
    lab.run_to(START_AT + timedelta(minutes=2))
    asked = api("PUT", WELCOME, json=LATER)
    assert asked.status_code == 409
    assert "underway=keep" in json.loads(asked.text)["message"]
    assert "underway=replace" in json.loads(asked.text)["message"]
    moved = json.loads(api("PUT", f"{WELCOME}?underway=replace", json=LATER).text)
    assert moved["data"]["nextSendAt"] == "2026-03-02T18:45:00Z"
    assert f"cancelled execution {lab.id}: its send was moved" in moved["message"]


STOPS = [
    {"status": "paused"},
    {"status": "archived"},
    {"isActive": False},
    {"status": "paused", **LATER},
]


@pytest.mark.slow
@pytest.mark.parametrize("stop", STOPS, ids=str)
def test_a_change_that_stops_a_send_under_way_names_it_and_cannot_keep_it(
    lab: Lab, api: ApiClient, stop: dict[str, Any]
) -> None:
    lab.run_to(START_AT + timedelta(minutes=2))
    kept = api("PUT", f"{WELCOME}?underway=keep", json=stop)
    assert (kept.status_code, lab.execution().state.value) == (409, "audience_ready")
    assert f"underway=keep cannot keep execution {lab.id}" in json.loads(kept.text)["message"]
    told = json.loads(api("PUT", WELCOME, json=stop).text)["message"]
    assert f"cancelled execution {lab.id}: its recipe is " in told
    assert lab.execution().state.value == "cancelled"


@pytest.mark.slow
def test_a_change_that_stops_a_recipe_says_that_its_live_send_goes_on(lab: Lab, api: ApiClient) -> None:
    lab.run_to(SEND_AT + timedelta(minutes=1))
    told = json.loads(api("PUT", WELCOME, json={"status": "paused"}).text)["message"]
    assert f"execution {lab.id} is live and goes on: stop it to end it" in told


def test_a_send_that_is_blocked_at_once_is_not_promised(api: ApiClient) -> None:
    api("POST", "/api/automation/control", json={"action": "execute_now", "recipeId": "welcome"})
    told = json.loads(api("PUT", WELCOME, json={"schedule": {**LATER["schedule"], "executionTime": SOON}}).text)
    assert "is blocked: execution welcome_" in told["message"]
    assert "starts now" not in told["message"]


@pytest.mark.parametrize("testers", [[], [""], [" "]])
def test_a_recipe_whose_test_reaches_no_user_is_not_activated(api: ApiClient, testers: list[str]) -> None:
    for status, expected in (("draft", 201), ("active", 422)):
        document = recipe(id=f"untested-{status}", status=status, settings__testUserIds=testers)
        answer = api("POST", RECIPES, json=document)
        assert answer.status_code == expected
    assert json.loads(answer.text)["errors"][0]["field"] == "settings.testUserIds"
    unrequired = recipe(settings__testUserIds=testers, settings__safeguards={"requireTestFirst": False}, id="free")
    assert api("POST", RECIPES, json=unrequired).status_code == 201


def test_several_recipes_are_moved_alike(lab: Lab, api: ApiClient) -> None:
    lab.run_to(START_AT + timedelta(minutes=2))
    bulk = {"recipeIds": ["welcome"], "updates": LATER}
    assert api.data("PUT", RECIPES, json=bulk)["failed"] == 1
    kept = api.data("PUT", f"{RECIPES}?underway=keep", json=bulk)
    assert kept["updated"] == 1
    assert "2026-03-02 18:45 UTC is not sent" in kept["results"][0]["message"]
    assert api("PUT", f"{RECIPES}?underway=both", json=bulk).status_code == 422
