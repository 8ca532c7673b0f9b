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

pytestmark = pytest.mark.slow

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
    """The API of the laboratory with the rights of its account; its tokens are another test's business."""
    lab.save(ID)
    ports = replace(lab.ports_of["api"], callers=LocalCallers())
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


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
def test_what_is_stored_changed_and_shown_elsewhere_is_so_on_googles_clients(lab: CloudLab, cloud: ApiClient) -> None:
    recipes, control, monitor = (f"/api/automation/{name}" for name in ("recipes", "control", "monitor"))
    copy = {**json.loads(cloud("GET", RECIPE).text)["data"], "id": "copy", "name": "Copy"}
    assert cloud("POST", recipes, json=copy).status_code == 201
    cloud.data("PUT", recipes, json={"recipes": [{"id": "copy", "description": "a copy"}]})
    assert cloud.data("GET", f"{recipes}/copy")["description"] == "a copy"
    for action, status in (("pause", "paused"), ("resume", "active")):
        cloud.data("POST", control, json={"action": action, "recipeId": "copy"})
        assert cloud.data("GET", f"{recipes}/copy")["status"] == status
    lab.ports.schedules.delete("tminus-copy")
    cloud.data("POST", "/api/automation/debug/reschedule", json={"recipeId": "copy"})
    assert "tminus-copy" in {job.name for job in lab.ports.schedules.all()}
    assert len(cloud.data("GET", "/api/automation/audit?recipeId=copy")["entries"]) == 4
    cloud.data("DELETE", f"{recipes}/copy")
    assert cloud("GET", f"{recipes}/copy").status_code == 404
    template = cloud.data("GET", "/api/automation/templates")[0]["id"]
    assert cloud("POST", "/api/automation/templates", json={"templateId": template}).status_code == 201
    cloud.data("GET", "/api/automation/migrate")
    for kind in ("overview", "violations", "executions", "health"):
        cloud.data("GET", f"{monitor}?type={kind}")
    assert cloud("POST", monitor, json={"violationId": "none"}).status_code == 404
    cloud.data("GET", f"{control}?recipeId={ID}")
    assert {job["id"] for job in cloud.data("GET", "/api/scripts")} >= {"generate_layer_3_push_csvs"}


def test_cadence_is_read_tracked_and_changed_on_googles_clients(cloud: ApiClient) -> None:
    somebody, other = "10000000-0000-4000-8000-000000000001", "10000000-0000-4000-8000-000000000002"
    asked = {"userIds": [somebody, other], "layerId": 3}
    assert cloud.data("POST", "/api/filter-audience", json=asked)["excludedCount"] == 0
    cloud.data("POST", "/api/track-notification", json={"userId": somebody, "layerId": 3})
    found = cloud.data("POST", "/api/filter-audience", json=asked)
    assert (found["eligibleUserIds"], found["exclusionBreakdown"]["layer_3_cooldown"]) == ([other], 1)
    assert len(cloud.data("POST", "/api/users/notifications", json={"userId": somebody})["notifications"]) == 1
    rules = {"rules": [{"name": "layer_3_cooldown", "active": False}, {"name": "combined_l2_l3_limit", "count": 5}]}
    cloud.data("PUT", "/api/cadence-rules", json=rules)
    assert cloud.data("POST", "/api/filter-audience", json=asked)["eligibleUserIds"] == [somebody, other]


@pytest.mark.long
def test_a_push_goes_to_a_file_in_the_bucket(lab: CloudLab, cloud: ApiClient, tmp_path: Path) -> None:
    somebody = "10000000-0000-4000-8000-000000000001"
    source = tmp_path / "users.csv"
    source.write_text(f"user_id\n{somebody}\n")
    lab.ports.files.write_once("uploads/users.csv", source)
    ports = replace(cloud._ports(), policy=replace(lab.ports.policy, bucket="kicks-audiences"))
    api, address = ApiClient(lambda: ports), "gs://kicks-audiences/uploads/users.csv"
    push = {"title": "a", "body": "b", "layerId": 1, "dryRun": True}
    assert api.data("POST", "/api/send-push", json={**push, "fileAddress": address})["totals"]["people"] == 1
    assert api("POST", "/api/send-push", json={**push, "fileAddress": f"{address}.gone"}).status_code == 422
