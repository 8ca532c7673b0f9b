"""Jobs of another team's workspace find the same users in files and in PostgreSQL, and nothing that is private."""

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest

from audience_jobs.contract import Engine
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.engines.postgres import PostgresEngine
from audience_jobs.errors import AudienceJobError, BadParameter, BadWorkspace, CheckFailed, StaleData
from audience_jobs.registry import all_jobs, find
from audience_jobs.workspace import Workspace
from tests.audience_jobs import postgres as databases
from tests.audience_jobs import test_private_data as private
from tests.audience_jobs.declared import rows_as_declared
from tests.audience_jobs.fitness import SECRET, fitness
from tests.audience_jobs.test_foreign_tables import of_members
from tests.audience_jobs.test_sql_files import FULL
from tests.audience_jobs.worlds import NOW
from tests.audience_jobs.written import written
from tests.command import Tminus, calling

AT = "2026-11-23T18:00:00Z"
JOBS = {
    "bare": "SELECT id AS user_id, upper(username) AS shouted, created_at AS joined FROM members",
    "capitals": 'SELECT ID AS User_Id, First_Name AS "firstName", Username AS Nick FROM Members',
    "numbers": 'SELECT CAST(w."order" AS BIGINT) AS user_id, w.minutes / 2 AS half, w.done FROM workouts w',
    "some_have_no_id": "SELECT CASE WHEN bio IS NULL THEN NULL ELSE id END AS user_id FROM members",
    "sorted": "WITH m AS (SELECT id FROM members ORDER BY username DESC LIMIT 2) SELECT id AS user_id FROM m",
    "split": "/*\n[audiences.0]\n[audiences.1]\n*/ SELECT id AS user_id, length(id) - 1 AS audience FROM members",
    "trained": FULL.replace("hours = 48", "hours = 480"),
    "_notes": "not a job",
}
IN_PYTHON = """
from audience_jobs.contract import Audience, Column, Job
from audience_jobs.sql import is_blank

JOB = Job(
    id="in_python", title="In Python", layer=1, parameters=(),
    audiences=(Audience(name="a", columns=(Column(name="user_id", type="text", meaning=""),), meaning=""),),
    sql=f"SELECT 'a' AS audience, m.id AS user_id FROM members m"
        f" WHERE NOT {is_blank('m.phone')}",
)
"""
FOUND = {
    "bare": {"bare": [["1", "ANN"], ["2", "BOB"], ["30", "ZOË"]]},
    "capitals": {"capitals": [["1", "Ann", "ann"], ["2", "Bob", "bob"], ["30", "Zoë", "Zoë"]]},
    "in_python": {"a": [["1"], ["2"], ["30"]]},
    "numbers": {"numbers": [["1", "15", "true"], ["1", "7", "true"], ["2", "22", "false"]]},
    "some_have_no_id": {"some_have_no_id": [["1"], ["30"]]},
    "sorted": {"sorted": [["2"], ["1"]]},
    "split": {"0": [["1"], ["2"]], "1": [["30"]]},
    "trained": {"often": [], "at-times": [["1", "1"]]},
}
ARGUMENTS: Mapping[str, Mapping[str, object]] = {"trained": {"kind": "run"}}


def put(workspace: Workspace, **jobs: str) -> Workspace:
    (workspace.folder / "jobs").mkdir(exist_ok=True)
    for name, text in jobs.items():
        (workspace.folder / "jobs" / f"{name}.sql").write_text(text, encoding="utf-8")
    return workspace


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    shop = put(fitness(tmp_path / "fitness", devices=True), **JOBS)
    (shop.folder / "jobs" / "in_python.py").write_text(IN_PYTHON)
    return shop


@pytest.fixture
def leaky(tmp_path: Path) -> Workspace:
    """The same tables, without jobs."""
    return fitness(tmp_path / "leaky", devices=True)


@pytest.fixture
def engines(shop: Workspace, postgres: str) -> list[Engine]:
    databases.fill(postgres, shop.folder / "data", shop.tables, schema="trained")
    return [DuckDBEngine(shop.folder / "data", shop), PostgresEngine(postgres, shop, schema="trained")]


@pytest.mark.long
def test_every_job_finds_the_same_users_as_it_declares_them(
    shop: Workspace, engines: list[Engine], tmp_path: Path
) -> None:
    assert [job.id for job in all_jobs(shop)] == sorted(FOUND)
    for job in all_jobs(shop):
        arguments = ARGUMENTS.get(job.id, {})
        in_files, in_postgres = (written(engine, job, tmp_path, **arguments) for engine in engines)
        assert in_files == in_postgres
        assert rows_as_declared(engines[0], job, arguments, now=NOW).keys() == FOUND[job.id].keys()
        for audience, rows in FOUND[job.id].items():
            lines = list(csv.reader(in_files[audience].decode().splitlines()))[1:]
            assert sorted(line[: len(rows[0]) if rows else None] for line in lines) == sorted(rows), job.id


def test_checks_freshness_and_parameters_hold_on_every_engine(shop: Workspace, engines: list[Engine]) -> None:
    job = find("trained", shop)
    stale = find("stale", put(shop, stale=FULL))
    for engine in engines:
        with pytest.raises(CheckFailed, match=r"trained: nobody trained: .*check 'some': 1"):
            engine.run(job, {"kind": "swum"}, now=NOW).__enter__()
        with pytest.raises(BadParameter, match="'days' is 0: give a whole number from 1 up to 365"):
            engine.run(job, {"kind": "run", "days": 0}, now=NOW).__enter__()
        with pytest.raises(BadParameter, match="'kind' is missing: give a text"):
            engine.run(job, {}, now=NOW).__enter__()
        with pytest.raises(StaleData, match=r"workouts\.at is 2026-11-21"):
            engine.run(stale, {"kind": "run"}, now=NOW).__enter__()


@pytest.mark.parametrize("queries", [private.ASKS_FOR_ADDRESSES, private.ASKS_FOR_TOKENS], ids=["column", "table"])
def test_nothing_private_is_read_by_a_select(
    queries: list[str], leaky: Workspace, engines: list[Engine], tmp_path: Path
) -> None:
    for sql in map(of_members, queries):
        put(leaky, leak=sql)
        for engine in engines:
            with pytest.raises(AudienceJobError) as refused:
                written(engine, find("leak", leaky), tmp_path)
            assert f"{SECRET}-bob" not in str(refused.value), sql


def test_devices_are_private_without_being_declared_so(leaky: Workspace) -> None:
    for sql in private.ASKS_FOR_TOKENS:
        with pytest.raises(BadWorkspace, match="reads devices, which is private"):
            all_jobs(put(leaky, leak=sql.replace("users", "members")))


@pytest.mark.long
def test_a_star_below_has_no_private_columns(leaky: Workspace, engines: list[Engine], tmp_path: Path) -> None:
    for sql in map(of_members, private.COUNTS_COLUMNS):
        job = find("leak", put(leaky, leak=sql))
        for engine in engines:
            assert SECRET not in written(engine, job, tmp_path)["leak"].decode(), sql


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shop: Workspace) -> Tminus:
    monkeypatch.chdir(shop.folder)
    return calling(monkeypatch, capsys)


@pytest.mark.parametrize("where", ["files", "postgres"])
def test_the_command_lists_and_runs_them(
    where: str,
    tminus: Tminus,
    shop: Workspace,
    engines: list[Engine],
    postgres: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    assert len(engines) == 2, "the database is filled"
    if where == "postgres":
        monkeypatch.setenv("USER_DATA", "postgres")
        monkeypatch.setenv("USER_DATABASE_URL", postgres)
        monkeypatch.setenv("USER_DATABASE_SCHEMA", "trained")
    listed = tminus("jobs", "list")
    assert (listed.status, listed.err) == (0, "")
    assert [line.split()[0] for line in listed.out.splitlines() if line[0] != " "] == sorted(FOUND)
    assert "  parameter days (integer, default 30): how many days count" in listed.out
    assert "generate_" not in listed.out
    data = () if where == "postgres" else ("--data", shop.folder / "data")
    run = ("jobs", "run", "trained", *data, "--at", AT, "--param", "kind=run", "--out", tmp_path / where)
    assert tminus(*run).out.splitlines()[:2] == ["often: 0 users", "at-times: 1 users"]
    assert (tmp_path / where / "at-times.csv").read_text() == "user_id,workouts\n1,1\n"
    ran = tminus("jobs", "run", "bare", *data, "--at", AT, "--json")
    assert ran.report["audiences"][0]["rows"][0] == ["30", "ZOË", "2026-11-01T00:00:00Z"]
    unknown = tminus("jobs", "run", "generate_new_user_waterfall", *data)
    assert (unknown.status, unknown.err.count("\n")) == (2, 1)
    assert unknown.err.startswith(
        "tminus: unknown audience job 'generate_new_user_waterfall'; known: bare, capitals,"
    )


def test_every_problem_of_the_jobs_is_a_line(tminus: Tminus, shop: Workspace) -> None:
    put(shop, broken="SELECT id AS user_id\nFROM memers", worse="/*\nlayer = 10\ntitel = ''\n*/\nSELECT 1 AS user_id")
    for command in (("list",), ("run", "bare", "--data", "data")):
        refused = tminus("jobs", *command)
        assert (refused.status, refused.out) == (2, "")
        assert [line.partition(": ")[2].partition(" ")[0] for line in refused.err.splitlines()] == [
            "jobs/broken.sql:2:",
            "jobs/worse.sql:2:",
            "jobs/worse.sql:3:",
        ]
