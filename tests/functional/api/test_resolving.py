"""Resolving violations over HTTP."""

from functions.usecases.reports.violations import open_violations
from tests.factories import recipe
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import Lab

MONITOR = "/api/automation/monitor"


def test_a_violation_is_resolved_by_the_caller(lab: Lab, api: ApiClient) -> None:
    lab.save(recipe(settings__safeguards={"maxAudienceSize": 3}))
    lab.run_to_the_end()
    [waiting] = api.data("GET", f"{MONITOR}?type=violations")
    resolved = api.data("POST", MONITOR, json={"violationId": waiting["id"], "note": "Checked"})
    assert (resolved["resolved"], resolved["resolvedBy"], resolved["resolvedNote"]) == (True, "local", "Checked")
    assert api.data("GET", f"{MONITOR}?type=violations") == []
    assert list(open_violations(lab.ports).violations) == []
    again = {"violationId": waiting["id"], "executionId": waiting["executionId"]}
    assert api.data("POST", MONITOR, json=again) == resolved
    assert api("POST", MONITOR, json={"violationId": waiting["id"]}).status_code == 404
    assert api("POST", MONITOR, json={}).status_code == 422
