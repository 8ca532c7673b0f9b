"""A recipe's history, one execution, its log and its export, over HTTP."""

import csv
import json
from datetime import timedelta

import pytest

from tests.factories import user
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import SEND_AT, START_AT, Lab

HISTORY = "/api/automation/welcome/history"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def one(lab: Lab) -> str:
    return f"/api/automation/welcome/executions/{lab.id}"


@pytest.mark.long
@pytest.mark.slow
def test_a_history_is_paged_filtered_and_sorted(lab: Lab, api: ApiClient) -> None:
    lab.run_to(SEND_AT + 3 * DAY - MINUTE)
    api.data("POST", "/api/automation/control", json={"action": "cancel", "recipeId": "welcome"})
    first = json.loads(api("GET", f"{HISTORY}?limit=3").text)
    assert first["pagination"]["total"] == 4
    rest = json.loads(api("GET", f"{HISTORY}?limit=3&cursor={first['pagination']['next']}").text)
    days = [each["sendAt"][8:10] for each in first["data"] + rest["data"]]
    assert (days, rest["pagination"]["next"]) == (["05", "04", "03", "02"], None)
    assert [each["totals"]["sent"] for each in rest["data"]] == [9]
    assert [each["sendAt"][8:10] for each in api.data("GET", f"{HISTORY}?order=asc&limit=2")] == ["02", "03"]
    assert [each["status"] for each in api.data("GET", f"{HISTORY}?status=cancelled")] == ["cancelled"]
    between = f"{HISTORY}?since=2026-03-03&until=2026-03-04T18:30:00Z"
    assert [each["sendAt"][8:10] for each in api.data("GET", between)] == ["03"]


@pytest.mark.parametrize("query", ["since=yesterday", "until=2026-03-03T10:00", "cursor=x", "status=gone", "limit=0"])
def test_a_filter_that_means_nothing_names_itself(query: str, api: ApiClient) -> None:
    response = api("GET", f"{HISTORY}?{query}")
    assert (response.status_code, json.loads(response.text)["errors"][0]["field"]) == (422, query.partition("=")[0])


@pytest.mark.long
def test_a_deleted_recipe_keeps_its_history_and_one_that_never_was_has_none(lab: Lab, api: ApiClient) -> None:
    lab.run_to_the_end()
    api.data("DELETE", "/api/automation/recipes/welcome")
    assert len(api.data("GET", HISTORY)) == 1
    assert api("GET", "/api/automation/unknown/history").status_code == 404


@pytest.mark.slow
def test_an_execution_says_phase_progress_and_countdown_while_it_runs(lab: Lab, api: ApiClient, one: str) -> None:
    seen = []
    for minutes in (-29, -10, 1, 15):
        lab.run_to(SEND_AT + minutes * MINUTE)
        now = api.data("GET", one)
        seen.append((now["status"], now["phase"], now["secondsToSend"], now["progress"]["percent"]))
    assert seen == [
        ("audience_ready", None, 29 * 60, 0.0),
        ("tested", "cancellation_window", 600, 0.0),
        ("live", "live_execution", None, 44.4),
        ("completed", None, None, 100.0),
    ]


def test_an_execution_is_cheap_to_ask_for_while_there_is_nothing_new(lab: Lab, api: ApiClient, one: str) -> None:
    lab.run_to(START_AT + MINUTE)
    etag = api("GET", one).headers["ETag"]
    lab.clock.advance_to(lab.clock.now() + MINUTE)
    assert api("GET", one, headers={"If-None-Match": etag}).status_code == 304
    for minutes in (-20, 0, 2, 4, 14):
        lab.run_to(SEND_AT + minutes * MINUTE)
        news = api("GET", one, headers={"If-None-Match": etag})
        assert news.status_code == 200
        etag = news.headers["ETag"]


def test_a_log_is_readable_while_the_execution_runs(lab: Lab, api: ApiClient, one: str) -> None:
    lab.run_to(START_AT)
    lines = api.data("GET", f"{one}/log")
    assert lines[0]["message"] == "launched for the send at 2026-03-02 18:30 UTC; pushes: 3"
    assert lines[1]["message"] == "push 1: 4 users in a, 4 devices to send to"


def test_an_export_tells_of_every_user_before_during_and_after_the_send(lab: Lab, api: ApiClient, one: str) -> None:
    lab.run_to(START_AT)
    outcomes = []
    for minutes in (-5, 1, 30):
        lab.run_to(SEND_AT + minutes * MINUTE)
        response = api("GET", f"{one}/export")
        rows = list(csv.DictReader(response.text.splitlines()))
        assert (response.mimetype, len(rows)) == ("text/csv", 9)
        outcomes.append({row["outcome"] for row in rows})
    assert outcomes == [{"not_reached"}, {"sent", "not_reached"}, {"sent"}]
    assert response.headers["Content-Disposition"] == f'attachment; filename="{lab.id}.csv"'


def test_an_export_holds_no_formula_that_a_spreadsheet_would_run(lab: Lab, api: ApiClient, one: str) -> None:
    lab.write_rows([("=cmd|' /C calc'!A0", "Shoe", "Ann", "a"), (user(1), "Shoe", "Bob", "a")])
    lab.run_to_the_end()
    cells = {row["user_id"] for row in csv.DictReader(api("GET", f"{one}/export").text.splitlines())}
    assert cells == {"'=cmd|' /C calc'!A0", user(1)}


@pytest.mark.long
def test_an_export_whose_audience_is_no_longer_kept_says_so(lab: Lab, api: ApiClient, one: str) -> None:
    lab.run_to_the_end()
    for path in (lab.state / "audiences").rglob("*.csv"):
        path.unlink()
    assert api("GET", f"{one}/export").status_code == 409


def test_an_execution_belongs_to_its_recipe(lab: Lab, api: ApiClient, one: str) -> None:
    lab.run_to(START_AT)
    for wrong in (one.replace("/welcome/", "/other/"), one + "x"):
        assert {api("GET", wrong + end).status_code for end in ("", "/log", "/export")} == {404}
