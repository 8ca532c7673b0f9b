"""What PostgreSQL, DuckDB and BigQuery understand differently comes out alike all the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audience_jobs.contract import Engine
from audience_jobs.engines.bigquery import BigQueryEngine
from audience_jobs.errors import BadJob
from tests.audience_jobs import postgres as databases
from tests.audience_jobs.marketplace import DuckDBEngine, PostgresEngine
from tests.audience_jobs.phones import DEVICES, OWNERS, tokens_of
from tests.audience_jobs.phones import USERS as USERS_OF_PHONES
from tests.audience_jobs.worlds import NOW, hours_ago, put, rows_of, user
from tests.audience_jobs.written import sample_job, written

ANN = "0b0e7a52-9f4e-4b0e-8f7a-00000000abcd"
Engines = Callable[..., list[Engine]]


@pytest.fixture
def engines(postgres: str, filled: Callable[..., BigQueryEngine], tmp_path: Path) -> Engines:
    """Put a world of rows into all three engines."""

    def fill(**world: list[dict[str, Any]]) -> list[Engine]:
        put(tmp_path, world)
        databases.fill(postgres, tmp_path)
        return [DuckDBEngine(tmp_path), PostgresEngine(postgres), filled(tmp_path)]

    return fill


USERS = [
    {
        "id": "a",
        "bio": " a,b ",
        "username": "aB_c",
        "deleted_at": 2,
        "completed_trades_count": 7,
        "created_at": "2026-11-25 17:45:30.120Z",
        "is_trusted_trader": True,
    },
    {
        "id": "b",
        "bio": "\tÉmile\t",
        "username": "a.c",
        "deleted_at": 3,
        "completed_trades_count": -7,
        "created_at": "2026-01-31 00:00:00Z",
        "is_trusted_trader": False,
    },
    {"id": "c"},
]
SIZES = '{"mens_size": "9.50", "none": null, "a b": "spaced", "yes": true}'
# An expression over `users u`, and what it is for each of the three.
EXPRESSIONS = [
    (
        "md5(u.id)",
        "0cc175b9c0f1b6a831c399e269772661 92eb5ffee6ae2fec3ad71c777531578f 4a8a08f09d37b73795649038408b5f33",
    ),
    ("u.completed_trades_count / u.deleted_at", "3 -2 -"),
    ("u.completed_trades_count / 2 * 2", "6 -6 -"),
    ("(7 / 2)", "3 3 3"),
    ("count(*) OVER () / 2", "1 1 1"),
    ("u.completed_trades_count % 4", "3 -3 -"),
    ("length(trim(u.bio))", "3 7 -"),
    ("trim(both 'a ' from u.bio)", ",b \tÉmile\t -"),
    ("lower(u.bio)", " a,b  \témile\t -"),
    ("upper(u.bio || 'é')", " A,B É \tÉMILE\tÉ -"),
    ("u.bio ILIKE '%éMI%'", "false true -"),
    ("u.username LIKE 'a_c'", "false true -"),
    ("u.bio ~ 'mile'", "false true -"),
    ("u.bio ~ '^mile'", "false false -"),
    ("u.username ~ '^a.c$'", "false true -"),
    ("substring(u.username from 2 for 2)", "B_ .c -"),
    ("greatest(u.completed_trades_count, u.deleted_at)", "7 3 -"),
    ("least(u.completed_trades_count, 5, u.deleted_at)", "2 -7 5"),
    ("u.created_at", "2026-11-25 17:45:30.12 2026-01-31 00:00:00 -"),
    ("date_trunc('week', u.created_at)", "2026-11-23 00:00:00 2026-01-26 00:00:00 -"),
    ("date_trunc('month', u.created_at)", "2026-11-01 00:00:00 2026-01-01 00:00:00 -"),
    ("CAST(u.created_at AS DATE)", "2026-11-25 2026-01-31 -"),
    ("u.created_at + INTERVAL '1 month'", "2026-12-25 17:45:30.12 2026-02-28 00:00:00 -"),
    ("u.created_at - u.deleted_at * INTERVAL '12 hours'", "2026-11-24 17:45:30.12 2026-01-29 12:00:00 -"),
    ("CAST(u.created_at AS DATE) + INTERVAL '1 day'", "2026-11-26 00:00:00 2026-02-01 00:00:00 -"),
    ("CAST(u.created_at AS DATE) + 1", "2026-11-26 2026-02-01 -"),
    ("CASE WHEN $now - u.created_at > INTERVAL '1 day' THEN 1 ELSE 0 END", "0 1 0"),
    ("u.id || u.deleted_at || u.is_trusted_trader", "a2true b3false -"),
    ("u.id || u.created_at", "a2026-11-25 17:45:30.12 b2026-01-31 00:00:00 -"),
    ("u.bio IS DISTINCT FROM u.username", "true true false"),
    ("(SELECT count(*) FROM unnest(string_to_array(u.bio, ',')) AS w(x))", "2 1 0"),
    ("(SELECT count(*) FROM unnest(string_to_array('', ',')) AS w(x))", "0 0 0"),
    ("(SELECT sum(g.i * h.j) FROM generate_series(1, 3) AS g(i), generate_series(0, 10, 5) AS h(j))", "90 90 90"),
    ("(SELECT max(g) FROM generate_series(1, 2) AS g)", "2 2 2"),
    ("row_number() OVER (ORDER BY u.bio)", "2 1 3"),
    ("row_number() OVER (ORDER BY u.bio DESC)", "2 3 1"),
    ("first_value(u.id) OVER (ORDER BY u.created_at DESC)", "c c c"),
    ("last_value(u.id) OVER (ORDER BY u.bio NULLS FIRST)", "a b c"),
    ("sum(u.deleted_at) OVER (ORDER BY u.bio)", "5 3 5"),
    ("(SELECT count(*) FILTER (WHERE x.bio IS NULL) FROM users x)", "1 1 1"),
    ("(SELECT count(*) FROM (SELECT DISTINCT ON (y.deleted_at % 1) y.id FROM users y) AS x)", "2 2 2"),
    ("(SELECT t.b FROM (VALUES ('x', 2), ('y', 1)) AS t(a, b) WHERE t.a = 'y')", "1 1 1"),
    ("(SELECT v.index_cache ->> 'mens_size' FROM product_variants v)", "9.50 9.50 9.50"),
    ("(SELECT v.index_cache ->> 'none' FROM product_variants v)", "- - -"),
    ("(SELECT v.index_cache ->> 'other' FROM product_variants v)", "- - -"),
    ("(SELECT v.index_cache ->> 'a b' FROM product_variants v)", "spaced spaced spaced"),
    ("(SELECT v.index_cache ->> 'yes' FROM product_variants v)", "true true true"),
    ("""'it''s \\ "q" $other @x ? `b`'""", " ".join(["""it's \\ "q" $other @x ? `b`"""] * 3)),
]


def test_expressions_mean_the_same(engines: Engines, tmp_path: Path) -> None:
    named = {f"e{place}": expression for place, (expression, _) in enumerate(EXPRESSIONS)}
    columns = ", ".join(f"CAST({expression} AS TEXT) AS {name}" for name, expression in named.items())
    types: dict[str, Any] = dict.fromkeys(named, "text")
    job = sample_job(f"SELECT 'all' AS audience, u.id AS user_id, {columns} FROM users u", **types)
    for engine in engines(users=USERS, product_variants=[{"id": "v", "index_cache": SIZES}]):
        written(engine, job, tmp_path)
        with engine.run(job, {}, now=NOW) as run:
            run.write_audience("all", tmp_path / "all.csv")
        rows = sorted(rows_of(tmp_path / "all.csv"), key=lambda row: row["user_id"])
        found = [(expression, " ".join(row[name] or "-" for row in rows)) for name, expression in named.items()]
        assert found == EXPRESSIONS, type(engine).__name__


def test_texts_are_quoted_sorted_and_counted_alike(engines: Engines, tmp_path: Path) -> None:
    odd = ["a b", "a,b", 'say "hi"', "two\nlines", "a\rb", " padded ", "\\.", "\\N", "é😀", "ß", "ss", "=1+1"]
    names = [*"aBbAéÉeZz_-", *odd]
    job = sample_job(
        """SELECT 'all' AS audience, u.id AS user_id, u.first_name AS name,
               (SELECT min(o.first_name) FROM users o WHERE o.first_name > u.first_name) AS next,
               row_number() OVER (ORDER BY u.first_name DESC) AS place, length(u.first_name) AS letters
           FROM users u""",
        name="text",
        next="text",
        place="integer",
        letters="integer",
    )
    users = [user(f"u{place % 3}", first_name=name) for place, name in enumerate(names)]
    first, *others = [written(engine, job, tmp_path) for engine in engines(users=[*users, user("")])]
    assert others == [first, first]
    assert len(rows_of(tmp_path / "audience.out")) == len(names) + 1


def test_times_and_ids_are_read_alike(engines: Engines, tmp_path: Path) -> None:
    moments = [hours_ago(0), hours_ago(1).replace(microsecond=999_999), "2026-03-29 01:30:00+01", None]
    seen = [{"user_id": ANN.upper() if n % 2 else ANN, "last_active": m} for n, m in enumerate(moments)]
    job = sample_job(
        "SELECT 'all' AS audience, user_id, last_active AS seen FROM user_activities WHERE last_active <= $now",
        seen="timestamp",
    )
    first, *others = [written(engine, job, tmp_path) for engine in engines(user_activities=seen)]
    assert others == [first, first]
    assert {(row["user_id"], row["seen"]) for row in rows_of(tmp_path / "audience.out")} == {
        (ANN, "2026-11-23T18:00:00Z"),
        (ANN, "2026-11-23T17:00:00Z"),
        (ANN, "2026-03-29T00:30:00Z"),
    }


def test_a_token_belongs_to_its_newest_registration(engines: Engines, tmp_path: Path) -> None:
    for engine in engines(devices=DEVICES):
        for job in (True, False):
            found = tokens_of(engine, USERS_OF_PHONES, tmp_path / "out.csv", job=job)
            assert found == OWNERS, type(engine).__name__


@pytest.mark.parametrize("timestamp", ["TIMESTAMP", "DATETIME", "STRING"])
def test_a_dataset_may_have_other_types_than_the_schema(
    filled: Callable[..., BigQueryEngine], tmp_path: Path, timestamp: str
) -> None:
    put(tmp_path, {"users": [user(ANN.upper(), created_at="2026-11-23 17:00:00", completed_trades_count=3)]})
    job = sample_job(
        """SELECT 'all' AS audience, id AS user_id, created_at + INTERVAL '1 day' AS later,
               completed_trades_count / 2 AS half FROM users WHERE deleted_at = 0""",
        later="timestamp",
        half="integer",
    )
    engine = filled(tmp_path, timestamp=timestamp, integer="NUMERIC", boolean="STRING", json="STRING")
    assert written(engine, job, tmp_path)["all"].decode() == f"user_id,later,half\n{ANN},2026-11-24T17:00:00Z,1\n"


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("substring(u.bio, 0, 3)", r"calls substring\(\) from a position that is not written"),
        ("string_to_array(u.bio, NULL)", "without a text to cut at"),
        ("u.created_at + 0.5 * INTERVAL '1 day'", "CAST the factor AS INTEGER"),
        ("u.created_at + INTERVAL '1 day 2 hours'", "moves a time by"),
        ("date_trunc('century', u.created_at)", "cuts a time off at 'century'"),
    ],
)
def test_what_cannot_be_said_to_bigquery_is_refused_with_the_reason(
    filled: Callable[..., BigQueryEngine], tmp_path: Path, expression: str, complaint: str
) -> None:
    job = sample_job(
        f"SELECT 'all' AS audience, u.id AS user_id, CAST({expression} AS TEXT) AS x FROM users u", x="text"
    )
    with pytest.raises(BadJob, match=f"audience job sample: its SQL .*{complaint}"):
        written(filled(put(tmp_path, {})), job, tmp_path)
