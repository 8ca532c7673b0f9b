"""Cadence over HTTP: rules, filter, tracking, history in and out."""

import io
import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.factories import push, recipe, user
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import Lab

RULES, LOOK_UP = "/api/cadence-rules", "/api/users/notifications"
YESTERDAY = "2026-03-01T18:30:00Z"


def errors(response: TestResponse) -> list[str]:
    return [error["field"] for error in json.loads(response.text)["errors"]]


def rule(api: ApiClient, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in api.data("GET", RULES)["rules"] if each["name"] == name)
    return found


def test_rules_are_read_and_changed(lab: Lab, api: ApiClient) -> None:
    assert rule(api, "layer_3_cooldown") == {
        "name": "layer_3_cooldown",
        "layers": [3],
        "hours": 72,
        "count": 1,
        "active": True,
    }
    body = {"rules": [{"name": "layer_3_cooldown", "hours": 24}, {"name": "layer_5_cooldown", "active": False}]}
    assert api.data("PUT", RULES, json=body)["rules"][0]["hours"] == 24
    assert (rule(api, "layer_3_cooldown")["hours"], rule(api, "layer_5_cooldown")["active"]) == (24, False)
    [entry] = lab.ports.audit.of_recipe("cadence.rules", most=9)
    assert entry.deed.by == "local"


def test_two_editors_of_the_rules_never_overwrite_each_other_silently(api: ApiClient) -> None:
    etag = api("GET", RULES).headers["ETag"]
    body = {"rules": [{"name": "layer_3_cooldown", "hours": 24}]}
    changed = api("PUT", RULES, json=body, headers={"If-Match": etag})
    assert changed.headers["ETag"] == api("GET", RULES).headers["ETag"] != etag
    late = {"rules": [{"name": "layer_3_cooldown", "hours": 1}]}
    assert api("PUT", RULES, json=late, headers={"If-Match": etag}).status_code == 412
    assert rule(api, "layer_3_cooldown")["hours"] == 24
    assert api("GET", RULES, headers={"If-None-Match": changed.headers["ETag"]}).status_code == 304


def test_a_rule_that_cannot_be_names_its_fields(api: ApiClient) -> None:
    response = api("PUT", RULES, json={"rules": [{"name": "x"}, {"name": "layer_3_cooldown", "hours": 0, "cout": 1}]})
    assert (response.status_code, errors(response)) == (422, ["rules[0].name", "rules[1].cout", "rules[1].hours"])
    assert errors(api("PUT", RULES, json={})) == ["rules"]


def test_a_filter_answers_in_the_old_names(api: ApiClient) -> None:
    told = {"userId": user(1), "layerId": 3, "sentAt": YESTERDAY}
    assert api.data("POST", "/api/track-notification", json=told) == {"recorded": True, "reason": ""}
    asked = {"userIds": [user(0), user(1), "jo", 7, user(0)], "layerId": 3}
    assert api.data("POST", "/api/filter-audience", json=asked) == {
        "eligibleUserIds": [user(0)],
        "excludedCount": 4,
        "exclusionBreakdown": {"invalid_user_id": 2, "duplicate_user_id": 1, "layer_3_cooldown": 1},
        "warning": "",
    }


def test_what_a_filter_cannot_read_is_named(api: ApiClient) -> None:
    assert errors(api("POST", "/api/filter-audience", json={"userIds": "x", "layerId": 6})) == ["userIds", "layerId"]
    assert errors(api("POST", "/api/filter-audience", json={"layerId": 1})) == ["userIds"]


def test_a_tracked_push_that_comes_again_is_known(api: ApiClient) -> None:
    told = {"userId": user(1), "layerId": 3, "id": "m1"}
    assert api.data("POST", "/api/track-notification", json=told)["recorded"]
    again = api.data("POST", "/api/track-notification", json=told)
    assert again == {"recorded": False, "reason": "already_recorded"}
    response = api("POST", "/api/track-notification", json={"userId": "jo", "layerId": 3, "sentAt": "2027-01-01"})
    assert (response.status_code, errors(response)) == (422, ["userId", "sentAt"])


def upload(api: ApiClient, content: bytes, **fields: str) -> TestResponse:
    return api("POST", "/api/cadence/history", data={"file": (io.BytesIO(content), "history.csv"), **fields})


def history(*rows: str) -> bytes:
    return "\n".join(["user_id,layer,sent_at", *rows]).encode()


def test_history_is_imported_from_a_csv_and_shown(api: ApiClient) -> None:
    content = history(f"{user(1)},3,{YESTERDAY}", f"{user(1)},3,{YESTERDAY}", f"jo,3,{YESTERDAY}")
    dry = json.loads(upload(api, content, dryRun="true").text)
    assert (dry["message"], dry["data"]["dryRun"]) == ("1 of 3 rows would be imported", True)
    done = json.loads(upload(api, content).text)["data"]
    assert (done["imported"], done["duplicates"], done["refused"]) == (1, 1, 1)
    assert done["errors"][0]["line"] == 4
    assert json.loads(upload(api, content).text)["data"]["duplicates"] == 2
    [got] = api.data("POST", LOOK_UP, json={"userId": user(1)})["notifications"]
    assert (got["source"], got["layerId"], got["sentAt"]) == ("import", 3, YESTERDAY)


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n", b"PK\x03\x04", b"user_id,layer,sent_at\n\xff", b"x," * 140_000, b'user_id\n"']
)
def test_what_is_no_history_is_refused(api: ApiClient, content: bytes) -> None:
    response = upload(api, content)
    assert (response.status_code, errors(response)) == (422, ["file"])


def test_history_comes_as_a_file_of_a_form(api: ApiClient) -> None:
    assert errors(api("POST", "/api/cadence/history", data={"file": "x", "a": (io.BytesIO(b""), "a")})) == ["file"]
    assert errors(api("POST", "/api/cadence/history", data={"x": (io.BytesIO(b""), "a")})) == ["file"]
    assert api("POST", "/api/cadence/history", data=b"user_id", content_type="text/csv").status_code == 415
    assert api("POST", "/api/cadence/history", json={}).status_code == 415


def test_what_a_user_got_is_shown_newest_first(lab: Lab, api: ApiClient) -> None:
    lab.save(recipe(pushSequence=[push(1, layerId=3), push(2, layerId=2, audienceName="a")]))
    lab.run_to_the_end()
    found = api.data("POST", LOOK_UP, json={"userId": user(1), "days": 1})
    assert [(got["recipeId"], got["push"], got["title"]) for got in found["notifications"]] == [
        ("welcome", 2, "Push 2 for Name 1"),
        ("welcome", 1, "Push 1 for Name 1"),
    ]
    assert api("POST", LOOK_UP, json={"userId": "jo"}).status_code == 422
    assert errors(api("POST", LOOK_UP, json={"userId": user(1), "days": 91})) == ["days"]
