"""What the PostgreSQL engine writes is what DuckDB writes, to the byte; and it can write nothing else."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_jobs.contract import Check, Freshness, Job, Parameter
from audience_jobs.engines import time_limit
from audience_jobs.engines.postgres_session import postgres_session
from audience_jobs.engines.time_limit import TimeLimit
from audience_jobs.errors import BadJob, CheckFailed, MissingInDatabase, StaleData, TooSlow
from local.sample import generate
from tests.audience_jobs.examples import arguments_for
from tests.audience_jobs.marketplace import MARKETPLACE, DuckDBEngine, PostgresEngine, all_jobs
from tests.audience_jobs.postgres import fill
from tests.audience_jobs.test_reference import databases, write_tables
from tests.audience_jobs.worlds import NOW, hours_ago, put, rows_of, seconds, user
from tests.audience_jobs.written import sample_job, written
from tests.examples import examples

ANN = "0b0e7a52-9f4e-4b0e-8f7a-00000000abcd"
SEEDS, USERS = (1, *(pytest.param(seed, marks=pytest.mark.long) for seed in (2, 3))), 3_000


@pytest.fixture
def job() -> Callable[..., Job]:
    return sample_job


@pytest.mark.parametrize("seed", SEEDS)
def test_every_job_writes_the_same_bytes_on_both_engines(postgres: str, tmp_path: Path, seed: int) -> None:
    generate(tmp_path, users=USERS, seed=seed, at=NOW)
    fill(postgres, tmp_path, id_type="uuid")
    for job in all_jobs():
        arguments = arguments_for(job, tmp_path)
        expected = written(DuckDBEngine(tmp_path), job, tmp_path, **arguments)
        assert written(PostgresEngine(postgres), job, tmp_path, **arguments) == expected
        assert max(len(content) for content in expected.values()) > 1000, f"{job.id} found no users to compare"


@pytest.mark.long
@examples(25, few=5)
@given(data=databases, which=st.sampled_from(all_jobs()))
def test_ties_nulls_and_leftovers_come_out_alike(postgres: str, data: Mapping[str, list[Any]], which: Job) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_tables(folder, data)
        fill(postgres, folder)
        arguments = {"product_id": "p1"} if any(p.name == "product_id" for p in which.parameters) else {}
        expected = written(DuckDBEngine(folder), which, folder, **arguments)
        assert written(PostgresEngine(postgres), which, folder, **arguments) == expected


def test_texts_are_quoted_sorted_and_counted_alike(postgres: str, tmp_path: Path, job: Callable[..., Job]) -> None:
    """The database sorts as in English: B after a, and é after e. The files do not."""
    names = [
        *"aBbAéÉeZz_-",
        "a b",
        "a,b",
        'say "hi"',
        "two\nlines",
        "a\rb",
        " padded ",
        "\\.",
        "\\N",
        "é😀",
        "ß",
        "ss",
    ]
    put(tmp_path, {"users": [user(f"u{place % 3}", first_name=name) for place, name in enumerate(names)]})
    fill(postgres, tmp_path)
    lowest = job(
        """SELECT 'all' AS audience, u.id AS user_id, u.first_name AS name,
               (SELECT min(o.first_name) FROM users o WHERE o.first_name > u.first_name) AS next,
               row_number() OVER (ORDER BY u.first_name DESC) AS place, length(u.first_name) AS letters
           FROM users u""",
        name="text",
        next="text",
        place="integer",
        letters="integer",
    )
    expected = written(DuckDBEngine(tmp_path), lowest, tmp_path)
    assert written(PostgresEngine(postgres), lowest, tmp_path) == expected
    assert len(rows_of(tmp_path / "audience.out")) == len(names)


def test_times_and_ids_are_read_alike(postgres: str, tmp_path: Path, job: Callable[..., Job]) -> None:
    moments = [hours_ago(0), hours_ago(1).replace(microsecond=999_999), "2026-03-29 01:30:00+01", None]
    seen = [{"user_id": ANN.upper() if n % 2 else ANN, "last_active": m} for n, m in enumerate(moments)]
    put(tmp_path, {"user_activities": seen})
    fill(postgres, tmp_path)
    echo = job(
        "SELECT 'all' AS audience, user_id, last_active AS seen FROM user_activities WHERE last_active <= $now",
        seen="timestamp",
    )
    assert written(PostgresEngine(postgres), echo, tmp_path) == written(DuckDBEngine(tmp_path), echo, tmp_path)
    assert {row["user_id"] for row in rows_of(tmp_path / "audience.out")} == {ANN}
    assert {row["seen"] for row in rows_of(tmp_path / "audience.out")} == {
        "2026-11-23T18:00:00Z",
        "2026-11-23T17:00:00Z",
        "2026-03-29T00:30:00Z",
    }


def test_given_users_get_their_newest_devices(postgres: str, tmp_path: Path) -> None:
    devices = [
        {"user_id": ANN, "token": f"t{age}", "platform": "ios", "updated_at": hours_ago(age)} for age in (3, 1, 2)
    ]
    put(tmp_path, {"devices": [*devices, devices[0], {**devices[1], "token": "  "}, {**devices[1], "user_id": "x"}]})
    fill(postgres, tmp_path)
    given = [ANN.upper(), "stranger", "x') OR true --", "nul\0"]
    for engine in (PostgresEngine(postgres), DuckDBEngine(tmp_path)):
        assert engine.write_devices_of(given, tmp_path / "out.csv", per_user=2) == 2
        assert (tmp_path / "out.csv").read_text() == (
            "user_id,token,platform,updated_at,fid,locale\n"
            f"{ANN.upper()},t1,ios,{seconds(1)},,\n{ANN.upper()},t2,ios,{seconds(2)},,\n"
        )


def test_what_a_recipe_gives_is_bound_and_never_run(postgres: str, tmp_path: Path, job: Callable[..., Job]) -> None:
    fill(postgres, put(tmp_path, {}))
    parameter = Parameter(name="product_id", type="text", meaning="")
    echo = job("SELECT 'all' AS audience, $product_id AS user_id", parameters=(parameter,))
    for hostile in ("'; DROP TABLE users; --", "$1 %s %(x)s", "' || pg_sleep(9) || '", "\\'; SELECT 1"):
        assert hostile.encode() in written(PostgresEngine(postgres), echo, tmp_path, productId=hostile)["all"]


def test_a_session_that_runs_a_job_cannot_write(postgres: str, tmp_path: Path) -> None:
    """The second wall, behind the judgement of the query."""
    fill(postgres, put(tmp_path, {}))
    writes = [
        "DELETE FROM public.users",
        "CREATE TABLE public.t (x int)",
        "DROP TABLE public.users",
        "SET TRANSACTION READ WRITE",
    ]
    for sql in writes:
        with postgres_session(
            postgres, MARKETPLACE.tables, schema="public", job_id="sample", limit=TimeLimit(9)
        ) as session:
            session.only_read()
            session.rows("SELECT 1 FROM users")
            with pytest.raises(BadJob, match=r"read-only|read-write"):
                session.rows(sql)


def test_nothing_of_a_run_stays_in_the_database(postgres: str, tmp_path: Path, job: Callable[..., Job]) -> None:
    fill(postgres, put(tmp_path, {}))
    relations = "SELECT count(*) FROM pg_class"
    with psycopg.connect(postgres) as connection:
        before = connection.execute(relations).fetchone()
        connection.commit()
        written(PostgresEngine(postgres), job("SELECT 'all' AS audience, 'u' AS user_id"), tmp_path)
        assert connection.execute(relations).fetchone() == before


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("SELECT 'all' AS audience, 1 AS x", "yields no column user_id"),
        ("SELECT 'some' AS audience, 'u' AS user_id", "rows of audience 'some', which it does not declare"),
        ("SELECT 'all' AS audience, CAST(CAST('x' AS TEXT) AS INTEGER) AS user_id", "its SQL fails: invalid input"),
        ("SELECT 'all' AS audience, nonsense AS user_id FROM users", "nonsense. does not exist"),
        ("SELECT 'all' AS audience, pg_sleep(1) AS user_id", r"its SQL calls pg_sleep\(\)"),
    ],
)
def test_a_job_whose_sql_is_not_what_it_declares_is_named(
    postgres: str, tmp_path: Path, job: Callable[..., Job], sql: str, complaint: str
) -> None:
    fill(postgres, put(tmp_path, {}))
    with pytest.raises(BadJob, match=f"audience job sample: .*{complaint}"):
        written(PostgresEngine(postgres), job(sql), tmp_path)


@pytest.mark.long
def test_a_job_that_takes_too_long_is_stopped(postgres: str, tmp_path: Path, job: Callable[..., Job]) -> None:
    fill(postgres, put(tmp_path, {}))
    endless = job(
        """SELECT 'all' AS audience, max(md5(CAST(a.i + b.i AS TEXT))) AS user_id
           FROM generate_series(1, 100000) AS a(i), generate_series(1, 100000) AS b(i)"""
    )
    short = PostgresEngine(postgres, timeout_seconds=0.3)
    for engine in (short, short.within(60), PostgresEngine(postgres).within(0.3)):
        with pytest.raises(TooSlow, match=r"sample was stopped after 0\.3 s"):
            written(engine, endless, tmp_path)


def test_all_statements_together_are_stopped(
    postgres: str, tmp_path: Path, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(postgres, put(tmp_path, {}))
    one_user, engine = job("SELECT 'all' AS audience, 'u' AS user_id"), PostgresEngine(postgres).within(2)
    with engine.run(one_user, {}, now=NOW) as run:
        later = time.monotonic() + 2
        monkeypatch.setattr(time_limit, "monotonic", lambda: later)
        with pytest.raises(TooSlow, match="sample was stopped after 2 s"):
            run.write_audience("all", tmp_path / "audience.csv")


def test_checks_and_freshness_are_held_to(postgres: str, tmp_path: Path, job: Callable[..., Job]) -> None:
    fill(postgres, put(tmp_path, {"user_activities": [{"user_id": "u", "last_active": hours_ago(31)}]}))
    one_user = job("SELECT 'all' AS audience, 'u' AS user_id")
    check = Check(name="some", failing_sql="SELECT count(*) FROM job_rows", meaning="there are users")
    with pytest.raises(CheckFailed, match=r"sample: there are users \(check 'some': 1\)"):
        written(PostgresEngine(postgres), replace(one_user, checks=(check,)), tmp_path)
    fresh = Freshness(table="user_activities", column="last_active", hours=30)
    with pytest.raises(StaleData, match=r"newest user_activities\.last_active is 2026-11-22 11:00 UTC, more than 30"):
        written(PostgresEngine(postgres), replace(one_user, freshness=fresh), tmp_path)


def test_what_is_missing_or_may_not_be_read_is_named(postgres: str, tmp_path: Path, job: Callable[..., Job]) -> None:
    fill(postgres, put(tmp_path, {}), schema="shop")
    names = job("SELECT 'all' AS audience, id AS user_id FROM users WHERE bio <> ''")
    engine = PostgresEngine(postgres, schema="shop")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("ALTER TABLE shop.users DROP COLUMN username")
        assert written(engine, names, tmp_path)["all"] == b"user_id\n", "the job does not read that column"
        connection.execute("ALTER TABLE shop.users DROP COLUMN bio")
        with pytest.raises(MissingInDatabase, match=r"'users\.bio' is missing in the schema 'shop'"):
            written(engine, names, tmp_path)
        connection.execute("DROP TABLE shop.users, shop.devices")
        with pytest.raises(MissingInDatabase, match=r"'users' is missing in the schema 'shop'"):
            written(engine, names, tmp_path)
        with pytest.raises(MissingInDatabase, match="'devices' is missing"):
            engine.write_devices_of(["u"], tmp_path / "out.csv", per_user=1)
