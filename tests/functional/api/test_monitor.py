"""The monitor, delivery logs, and what a user got, over HTTP."""

import json
from datetime import timedelta

import pytest

from tests.factories import push, recipe, user
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import SEND_AT, Lab

MONITOR, LOOK_UP = "/api/automation/monitor", "/api/users/notifications"
MINUTE = timedelta(minutes=1)


@pytest.mark.slow
def test_the_overview_counts_executions_and_shows_what_is_under_way(lab: Lab, api: ApiClient) -> None:
    lab.store(recipe(id="other", safeguards={}, settings={"safeguards": {"requireTestFirst": True}}))
    lab.run_to(SEND_AT + MINUTE)
    seen = api.data("GET", MONITOR)
    assert (seen["executions"], seen["byStatus"]["live"], seen["byStatus"]["blocked"]) == (2, 1, 1)
    assert [each["recipeId"] for each in seen["underWay"]] == ["welcome"]
    mine = api.data("GET", f"{MONITOR}?type=overview&recipeId=other")
    assert (mine["executions"], mine["underWay"]) == (1, [])


@pytest.mark.slow
def test_violations_are_shown_with_what_was_done(lab: Lab, api: ApiClient) -> None:
    lab.store(recipe(settings={"testUserIds": []}))
    lab.run_to_the_end()
    [violation] = api.data("GET", f"{MONITOR}?type=violations")
    assert (violation["type"], violation["executionId"], violation["actionTaken"]) == (
        "test_failed",
        lab.id,
        "blocked",
    )
    assert api.data("GET", f"{MONITOR}?type=violations&recipeId=other") == []


@pytest.mark.long
@pytest.mark.slow
def test_executions_of_all_recipes_are_paged_and_filtered(lab: Lab, api: ApiClient) -> None:
    lab.save(recipe(id="other"))
    lab.run_to(SEND_AT + timedelta(days=1, minutes=-1))
    first = json.loads(api("GET", f"{MONITOR}?type=executions&limit=3").text)
    rest = json.loads(api("GET", f"{MONITOR}?type=executions&limit=3&cursor={first['pagination']['next']}").text)
    assert (len(first["data"]), len(rest["data"]), first["pagination"]["total"]) == (3, 1, 4)
    assert len(api.data("GET", f"{MONITOR}?type=executions&status=completed")) == 2


@pytest.mark.parametrize("path", ["/api/health", f"{MONITOR}?type=health"])
def test_health_names_what_is_ill_and_nothing_of_what_it_holds(path: str, lab: Lab, api: ApiClient) -> None:
    assert set(api.data("GET", path)["dependencies"].values()) == {"ok"}
    (lab.data / "devices.csv").unlink()
    response = api("GET", path)
    assert (response.status_code, json.loads(response.text)["errors"][0]["field"]) == (503, "userData")
    assert str(lab.data) not in response.text


@pytest.mark.slow
def test_delivery_logs_tell_what_became_of_each_push_and_what_it_said(lab: Lab, api: ApiClient) -> None:
    lab.run_to_the_end()
    logs = api.data("GET", "/api/push-logs")
    assert [(each["order"], each["sent"], each["title"]) for each in logs] == [
        (1, 4, "Push 1 for [[var:name]]"),
        (2, 3, "Push 2 for [[var:name]]"),
        (3, 2, "Push 3 for [[var:name]]"),
    ]
    assert api.data("GET", "/api/push-logs?recipeId=welcome&since=2026-03-03") == []


def test_a_user_sees_what_they_got(lab: Lab, api: ApiClient) -> None:
    lab.save(recipe(pushSequence=[push(1, layerId=3)]))
    lab.run_to_the_end()
    got = api.data("POST", LOOK_UP, json={"userId": user(1)})["notifications"]
    assert [(each["layerId"], each["executionId"], each["push"]) for each in got] == [(3, lab.id, 1)]
    assert api.data("POST", LOOK_UP, json={"userId": user(50), "days": 1})["notifications"] == []
    assert api("POST", LOOK_UP, json={"userId": "unknown"}).status_code == 422
    assert api("POST", LOOK_UP, json={"userId": user(1), "days": 91}).status_code == 422


@pytest.mark.long
@pytest.mark.slow
def test_violations_of_a_recipe_are_paged_with_a_cursor(lab: Lab, api: ApiClient) -> None:
    for name in ("other", "third"):
        lab.store(recipe(id=name, settings={"testUserIds": []}))
    lab.store(recipe(settings={"testUserIds": []}))
    lab.run_to(SEND_AT + timedelta(days=2))
    cursor: str | None
    address, cursor, found = f"{MONITOR}?type=violations&recipeId=other&limit=1", "", list[dict[str, str]]()
    while cursor is not None:
        page = json.loads(api("GET", f"{address}&cursor={cursor}").text)
        found += page["data"]
        cursor = page["pagination"]["next"]
    assert [each["recipeId"] for each in found] == ["other", "other", "other"]
    assert len({each["id"] for each in found}) == 3
    assert api("GET", f"{MONITOR}?type=violations&cursor=broken").status_code == 422
