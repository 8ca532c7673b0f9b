"""Queries read the tables of another team's workspace, on files and in PostgreSQL alike."""

from dataclasses import replace
from pathlib import Path

import pytest

from audience_jobs.contract import Engine, Freshness
from audience_jobs.criteria import read_criteria
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.engines.postgres import PostgresEngine
from audience_jobs.errors import AudienceJobError, BadCriteria, BadJob, LackingTables, MissingColumn, MissingTable
from audience_jobs.query_based import job_of
from audience_jobs.workspace import Workspace
from tests.audience_jobs import postgres as databases
from tests.audience_jobs import test_private_data as private
from tests.audience_jobs.fitness import SECRET, fitness
from tests.audience_jobs.worlds import NOW
from tests.audience_jobs.written import sample_job

LATELY = "CAST($now AS TIMESTAMP) - INTERVAL '30 days'"
QUERIES = {
    "SELECT id AS user_id, username AS x FROM members": ["1,ann", "2,bob", "30,Zoë"],
    f"""SELECT m.ID AS user_id, count(*) AS x FROM Members m JOIN workouts w ON w.memberid = m.id
        WHERE w.AT > {LATELY} GROUP BY m.id""": ["1,2"],
    'SELECT memberId AS user_id, max("order") AS x FROM workouts WHERE done GROUP BY memberId': ["1,1", "2,1"],
    """SELECT w.memberId AS user_id, CAST(w.details ->> 'kind' AS TEXT) AS x FROM "workouts" w
       WHERE w.details ->> 'kind' IS NOT NULL""": ["1,run", "2,swim"],
    'SELECT g."select" AS user_id, 1 AS x FROM "group" g': ["1,1", "30,1"],
    'SELECT id AS user_id, bio AS x FROM members WHERE EXISTS (SELECT * FROM "group")': ["1,runs", "2,", "30,swims"],
    "SELECT m.id AS user_id, 1 AS x FROM members m WHERE m.id NOT IN (SELECT w.memberId FROM workouts w)": ["30,1"],
    "SELECT CAST(count(*) AS TEXT) AS user_id, 1 AS x FROM members": ["3,1"],
}
Written = dict[str, object]


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return fitness(tmp_path / "fitness")


@pytest.fixture
def engines(shop: Workspace, postgres: str) -> list[Engine]:
    data = shop.folder / "data"
    databases.fill(postgres, data, shop.tables)
    return [DuckDBEngine(data, shop), PostgresEngine(postgres, shop)]


def found(engine: Engine, shop: Workspace, sql: str, path: Path) -> str:
    """Return what a query finds, or the error that it ends in."""
    try:
        job = job_of(read_criteria({"customQuery": sql}, shop), shop)
        with engine.run(job, {}, now=NOW) as run:
            run.write_audience("default", path)
    except AudienceJobError as error:
        return f"refused: {error}"
    return path.read_text(encoding="utf-8")


@pytest.mark.long
def test_a_query_reads_the_teams_own_tables(shop: Workspace, engines: list[Engine], tmp_path: Path) -> None:
    for sql, rows in QUERIES.items():
        for engine in engines:
            lines = found(engine, shop, sql, tmp_path / "out.csv").splitlines()
            assert [lines[0], *sorted(lines[1:])] == ["user_id,x", *sorted(rows)], (sql, lines)


def of_members(sql: str) -> str:
    """Return a query over users, their addresses and devices as one over members, their phones and tokens."""
    for word, other in (("users", "members"), ("email", "phone"), ("devices", "tokens"), ("offers", "workouts")):
        for change in (str, str.upper, str.capitalize):
            sql = sql.replace(change(word), change(other))
    return sql


@pytest.mark.parametrize("queries", [private.ASKS_FOR_ADDRESSES, private.ASKS_FOR_TOKENS], ids=["column", "table"])
def test_nothing_private_leaves(queries: list[str], shop: Workspace, engines: list[Engine], tmp_path: Path) -> None:
    for sql in map(of_members, queries):
        for engine in engines:
            answer = found(engine, shop, sql, tmp_path / "out.csv")
            assert answer.startswith("refused: "), (sql, answer)
            assert f"{SECRET}-bob" not in answer, sql


@pytest.mark.long
def test_a_star_has_no_private_columns(shop: Workspace, engines: list[Engine], tmp_path: Path) -> None:
    for sql in map(of_members, private.COUNTS_COLUMNS):
        for engine in engines:
            answer = found(engine, shop, sql, tmp_path / "out.csv")
            assert answer.startswith("user_id,x\n"), (sql, answer)
            assert SECRET not in answer, sql


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (
            "SELECT id AS user_id FROM users",
            "reads 'users', which is not a table this query can read; those are group, ",
        ),
        ("SELECT id AS user_id, phone FROM members", "names phone, and members.phone is private: leave it out"),
        (
            "SELECT user_id FROM tokens",
            "reads tokens, which is private: only Tminus and audience jobs in Python read it",
        ),
        ('SELECT "memberId" AS user_id FROM workouts', "write memberId without quotes"),
        ("WITH members AS (SELECT 1 AS id) SELECT id AS user_id FROM members", "the name of the table members"),
    ],
)
def test_a_refusal_names_the_teams_tables(sql: str, told: str, shop: Workspace) -> None:
    with pytest.raises(BadCriteria) as refused:
        read_criteria({"customQuery": sql}, shop)
    assert told in str(refused.value)
    assert "offers" not in str(refused.value)


@pytest.mark.parametrize(
    ("written", "fields"),
    [
        ({}, {"filters": "users.id (id)"}),
        ({"filters": {"lastActiveDays": 3}}, {"filters.lastActiveDays": "user_activities.last_active (timestamp)"}),
        ({"filters": {"hasTrustedTrader": True}}, {"filters.hasTrustedTrader": "users.is_trusted_trader (boolean)"}),
        ({"manualUserIds": ["1"]}, {"filters": "users.id (id)"}),
        ({"dataPacks": ["topTargetShoe"]}, {"dataPacks": "desired_items.offers_count (integer)"}),
    ],
)
def test_what_reads_the_marketplace_says_what_is_missing(
    written: Written, fields: dict[str, str], shop: Workspace
) -> None:
    criteria = read_criteria(written, shop)
    with pytest.raises(BadCriteria) as refused:
        job_of(criteria, shop)
    told = dict(refused.value.errors)
    for field, lacking in fields.items():
        assert lacking in told[field]
        assert told[field].endswith("which tables.toml of the workspace lacks")


USERS = {
    'deleted_at = "integer"': "id,deleted_at\na,0\nb,1\nc,\n",
    'deleted_at = "timestamp"': "id,deleted_at\na,\nb,2026-01-01T00:00:00Z\nc,2026-01-01T00:00:00Z\n",
    'name = "text"': "id,name\na,Ann\n",
}


@pytest.mark.parametrize(("column", "rows"), USERS.items())
def test_a_table_of_users_keeps_those_who_are_deleted_out(column: str, rows: str, tmp_path: Path) -> None:
    """Whatever the query names: `users` says who there is, with the columns that the workspace has."""
    (tmp_path / "tminus.toml").write_text('name = "small"')
    (tmp_path / "tables.toml").write_text(f'[users.columns]\nid = "id"\n{column}\n[extra.columns]\nid = "id"\n')
    (tmp_path / "users.csv").write_text(rows)
    (tmp_path / "extra.csv").write_text("id\na\nb\nc\nd\n")
    small = Workspace(tmp_path)
    engine = DuckDBEngine(tmp_path, small)
    assert found(engine, small, "SELECT id AS user_id FROM extra", tmp_path / "out").split() == ["user_id", "a"]
    with engine.run(job_of(read_criteria({}, small), small), {}, now=NOW) as run:
        assert run.size("default") == 1


@pytest.mark.parametrize("missing", ["members", "id", "Group"])
def test_what_an_export_lacks_is_named_as_the_team_writes_it(missing: str, shop: Workspace) -> None:
    data, engine = shop.folder / "data", DuckDBEngine(shop.folder / "data", shop)
    if missing == "id":
        (data / "members.csv").write_text("key,username\n1,ann\n")
    else:
        (data / f"{missing}.csv").unlink()
    error = MissingColumn if missing == "id" else MissingTable
    job = job_of(read_criteria({"customQuery": 'SELECT m.id AS user_id FROM members m, "group"'}, shop), shop)
    with pytest.raises(error, match=missing), engine.run(job, {}, now=NOW):
        pass


def test_sending_says_which_columns_of_devices_it_lacks(engines: list[Engine], tmp_path: Path) -> None:
    for engine in engines:
        with pytest.raises(LackingTables, match=r"sending needs devices\.user_id \(id\), devices\.token \(text\), "):
            engine.write_devices_of(["1"], tmp_path / "out.csv", per_user=1)


def test_freshness_has_to_name_a_timestamp_of_the_workspace(engines: list[Engine]) -> None:
    fresh = Freshness(table="user_activities", column="last_active", hours=1)
    stale = replace(sample_job("SELECT 'all' AS audience, id AS user_id FROM members"), freshness=fresh)
    for engine in engines:
        with pytest.raises(BadJob, match=r"user_activities\.last_active is not a timestamp"):
            engine.run(stale, {}, now=NOW).__enter__()
