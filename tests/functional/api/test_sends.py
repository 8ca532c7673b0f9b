"""One-off sends over HTTP."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.factories import user
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import EARLIER, Lab

SEND = "/api/send-push"
PUSH = {"title": "Hi", "body": "There", "deepLink": "https://kicks.example/x", "layerId": 1}
KEY = {"Idempotency-Key": "k"}


def errors(response: TestResponse) -> list[str]:
    return [error["field"] for error in json.loads(response.text)["errors"]]


def form(content: bytes, **fields: Any) -> dict[str, Any]:
    return {**PUSH, "layerId": "1", **fields, "file": (io.BytesIO(content), "users.csv")}


def run_out(lab: Lab) -> None:
    lab.run_to(EARLIER + timedelta(hours=1))


def test_a_push_goes_to_the_users_that_are_named_and_can_be_followed(lab: Lab, api: ApiClient) -> None:
    response = api("POST", SEND, json={**PUSH, "userIds": [user(1), user(2)]})
    assert response.status_code == 202
    assert json.loads(response.text)["data"]["kind"] == "one_off"
    run_out(lab)
    followed = api.data("GET", response.headers["Location"])
    assert (followed["status"], followed["totals"]["sent"]) == ("completed", 2)
    assert {message["userId"] for message in lab.outbox()} == {user(1), user(2)}
    assert len(api.data("GET", "/api/automation/one-off/history")) == 1


def test_a_push_goes_to_the_users_of_a_file(lab: Lab, api: ApiClient) -> None:
    content = f"\ufeffuser_id,name\r\n{user(1)},Zoë\r\n".encode()
    assert api("POST", SEND, data=form(content, title="Hi [[var:name]]")).status_code == 202
    run_out(lab)
    assert [message["title"] for message in lab.outbox()] == ["Hi Zoë"]


def test_a_misspelled_key_of_its_content_is_named(lab: Lab, api: ApiClient) -> None:
    content = {"ios": {"subtitel": "x"}, "image": None}
    response = api("POST", SEND, json={**PUSH, "userIds": [user(1)], "content": content})
    assert (response.status_code, errors(response)) == (422, ["content.ios.subtitel"])
    [error] = json.loads(response.text)["errors"]
    assert "did you mean 'subtitle'" in error["reason"]
    file = f"user_id\n{user(1)}\n".encode()
    assert errors(api("POST", SEND, data={**form(file), "content": json.dumps(content)})) == ["content.ios.subtitel"]
    assert lab.ports.executions.unfinished() == []


def test_a_key_that_is_there_twice_is_named(lab: Lab, api: ApiClient) -> None:
    body = f'{{"title": "A", "title": "B", "body": "x", "layerId": 3, "userIds": ["{user(1)}"]}}'
    response = api("POST", SEND, data=body.encode(), content_type="application/json")
    assert (response.status_code, r"the key \"title\" is there twice" in response.text) == (400, True)
    content = '{"image": "https://img.example/a.png", "image": "https://img.example/b.png"}'
    response = api("POST", SEND, data={**form(f"user_id\n{user(1)}\n".encode()), "content": content})
    [error] = json.loads(response.text)["errors"]
    assert (error["field"], 'the key "image" is there twice' in error["reason"]) == ("content", True)
    assert lab.ports.executions.unfinished() == []


@pytest.mark.parametrize("layer", ["3.0", "3e0", "3"])
def test_a_whole_number_of_json_may_have_a_point(layer: str, api: ApiClient) -> None:
    body = json.dumps({**PUSH, "layerId": 0, "userIds": [user(1)]}).replace('"layerId": 0', f'"layerId": {layer}')
    assert api("POST", SEND, data=body, content_type="application/json").status_code == 202
    refused = api("POST", SEND, data=body.replace(f": {layer}", ": 3.5"), content_type="application/json")
    assert errors(refused) == ["layerId"]


@pytest.mark.long
def test_text_that_looks_like_a_variable_of_another_product_is_refused_unless_it_is_meant(
    lab: Lab, api: ApiClient
) -> None:
    foreign = {**PUSH, "title": "Hi {{name}}"}
    response = api("POST", SEND, json={**foreign, "userIds": [user(1)]})
    assert (response.status_code, errors(response)) == (422, ["title"])
    content = f"user_id\n{user(2)}\n".encode()
    assert api("POST", SEND, data=form(content, title="Hi {{name}}", literalText="true")).status_code == 202
    assert api("POST", SEND, json={**foreign, "userIds": [user(1)], "literalText": True}).status_code == 202
    run_out(lab)
    assert [message["title"] for message in lab.outbox()] == ["Hi {{name}}"] * 2


def test_a_dry_run_that_reaches_no_user_is_not_valid_and_says_why(api: ApiClient) -> None:
    response = api("POST", SEND, json={**PUSH, "userIds": [user(99)], "dryRun": True})
    answer = json.loads(response.text)
    assert answer["data"]["valid"] is False
    why = "not ready to send: no user would get anything: the only user is excluded (1 no_token); nothing was sent"
    assert answer["message"] == why


@pytest.mark.parametrize("user_ids", [[user(1), user(2)], json.dumps([user(1), user(2)])])
def test_a_form_may_name_users_instead_of_a_file(lab: Lab, api: ApiClient, user_ids: Any) -> None:
    fields = {**PUSH, "layerId": "1", "userIds": user_ids, "deepLink": ""}
    response = api("POST", SEND, data=fields, content_type="multipart/form-data")
    assert response.status_code == 202
    run_out(lab)
    assert len(lab.outbox()) == 2


@pytest.mark.slow
def test_under_one_key_it_is_sent_once(lab: Lab, api: ApiClient) -> None:
    asked = {**PUSH, "userIds": [user(1)]}
    places = {api("POST", SEND, json=asked, headers=KEY).headers["Location"] for _ in range(3)}
    assert len(places) == 1
    assert api("POST", SEND, json={**asked, "title": "Other"}, headers=KEY).status_code in (409, 422)
    run_out(lab)
    assert len(lab.outbox()) == 1


@pytest.mark.parametrize("as_form", [False, True])
def test_a_dry_run_answers_what_would_happen(lab: Lab, api: ApiClient, as_form: bool) -> None:
    if as_form:
        request: dict[str, Any] = {"data": form(f"user_id\n{user(1)}\n".encode(), dryRun="true")}
    else:
        request = {"json": {**PUSH, "userIds": [user(1)], "dryRun": True}}
    response = api("POST", SEND, **request)
    found = json.loads(response.text)["data"]
    assert (response.status_code, found["valid"], found["totals"]["messages"]) == (200, True, 1)
    assert found["pushes"][0]["samples"][0]["title"] == "Hi"
    run_out(lab)
    assert lab.outbox() == []


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"userIds": []}, ["userIds"]),
        ({"userIds": [user(n) for n in range(6)]}, ["userIds"]),
        ({"userIds": ["jo"]}, ["userIds[0]"]),
        ({"title": None}, ["title"]),
        ({"layerId": 6}, ["layerId"]),
        ({"layerId": "1"}, ["layerId"]),
        ({"deepLink": "javascript:alert(1)"}, ["deepLink"]),
        ({"title": "[[var:name]]"}, ["title"]),
        ({"title": "[[var:name"}, ["title"]),
        ({"maxAudienceSize": 10**9}, ["maxAudienceSize"]),
    ],
)
def test_what_cannot_be_sent_names_its_fields(api: ApiClient, changes: dict[str, Any], fields: list[str]) -> None:
    response = api("POST", SEND, json={**PUSH, "userIds": [user(1)], **changes})
    assert (response.status_code, errors(response)) == (422, fields)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"id\nx", "user_id is missing"),
        (b"user_id\n\xff", "not UTF-8"),
        (b"PK\x03\x04", "ZIP"),
        (b"user_id," + b"c," * 140_000, "longer than"),
        (b"user_id\n" + b"\n".join(b"u%d" % n for n in range(10_001)), "more than 10,000 users"),
    ],
)
def test_a_file_that_is_no_audience_is_refused(lab: Lab, api: ApiClient, content: bytes, reason: str) -> None:
    response = api("POST", SEND, data=form(content))
    assert (response.status_code, errors(response)) == (422, ["file"])
    assert reason in response.text
    assert lab.ports.executions.unfinished() == []


def test_either_a_file_or_users_are_given(api: ApiClient) -> None:
    assert errors(api("POST", SEND, data=form(b"user_id\nx", userIds=user(1)))) == ["userIds"]
    neither = api("POST", SEND, data={**PUSH, "layerId": "1"}, content_type="multipart/form-data")
    assert errors(neither) == ["file"]
    text = api("POST", SEND, data={**PUSH, "layerId": "1", "file": "x"}, content_type="multipart/form-data")
    assert errors(text) == ["file"]


def as_bytes(content: bytes) -> dict[str, Any]:
    """Write a form as it travels: werkzeug's client leaves the files of large ones open."""
    fields = {**PUSH, "layerId": "1"}
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    head = '--b\r\nContent-Disposition: form-data; name="file"; filename="users.csv"\r\n\r\n'
    body = "".join(parts).encode() + head.encode() + content + b"\r\n--b--\r\n"
    return {"data": body, "content_type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"user_id," + b",".join(b"c%d" % n for n in range(1_000_000)), "longer than"),
        (b"user_id\n" + b"\n".join(b"%032d" % n for n in range(100_000)), "more than 10,000 users"),
    ],
    ids=["a million columns", "too many users"],
)
def test_a_large_file_waits_on_disk_and_is_refused_like_a_small_one(
    api: ApiClient, content: bytes, reason: str
) -> None:
    response = api("POST", SEND, **as_bytes(content))
    assert (response.status_code, errors(response)) == (422, ["file"])
    assert reason in response.text
