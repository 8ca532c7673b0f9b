"""`tminus run`, `simulate` and `up` read the user data that the settings name, and make none of their own then."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.sample import generate
from tests.audience_jobs.postgres import fill
from tests.audience_jobs.worlds import NOW
from tests.functional.test_up import read, up

RunTminus = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "local" / "recipes"
AT = "2026-11-23T23:00:00Z"


@pytest.fixture
def variables(postgres: str, tmp_path: Path) -> Mapping[str, str]:
    """Fill a schema with users, and give the variables that name it."""
    generate(tmp_path / "exported", users=400, seed=1, at=NOW.replace(hour=0))
    fill(postgres, tmp_path / "exported", schema="shop")
    return {"USER_DATA": "postgres", "USER_DATABASE_URL": postgres, "USER_DATABASE_SCHEMA": "shop"}


def test_a_run_and_a_forecast_find_the_same_users_in_postgresql_as_in_files(
    variables: Mapping[str, str], run_tminus: RunTminus, tmp_path: Path
) -> None:
    files = ("--data", tmp_path / "exported")

    def sizes(*options: object) -> Any:
        recipe = RECIPES / "sneaker-reactivation.json"
        ran = run_tminus("run", recipe, "--at", AT, "--json", *options, environ=variables)
        assert ran.returncode == 0, ran.stderr
        return [push["audienceSize"] for push in json.loads(ran.stdout)["pushes"]]

    def forecast(*options: object) -> Any:
        asked = ("simulate", "--recipes", RECIPES, "--from", AT, "--days", "2", "--json")
        made = run_tminus(*asked, *options, environ=variables)
        assert made.returncode == 0, made.stderr
        return json.loads(made.stdout)["calendar"]

    assert sizes("--state", tmp_path / "a") == sizes("--state", tmp_path / "b", *files)
    assert sum(sizes("--state", tmp_path / "a")) > 0
    assert forecast() == forecast(*files)
    assert not (tmp_path / ".tminus").exists()


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
    run_tminus: RunTminus,
    variables: dict[str, str],
    command: tuple[object, ...],
    told: str,
) -> None:
    answer = run_tminus(*command, environ=variables)
    assert answer.returncode == 2
    [line] = answer.stderr.splitlines()
    assert told in line
    assert "GOOGLE_APPLICATION_CREDENTIALS" in line or "put it back" in line


@pytest.fixture
def run_tminus(tmp_path: Path) -> RunTminus:
    """Run a command on a machine without Google credentials, in an empty folder."""

    def call(*args: object, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from local.cli.start import main; main()", *map(str, args)]
        around = {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "STORAGE_"))}
        around |= {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "NO_GCE_CHECK": "true", **environ}
        return subprocess.run(
            command, cwd=tmp_path, env=around, capture_output=True, text=True, check=False, timeout=120
        )

    return call
