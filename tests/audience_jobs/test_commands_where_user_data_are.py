"""`tminus run`, `simulate` and `up` read the user data that the settings name, and make none of their own then."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local.sample import generate
from tests.audience_jobs.postgres import fill
from tests.audience_jobs.worlds import NOW
from tests.command import Tminus, calling
from tests.functional.test_up import read, up

RECIPES = Path(__file__).parents[2] / "local" / "recipes"
AT = "2026-11-23T23:00:00Z"


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Tminus:
    """Run a command on a machine without Google credentials, in an empty folder."""
    for name in [name for name in os.environ if name.startswith(("GOOGLE_", "STORAGE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.chdir(tmp_path)
    return calling(monkeypatch, capsys)


@pytest.fixture
def variables(postgres: str, tmp_path: Path) -> Mapping[str, str]:
    """Fill a schema with users, and give the variables that name it."""
    generate(tmp_path / "exported", users=400, seed=1, at=NOW.replace(hour=0))
    fill(postgres, tmp_path / "exported", schema="shop")
    return {"USER_DATA": "postgres", "USER_DATABASE_URL": postgres, "USER_DATABASE_SCHEMA": "shop"}


def set_all(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.long
def test_a_run_and_a_forecast_find_the_same_users_in_postgresql_as_in_files(
    variables: Mapping[str, str], tminus: Tminus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_all(monkeypatch, variables)
    files = ("--data", tmp_path / "exported")

    def sizes(*options: object) -> Any:
        recipe = RECIPES / "sneaker-reactivation.json"
        ran = tminus("run", recipe, "--at", AT, "--json", *options)
        assert ran.status == 0, ran.err
        return [push["audienceSize"] for push in ran.report["pushes"]]

    def forecast(*options: object) -> Any:
        asked = ("simulate", "--recipes", RECIPES, "--from", AT, "--days", "2", "--json")
        made = tminus(*asked, *options)
        assert made.status == 0, made.err
        return made.report["calendar"]

    assert sizes("--state", tmp_path / "a") == sizes("--state", tmp_path / "b", *files)
    assert sum(sizes("--state", tmp_path / "a")) > 0
    assert forecast() == forecast(*files)
    assert not (tmp_path / ".tminus").exists()


@pytest.mark.long
def test_up_makes_no_sample_users_beside_a_database(variables: Mapping[str, str], tmp_path: Path) -> None:
    with up(tmp_path, data=False, named=False, environ=variables) as console:
        health = json.loads(read(f"{console.removesuffix('console')}api/health"))["data"]
        assert health["dependencies"]["userData"] == "ok"
    assert not (tmp_path / ".tminus" / "data").exists()
    assert "sample data" not in (tmp_path / "log").read_text()
    assert "does not exist" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"USER_DATA_DIR": "gs://kicks/exports"}, "no Google credentials work here"),
        ({"USER_DATA_DIR": "elsewhere"}, "user data folder elsewhere does not exist"),
        (
            {
                "USER_DATA": "bigquery",
                "USER_DATASET": "kicks-data.shop",
                "GOOGLE_CLOUD_PROJECT": "kicks-push",
                "AUDIENCE_BUCKET": "kicks-audiences",
            },
            "no Google credentials work here",
        ),
    ],
    ids=["a bucket", "a folder", "BigQuery"],
)
@pytest.mark.parametrize(
    "command",
    [
        ("run", RECIPES / "sneaker-reactivation.json"),
        ("simulate", "--recipes", RECIPES),
        ("audience", "--filters", '{"lastActiveDays": 3}'),
        ("jobs", "run", "generate_new_user_waterfall"),
    ],
    ids=lambda command: command[0],
)
def test_user_data_that_cannot_be_reached_are_named_with_the_way_out_in_one_line(
    tminus: Tminus,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    command: tuple[object, ...],
    told: str,
) -> None:
    set_all(monkeypatch, variables)
    answer = tminus(*command)
    assert answer.status == 2
    [line] = answer.err.splitlines()
    assert told in line
    assert "GOOGLE_APPLICATION_CREDENTIALS" in line or "put it back" in line
