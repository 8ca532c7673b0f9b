"""Ctrl-C: every command ends within a second, with one line and the status of a shell, wherever it is."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from local.cli import interrupt
from local.sample import generate
from tests.audience_jobs.worlds import NOW

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BUSY_MACHINE_SECONDS = 15.0
"""More than a busy machine makes of a second, and far less than what is interrupted would take."""
PATIENCE_SECONDS = 60
SLOW = (
    "SELECT u.id AS user_id FROM users u JOIN users a ON a.deleted_at = u.deleted_at "
    "JOIN users b ON b.deleted_at = u.deleted_at JOIN users c ON c.deleted_at = u.deleted_at "
    "WHERE length(u.id || a.id || b.id || c.id) > 999"
)
TELLING = """
import sys
from local.cli import start{before}
sys.argv[0] = "tminus"
start.main()
"""
BEFORE_MODULES = """
class Loud:
    def find_spec(self, name, *_):
        if name == {name!r}:
            print("here", flush=True)

sys.meta_path.insert(0, Loud())
"""
BEFORE_QUERY = """
import duckdb
from audience_jobs.engines.user_database import UserDatabase
rows = UserDatabase.rows

def told(self, needs, sql, values):
    if "CREATE TABLE" in sql:
        print("here", flush=True)
    return rows(self, needs, sql, values)

UserDatabase.rows = told
"""
QUERIES_THAT_GO_ON = """
import threading, time
import duckdb

def ask():
    while True:
        duckdb.connect().execute("SELECT sum(i) FROM range(100000) t(i)").fetchall()

for _ in range(4):
    threading.Thread(target=ask, daemon=True).start()
time.sleep(0.3)
"""
Interrupted = Callable[..., tuple[int, str, float]]


@pytest.fixture
def interrupted() -> Interrupted:
    """Start a command, press Ctrl-C some seconds after it says `here`, and return its status, errors and seconds."""

    def call(before: str, *args: object, after: float) -> tuple[int, str, float]:
        command = [sys.executable, "-c", TELLING.format(before=before), *map(str, args)]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        assert process.stdout is not None
        while "here" not in (line := process.stdout.readline()):
            assert line, "it ended before"
        time.sleep(after)
        assert process.poll() is None, "it ended before"
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
        return process.returncode, errors, time.monotonic() - begun

    return call


def assert_ended(told: tuple[int, str, float]) -> None:
    status, errors, seconds = told
    assert (status, errors.strip()) == (130, "tminus: stopped by Ctrl-C; run the command again to finish it")
    assert seconds < BUSY_MACHINE_SECONDS


def test_a_command_has_less_than_a_second_to_clean_up() -> None:
    assert interrupt.GRACE_SECONDS < 1


@pytest.mark.long
@pytest.mark.parametrize(("arguments", "status"), [(["--version"], 0), (["recipes", "validate", "none.json"], 2)])
def test_a_command_ends_with_its_status_while_threads_are_in_a_query(arguments: list[str], status: int) -> None:
    code = TELLING.format(before=QUERIES_THAT_GO_ON)
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (ended.returncode, "terminate" in ended.stderr) == (status, False), ended.stderr


@pytest.mark.long
@pytest.mark.parametrize("module", ["local.cli.main", "local.cli.audience", "duckdb", "sqlglot", "pydantic"])
@pytest.mark.parametrize("after", [0, *(pytest.param(after, marks=pytest.mark.long) for after in (0.02, 0.1))])
def test_while_modules_load(interrupted: Interrupted, tmp_path: Path, module: str, after: float) -> None:
    write(tmp_path)
    before = BEFORE_MODULES.format(name=module)
    assert_ended(interrupted(before, "audience", "--query", tmp_path / "q", "--data", tmp_path / "data", after=after))


@pytest.mark.long
@pytest.mark.parametrize("after", [0.3, *(pytest.param(after, marks=pytest.mark.long) for after in (0, 1.5))])
def test_in_a_query(interrupted: Interrupted, tmp_path: Path, after: float) -> None:
    write(tmp_path)
    args = ("audience", "--query", tmp_path / "q", "--data", tmp_path / "data")
    assert_ended(interrupted(BEFORE_QUERY, *args, after=after))


@pytest.mark.long
def test_up_ends_in_order_in_a_query_and_builds_the_audience_the_next_time(
    interrupted: Interrupted, tmp_path: Path
) -> None:
    write(tmp_path)
    recipe = json.loads((ROOT / "local" / "recipes" / "sneaker-reactivation.json").read_text())
    recipe["audienceCriteria"] = {"customQuery": SLOW}
    recipe["pushSequence"] = [{"sequenceOrder": 1, "title": "Hi", "body": "there", "layerId": 3}]
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "slow.json").write_text(json.dumps(recipe))
    place = ("--data", tmp_path / "data", "--state", tmp_path / "state", "--recipes", tmp_path / "recipes")
    status, errors, seconds = interrupted(
        BEFORE_QUERY, "up", *place, "--port", "0", "--clock", "fast", "--speed", "100", after=0.5
    )
    assert status == 0, errors
    assert seconds < BUSY_MACHINE_SECONDS
    assert "tminus: stopping" in errors
    with closing(sqlite3.connect(tmp_path / "state" / "tminus.db")) as left:
        [[execution]] = left.execute("SELECT document FROM executions").fetchall()
    assert json.loads(execution)["state"] == "launched"


def write(folder: Path) -> None:
    """Write users, and a query over them that takes for ever."""
    generate(folder / "data", users=300, seed=1, at=NOW)
    (folder / "q").write_text(SLOW)
