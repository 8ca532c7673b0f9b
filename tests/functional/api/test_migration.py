"""Migration over HTTP."""

import json

from tests.factories import old_push, recipe
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import Lab

MIGRATE = "/api/automation/migrate"
DOCUMENTS = {
    "scheduledPushes": [
        old_push(audienceCriteria={"filters": {"minLifetimeTrades": 0}}),
        old_push(id="p2", status="sent"),
        7,
    ],
    "recipes": [recipe(id="daily")],
}


def test_a_dry_run_comes_first_unless_it_is_meant(lab: Lab, api: ApiClient) -> None:
    found = api.data("POST", MIGRATE, json=DOCUMENTS)
    assert (found["dryRun"], found["created"], found["unchanged"], found["refused"]) == (True, 3, 0, 1)
    assert lab.ports.recipes.get("daily") is None


def test_documents_are_taken_over_once_and_counted(api: ApiClient) -> None:
    found = api.data("POST", MIGRATE, json={**DOCUMENTS, "dryRun": False})
    assert [(each["document"], each["outcome"], each["status"]) for each in found["documents"]] == [
        ("scheduledPushes[0]", "created", "active"),
        ("scheduledPushes[1]", "created", "completed"),
        ("scheduledPushes[2]", "refused", ""),
        ("recipes[0]", "created", "active"),
    ]
    again = api.data("POST", MIGRATE, json={**DOCUMENTS, "dryRun": False})
    assert (again["created"], again["unchanged"]) == (0, 3)
    assert api.data("GET", MIGRATE) == {"migrated": 2, "byStatus": {"active": 1, "completed": 1}}


def test_a_request_without_documents_is_refused(api: ApiClient) -> None:
    response = api("POST", MIGRATE, json={})
    assert response.status_code == 422
    assert json.loads(response.text)["errors"][0]["field"] == "scheduledPushes"
