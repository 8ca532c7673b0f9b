"""Recipes that ask for people by conditions: checked, shown, run and queried over another team's workspace."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audience_jobs.conditions.operators import OPERATORS
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.workspace import Workspace
from functions.handlers.api import criteria_schema
from tests.audience_jobs.fitness import MODELS, SECRET, fitness
from tests.command import Tminus, calling
from tests.factories import push, recipe
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import Lab

AT = "2026-11-23T18:00:00Z"
RAN = {"did": "trained", "times": {"at_least": 2}, "within_days": 30}
WORDS = "users who have at least 2 trained in the last 30 days"


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tminus:
    monkeypatch.setenv("USER_ID_FORMAT", "any")
    return calling(monkeypatch, capsys)


@pytest.fixture
def gym(tmp_path: Path) -> Workspace:
    return fitness(tmp_path / "fitness", devices=True, models=MODELS)


@pytest.fixture
def api(lab: Lab, gym: Workspace) -> ApiClient:
    ports = replace(lab.ports, engine=DuckDBEngine(gym.folder / "data", gym), workspace=gym)
    return ApiClient(lambda: ports)


def campaign(folder: Path, criteria: dict[str, Any], body: str = "[[var:minutes]] minutes!") -> Path:
    pushes = [push(1, title="Hi [[var:firstName]]", body=body)]
    document = recipe(audienceCriteria=criteria, pushSequence=pushes, settings={"testUserIds": ["1"]})
    (folder / "hello.json").write_text(json.dumps(document))
    return folder / "hello.json"


def test_a_recipe_is_checked_against_the_models_and_says_its_conditions(
    tminus: Tminus, gym: Workspace, tmp_path: Path
) -> None:
    path = campaign(tmp_path, {"where": RAN, "with": ["totals"]})
    checked = tminus("--workspace", gym.folder, "recipes", "validate", path)
    assert (checked.status, checked.err) == (0, "")
    assert f"for {WORDS}, with a row in totals" in checked.out
    shown = tminus("--workspace", gym.folder, "recipes", "validate", path, "--json")
    assert json.loads(shown.out)[0]["audience"] == f"{WORDS}, with a row in totals"


def test_everything_that_is_wrong_is_a_line_with_its_place(tminus: Tminus, gym: Workspace, tmp_path: Path) -> None:
    wrong = {"all": [{"column": "ag", "op": "is", "value": 1}, {"did": "runs"}, {"column": "weight", "op": "has"}]}
    path = campaign(tmp_path, {"where": wrong, "with": ["total"]})
    refused = tminus("--workspace", gym.folder, "recipes", "validate", path)
    assert refused.status == 2
    places = [line.removeprefix(f"{path}: ").partition(":")[0] for line in refused.err.splitlines()]
    assert places == [
        "audienceCriteria.where.all[0].column",
        "audienceCriteria.where.all[1].did",
        "audienceCriteria.where.all[2].op",
        "audienceCriteria.with[0]",
    ]


@pytest.mark.parametrize(
    ("criteria", "body", "told"),
    [
        ({"where": RAN}, "[[var:weight]] kg", "pushSequence[0].body: "),
        ({"where": RAN}, "[[var:call_me]]", "pushSequence[0].body: "),
        ({"where": RAN}, "[[var:minutes]]", "pushSequence[0].body: "),
        ({"with": [{"model": "totals", "optional": True}]}, "hi", 'if you mean that, write "where": {"all": []}'),
    ],
)
def test_templates_read_what_is_public_and_joined(
    criteria: dict[str, Any], body: str, told: str, tminus: Tminus, gym: Workspace, tmp_path: Path
) -> None:
    refused = tminus("--workspace", gym.folder, "recipes", "validate", campaign(tmp_path, criteria, body))
    assert refused.status == 2
    assert told in refused.err


@pytest.mark.slow
def test_a_recipe_with_conditions_is_sent(tminus: Tminus, gym: Workspace, tmp_path: Path) -> None:
    path, state = campaign(tmp_path, {"where": RAN, "with": ["totals"]}), tmp_path / "state"
    data = ("--data", gym.folder / "data", "--state", state)
    ran = tminus("--workspace", gym.folder, "run", path, *data, "--at", AT, "--json")
    assert (ran.status, ran.report["totals"]["sent"]) == (0, 1), ran.err
    sent = [json.loads(line) for line in (state / "outbox.jsonl").read_text().splitlines()]
    assert [(message["title"], message["body"]) for message in sent] == [("Hi Ann", "75 minutes!")] * 2


def test_the_command_line_asks_for_people(tminus: Tminus, gym: Workspace) -> None:
    data = ("--data", gym.folder / "data", "--at", AT)
    found = tminus(
        *("--workspace", gym.folder, "audience", "--where", json.dumps(RAN), "--with", "totals", "--json"), *data
    )
    assert (found.status, found.report["count"]) == (0, 1), found.err
    assert found.report["description"] == f"{WORDS}, with a row in totals"
    assert SECRET not in found.out
    refused = tminus("--workspace", gym.folder, "audience", "--where", "{", *data)
    assert (refused.status, "--where is not JSON" in refused.err) == (2, True)


def test_problems_of_models_come_with_those_of_the_other_files(tminus: Tminus, gym: Workspace) -> None:
    (gym.folder / "tminus.toml").write_text('title = "gym"')
    (gym.folder / "models" / "devices.sql").unlink()
    (gym.folder / "models" / "people.sql").write_text("SELECT id AS user_id,\n  nick FROM members")
    refused = tminus("--workspace", gym.folder, "audience", "--where", '{"all": []}')
    assert refused.status == 2
    lines = refused.err.splitlines()
    assert [line.partition(": ")[2].removeprefix(f"{gym.folder}/").partition(": ")[0] for line in lines] == [
        "tminus.toml:1",
        "tminus.toml:1",
        "models/devices.sql:1",
        "models/people.sql:2",
    ]


def test_the_api_asks_for_people(api: ApiClient) -> None:
    twice = {"did": "trained", "times": {"at_most": 1}}
    found = api.data("POST", "/api/query-audience", json={"where": {"not": twice}, "with": [{"model": "totals"}]})
    words = "users not (who have at most 1 trained), with a row in totals"
    assert (found["count"], found["audienceDescription"]) == (0, words)
    assert SECRET not in json.dumps(found)
    refused = api("POST", "/api/query-audience", json={"where": {"column": "call_me", "op": "not_empty"}})
    assert (refused.status_code, "where.column" in refused.text) == (422, True)


def test_the_api_describes_every_operator() -> None:
    assert sorted({operator for each in OPERATORS.values() for operator in each}) == sorted(criteria_schema.OPERATORS)
