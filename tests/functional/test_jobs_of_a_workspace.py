"""The jobs of another team's workspace, as SQL files: checked, sent, forecast, and shown by API and console."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.registry import find
from audience_jobs.workspace import Workspace
from functions.ports import Ports
from tests.audience_jobs.fitness import SECRET, fitness
from tests.command import Tminus, calling
from tests.factories import TESTER, push, recipe
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import Lab
from tests.functional.console.visitor import Visitor

AT = "2026-11-23T18:00:00Z"
TRAINED = """/*
title = "Members who train"
[parameters.days]
type = "integer"
default = 30
minimum = 1
maximum = 365
meaning = "how many days count"
[columns]
workouts = "how many workouts there were"
*/
SELECT m.id AS user_id, m.first_name AS "firstName", count(*) AS workouts
FROM members m JOIN workouts w ON w.memberId = m.id
WHERE w.At >= CAST($now AS TIMESTAMP) - CAST($days AS INTEGER) * INTERVAL '1 day'
GROUP BY m.id, m.first_name
"""


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    shop = fitness(tmp_path / "fitness", devices=True)
    (shop.folder / "jobs").mkdir()
    (shop.folder / "jobs" / "trained.sql").write_text(TRAINED)
    return shop


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shop: Workspace) -> Tminus:
    """The command, in the folder of the workspace."""
    monkeypatch.chdir(shop.folder)
    monkeypatch.setenv("USER_ID_FORMAT", "any")
    return calling(monkeypatch, capsys)


def campaign(job: str = "trained", body: str = "[[var:workouts]] workouts!", **parameters: object) -> dict[str, Any]:
    script = {"scriptId": job, "parameters": parameters}
    pushes = [push(1, title="Hi [[var:firstName]]", body=body)]
    return recipe(audienceCriteria={"customScript": script}, pushSequence=pushes, settings={"testUserIds": ["1"]})


def save(shop: Workspace, document: dict[str, Any]) -> Path:
    (shop.folder / "recipes").mkdir(exist_ok=True)
    path = shop.folder / "recipes" / "hello.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.long
@pytest.mark.slow
def test_a_recipe_of_a_job_is_checked_sent_and_forecast(tminus: Tminus, shop: Workspace, tmp_path: Path) -> None:
    path = save(shop, campaign(days=5))
    assert tminus("recipes", "validate", path).status == 0
    data, state = ("--data", shop.folder / "data"), tmp_path / "state"
    ran = tminus("run", path, *data, "--state", state, "--at", AT, "--json")
    assert (ran.status, ran.report["totals"]["sent"]) == (0, 1), ran.err
    sent = [json.loads(line) for line in (state / "outbox.jsonl").read_text().splitlines()]
    assert [(message["title"], message["body"]) for message in sent] == [("Hi Ann", "2 workouts!")] * 2
    seen = tminus("simulate", "--recipes", path.parent, *data, "--from", AT, "--days", "1", "--json")
    assert (seen.status, seen.report["totals"]["sent"]) == (0, 1), seen.err


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (campaign("traned"), "unknown audience job 'traned'; did you mean 'trained'? known: trained"),
        (campaign("generate_layer_2_push_csv"), "unknown audience job 'generate_layer_2_push_csv'; known: trained"),
        (campaign(days=0), "trained: parameter 'days' is 0: give a whole number from 1 up to 365"),
        (campaign(weeks=1), "trained: parameter 'weeks' is unknown; known: days"),
        (campaign(body="[[var:wourkouts]]"), "wourkouts"),
    ],
)
def test_a_recipe_that_does_not_fit_its_job_is_refused(
    document: dict[str, Any], told: str, tminus: Tminus, shop: Workspace
) -> None:
    answer = tminus("recipes", "validate", save(shop, document))
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert told in answer.err


def test_a_broken_job_is_told_where_a_recipe_is_checked(tminus: Tminus, shop: Workspace) -> None:
    (shop.folder / "jobs" / "other.sql").write_text("SELECT id AS user_id,\n  phone FROM members")
    answer = tminus("recipes", "validate", save(shop, campaign()))
    assert answer.status == 2
    assert "jobs/other.sql:2: the SELECT names phone, and members.phone is private: leave it out" in answer.err


@pytest.fixture
def ports(lab: Lab, shop: Workspace) -> Ports:
    engine = DuckDBEngine(shop.folder / "data", shop)
    return replace(lab.ports, engine=engine, workspace=shop, find_job=partial(find, workspace=shop))


def test_the_api_lists_and_runs_the_jobs_of_the_workspace_alone(ports: Ports) -> None:
    api = ApiClient(lambda: ports)
    (job,) = api.data("GET", "/api/scripts")
    assert (job["id"], job["title"], job["layer"]) == ("trained", "Members who train", 3)
    assert job["parameters"][0]["meaning"] == "how many days count"
    assert [column["name"] for column in job["audiences"][0]["columns"]] == ["user_id", "firstName", "workouts"]
    found = api.data("POST", "/api/scripts", json={"scriptId": "trained", "parameters": {"days": 365}, "preview": 5})
    assert [audience["users"] for audience in found["audiences"]] == [2]
    refused = api("POST", "/api/scripts", json={"scriptId": "generate_new_user_waterfall"})
    assert (refused.status_code, "known: trained" in refused.text) == (404, True)
    document = {**campaign(), "id": "trained", "settings": {"testUserIds": [TESTER]}}
    saved = api("POST", "/api/automation/recipes", json=document)
    assert saved.status_code == 201, saved.text


def test_the_api_says_what_is_wrong_with_a_job_and_shows_nothing_private(ports: Ports, shop: Workspace) -> None:
    (shop.folder / "jobs" / "leak.sql").write_text("SELECT id AS user_id, phone FROM members")
    api = ApiClient(lambda: ports)
    for answer in (api("GET", "/api/scripts"), api("POST", "/api/scripts", json={"scriptId": "leak"})):
        assert answer.status_code == 409, answer.text
        assert "jobs/leak.sql:1: the SELECT names phone, and members.phone is private" in answer.text
        assert SECRET not in answer.text


def test_the_console_offers_the_jobs_of_the_workspace_alone(ports: Ports, shop: Workspace) -> None:
    page = Visitor(lambda: ports).get("/recipes/new")
    assert "Members who train (trained)" in page.text
    assert "generate_" not in page.text
    (shop.folder / "jobs" / "trained.sql").write_text("SELECT id AS user_id FROM members")
    assert "Trained (trained)" in Visitor(lambda: ports).get("/recipes/new").text
