"""The API on Google's real clients before emulators: what it stores, starts and finds there."""

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.embedded.callers import LocalCallers
from local.sample import generate
from tests.functional.api.documented import ApiClient
from tests.functional.cloud_lab import CloudLab, cloud_lab

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ID = "sneaker-reactivation"
RECIPE, TEST = f"/api/automation/recipes/{ID}", f"/api/automation/test/{ID}"
KEY = {"Idempotency-Key": "monday"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    generate(folder, users=1_000, seed=1, at=NOON)
    return folder


@pytest.fixture
def lab(emulators: Mapping[str, str], data: Path, tmp_path: Path) -> Iterator[CloudLab]:
    del emulators
    with ExitStack() as stack:
        yield stack.enter_context(cloud_lab(tmp_path, NOON, data))


@pytest.fixture
def cloud(lab: CloudLab) -> ApiClient:
    """The API of the laboratory, whose tokens are another test's business."""
    lab.save(ID)
    ports = replace(lab.ports, callers=LocalCallers())
    return ApiClient(lambda: ports)


def test_a_recipe_is_changed_by_version_and_found_page_by_page(lab: CloudLab, cloud: ApiClient) -> None:
    lab.save("new-user-welcome")
    etag = cloud("GET", RECIPE).headers["ETag"]
    assert cloud("PUT", RECIPE, json={"name": "Ann's"}, headers={"If-Match": etag}).status_code == 200
    assert cloud("PUT", RECIPE, json={"name": "Bob's"}, headers={"If-Match": etag}).status_code == 412
    first = json.loads(cloud("GET", "/api/automation/recipes?limit=1").text)
    second = json.loads(cloud("GET", f"/api/automation/recipes?limit=1&cursor={first['pagination']['next']}").text)
    assert [each["id"] for each in first["data"] + second["data"]] == ["new-user-welcome", ID]
    lab.ports.schedules.delete(f"tminus-{ID}")
    assert len(cloud.data("GET", "/api/automation/audit")["drift"]) == 1
    cloud.data("POST", "/api/automation/restore")
    assert cloud.data("GET", "/api/automation/audit")["inOrder"]
    assert set(cloud.data("GET", "/api/health")["dependencies"].values()) == {"ok"}


def test_a_live_send_is_tried_sent_once_followed_and_exported(lab: CloudLab, cloud: ApiClient) -> None:
    tried = cloud.data("GET", f"{TEST}?mode=real-dry-run")
    assert lab.sent() == {}
    places = {cloud("POST", f"{TEST}?mode=live-send", headers=KEY).headers["Location"] for _ in range(3)}
    [place] = places
    etag = cloud("GET", place).headers["ETag"]
    assert cloud("GET", place, headers={"If-None-Match": etag}).status_code == 304
    lab.cloud.run_until(NOON + timedelta(hours=1))
    found = cloud.data("GET", place)
    assert (found["status"], found["totals"]["sent"]) == ("completed", tried["totals"]["eligible"])
    assert found["totals"]["excluded"] == tried["totals"]["excluded"]
    lab.assert_contract(found["executionId"])
    rows = list(csv.DictReader(cloud("GET", f"{place}/export").text.splitlines()))
    assert sum(row["outcome"] == "sent" for row in rows) == found["totals"]["sent"]
    for query in ("", "?status=completed&order=asc", "?since=2026-05-04&until=2026-05-05"):
        history = json.loads(cloud("GET", f"/api/automation/{ID}/history{query}").text)
        assert [each["executionId"] for each in history["data"]] == [found["executionId"]]
        assert history["pagination"]["total"] == 1
    assert cloud.data("GET", "/api/automation/monitor")["byStatus"]["completed"] == 1
    assert [each["sent"] for each in cloud.data("GET", "/api/push-logs")] == [p["sent"] for p in found["pushes"]]


def test_a_live_test_and_a_stop_reach_the_executions_that_they_mean(lab: CloudLab, cloud: ApiClient) -> None:
    test = cloud("POST", f"{TEST}?mode=test-live-send").headers["Location"]
    live = cloud("POST", f"{TEST}?mode=live-send").headers["Location"]
    lab.cloud.run_until(NOON + timedelta(minutes=5))
    assert cloud.data("GET", test)["totals"]["testSent"] == 3
    stopped = cloud.data("POST", "/api/automation/control", json={"action": "emergency_stop", "recipeId": ID})
    assert [each["kind"] for each in stopped["executions"]] == ["manual"]
    before = lab.sent()
    lab.cloud.run_until(NOON + timedelta(hours=1))
    assert (lab.sent(), cloud.data("GET", live)["status"]) == (before, "stopped")
