"""A file that is too large for a request comes from the deployment's own bucket, and from nowhere else in it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from functions.usecases.by_hand import upload_in_bucket
from tests.factories import recipe, user
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import SEND_AT, Lab

SEND, HISTORY = "/api/send-push", "/api/cadence/history"
PUSH = {"title": "Hi [[var:name]]", "body": "Shoes", "layerId": 1}
AT = "gs://kicks-audiences/uploads/spring/users.csv"


@pytest.fixture
def in_bucket(make_lab: Callable[..., Lab]) -> Lab:
    lab = make_lab(bucket="kicks-audiences")
    lab.save(recipe())
    return lab


@pytest.fixture
def api(in_bucket: Lab) -> ApiClient:
    return ApiClient(lambda: in_bucket.ports)


def put(lab: Lab, folder: Path, content: str, name: str = "uploads/spring/users.csv") -> None:
    source = folder / "source.csv"
    source.write_text(content)
    lab.ports.files.write_once(name, source)


def errors(response: TestResponse) -> list[str]:
    return [error["field"] for error in json.loads(response.text)["errors"]]


@pytest.mark.slow
def test_a_push_goes_to_the_users_of_a_file_in_the_bucket(in_bucket: Lab, api: ApiClient, tmp_path: Path) -> None:
    put(in_bucket, tmp_path, f"user_id,name\n{user(1)},Ann\n{user(2)},Bob\n")
    tried = api.data("POST", SEND, json={**PUSH, "fileAddress": AT, "dryRun": True})
    assert tried["totals"]["eligible"] == 2
    assert api("POST", SEND, json={**PUSH, "fileAddress": AT}).status_code == 202
    form = {**PUSH, "layerId": "1", "fileAddress": AT}
    assert api("POST", SEND, data=form, content_type="multipart/form-data").status_code == 202
    in_bucket.run_to(SEND_AT)
    assert {m["title"] for m in in_bucket.outbox() if m["executionId"].startswith("one-off")} == {"Hi Ann", "Hi Bob"}


@pytest.mark.slow
def test_a_long_file_is_read_in_ranges(
    in_bucket: Lab, api: ApiClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_in_bucket, "_READ_AT_ONCE", 50)
    rows = "".join(f"{user(number)},Name {number}\n" for number in range(300))
    put(in_bucket, tmp_path, f"user_id,name\n{rows}")
    tried = api.data("POST", SEND, json={**PUSH, "fileAddress": AT, "dryRun": True})
    assert tried["totals"]["people"] == 300


def test_history_is_imported_from_the_bucket(in_bucket: Lab, api: ApiClient, tmp_path: Path) -> None:
    put(in_bucket, tmp_path, f"user_id,layer,sent_at\n{user(1)},3,2026-03-01T18:30:00Z\n")
    form: dict[str, Any] = {"fileAddress": AT}
    done = api.data("POST", HISTORY, data=form, content_type="multipart/form-data")
    assert (done["imported"], done["rows"]) == (1, 1)


@pytest.mark.parametrize(
    "address",
    [
        "gs://kicks-audiences/audiences/welcome_20260302T183000Z/a.csv",
        "gs://kicks-audiences/devices/a.csv",
        "gs://kicks-audiences/uploads/../devices/a.csv",
        "gs://kicks-audiences/uploads/./a.csv",
        "gs://kicks-audiences/uploads//a.csv",
        "gs://kicks-audiences/uploads/",
        "gs://kicks-audiences/uploads/.hidden",
        "gs://other/uploads/a.csv",
        "gs://kicks-audiences.evil/uploads/a.csv",
        "https://kicks.example/uploads/a.csv",
        "uploads/a.csv",
    ],
)
def test_no_other_address_is_read(address: str, in_bucket: Lab, api: ApiClient, tmp_path: Path) -> None:
    put(in_bucket, tmp_path, f"user_id,name\n{user(1)},Ann\n", "devices/a.csv")
    response = api("POST", SEND, json={**PUSH, "fileAddress": address})
    assert (response.status_code, errors(response)) == (422, ["fileAddress"])
    assert "must be gs://kicks-audiences/uploads/NAME" in response.text


def test_a_file_that_is_not_there_says_how_to_put_it_there(api: ApiClient) -> None:
    response = api("POST", SEND, json={**PUSH, "fileAddress": AT})
    assert (response.status_code, f"gcloud storage cp FILE {AT}" in response.text) == (422, True)


def test_a_file_that_is_too_large_is_not_read(
    in_bucket: Lab, api: ApiClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_in_bucket, "MOST_BYTES", 10)
    put(in_bucket, tmp_path, f"user_id,name\n{user(1)},Ann\n")
    response = api("POST", SEND, json={**PUSH, "fileAddress": AT})
    assert (response.status_code, "at most 10 are read" in response.text) == (422, True)


def test_one_source_of_users_is_given(api: ApiClient) -> None:
    assert errors(api("POST", SEND, json={**PUSH, "fileAddress": AT, "userIds": [user(1)]})) == ["userIds"]


def test_a_laptop_has_no_bucket(lab: Lab) -> None:
    response = ApiClient(lambda: lab.ports)("POST", SEND, json={**PUSH, "fileAddress": AT})
    assert (response.status_code, "send the file in the request" in response.text) == (422, True)
