"""Schedules made to match recipes, drift, and who changed what, over HTTP."""

from functions.ports.queue import ScheduledJob
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import Lab

AUDIT = "/api/automation/audit"


def spoil(lab: Lab) -> None:
    lab.ports.schedules.delete("tminus-welcome")
    stray = ScheduledJob(
        name="tminus-gone", cron="0 1 * * *", zone="UTC", function="launch", body={"recipeId": "gone"}
    )
    lab.ports.schedules.put(stray)


def test_an_audit_reports_drift_and_fixes_nothing_until_it_is_restored(lab: Lab, api: ApiClient) -> None:
    assert api.data("GET", AUDIT)["inOrder"]
    spoil(lab)
    lab.ports.recipes.change("broken", lambda _: {"id": "broken"})
    for _ in range(2):
        drift = api.data("GET", AUDIT)["drift"]
        assert [" ".join(sentence.split()[:3]) for sentence in drift] == [
            "recipe 'broken' is",
            "the schedule tminus-gone",
            "the schedule tminus-welcome",
        ]
    assert len(api.data("POST", "/api/automation/restore")["drift"]) == 3
    assert len(api.data("GET", AUDIT)["drift"]) == 1  # a person has to fix a recipe that cannot be read


def test_a_recipes_scheduler_job_is_rebuilt(lab: Lab, api: ApiClient) -> None:
    spoil(lab)
    done = api.data("POST", "/api/automation/debug/reschedule", json={"recipeId": "welcome"})
    assert done["schedule"] == {"name": "tminus-welcome", "cron": "0 18 * * *", "timezone": "UTC"}
    assert "tminus-welcome" in {job.name for job in lab.ports.schedules.all()}
    assert api("POST", "/api/automation/debug/reschedule", json={"id": "unknown"}).status_code == 404
    api.data("PUT", "/api/automation/recipes/welcome", json={"status": "paused"})
    assert api.data("POST", "/api/automation/debug/reschedule", json={"id": "welcome"})["schedule"] is None


def test_who_changed_a_recipe_is_shown_page_by_page(api: ApiClient) -> None:
    for name in ("a", "b"):
        api.data("PUT", "/api/automation/recipes/welcome", json={"name": name})
    page = api.data("GET", f"{AUDIT}?recipeId=welcome&limit=2")
    assert [(entry["by"], entry["after"]["name"]) for entry in page["entries"]] == [("local", "b"), ("local", "a")]
    [first] = api.data("GET", f"{AUDIT}?recipeId=welcome&before={page['next']}")["entries"]
    assert (first["by"], first["before"]) == ("growth@example.com", None)
