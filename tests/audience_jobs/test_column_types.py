"""Numbers, days and lists of texts are read alike from every kind of column that a source may have for them."""

from pathlib import Path

import duckdb
import psycopg
import pytest

from audience_jobs.contract import Engine
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.engines.postgres import PostgresEngine
from audience_jobs.errors import BadData
from audience_jobs.workspace import Workspace
from tests.audience_jobs.worlds import NOW
from tests.audience_jobs.written import sample_job

COLUMN = {"number": "n", "date": "d", "text[]": "l"}
READ = """SELECT 'all' AS audience, t.id AS user_id, CAST(t.n * 4 AS BIGINT) AS number, CAST(t.d AS TEXT) AS day,
    CAST((SELECT count(*) FROM unnest(t.l) AS e(v) WHERE e.v = 'a') AS TEXT) AS hits,
    CAST(t.l IS NULL AS TEXT) AS empty
    FROM things t"""
JOB = sample_job(READ, number="integer", day="text", hits="text", empty="text")


@pytest.fixture
def things(tmp_path: Path) -> Workspace:
    (tmp_path / "tminus.toml").write_text('name = "things"')
    columns = "\n".join(f'{name} = "{type_}"' for type_, name in COLUMN.items())
    (tmp_path / "tables.toml").write_text(f'[things.columns]\nid = "id"\n{columns}\n')
    return Workspace(tmp_path)


def row(engine: Engine, path: Path) -> list[str]:
    with engine.run(JOB, {}, now=NOW) as run:
        run.write_audience("all", path)
    _, line = path.read_text().splitlines()
    return line.split(",")[1:]


CSV = [
    ("number", "-12.25", "-49"),
    ("number", " 7 ", "28"),
    ("number", "1e3", "4000"),
    ("number", "", ""),
    ("date", "2026-02-28", "2026-02-28"),
    ("date", "", ""),
    ("text[]", '"[""a"", ""b,c""]"', "1"),
    ("text[]", '"[1, ""a"", null, ""a""]"', "2"),
    ("text[]", "[]", "0"),
    ("text[]", "[ ]", "0"),
    ("text[]", "", "0"),
]
PARQUET = [
    ("number", "CAST(2.5 AS DOUBLE)", "10"),
    ("number", "CAST(2.5 AS FLOAT)", "10"),
    ("number", "CAST(2.50 AS DECIMAL(9, 2))", "10"),
    ("number", "CAST(7 AS SMALLINT)", "28"),
    ("number", "'2.5'", "10"),
    ("number", "CAST('nan' AS DOUBLE)", ""),
    ("number", "CAST('-inf' AS DOUBLE)", ""),
    ("date", "DATE '2026-02-28'", "2026-02-28"),
    ("date", "TIMESTAMP '2026-02-28 23:59:59'", "2026-02-28"),
    ("date", "TIMESTAMPTZ '2026-02-28 23:59:59+00'", "2026-02-28"),
    ("date", "'2026-02-28'", "2026-02-28"),
    ("text[]", "['a', 'b']", "1"),
    ("text[]", "CAST([] AS VARCHAR[])", "0"),
    ("text[]", "'[\"a\"]'", "1"),
    ("text[]", "[1, 2]", "0"),
]
POSTGRES = [
    ("number", "double precision", "2.5", "10"),
    ("number", "numeric", "2.50", "10"),
    ("number", "real", "2.5", "10"),
    ("number", "integer", "7", "28"),
    ("number", "text", "2.5", "10"),
    ("number", "text", "", ""),
    ("number", "double precision", "NaN", ""),
    ("number", "double precision", "Infinity", ""),
    ("date", "date", "2026-02-28", "2026-02-28"),
    ("date", "date", "infinity", ""),
    ("date", "timestamp", "2026-02-28 23:59:59", "2026-02-28"),
    ("date", "timestamptz", "2026-02-28 23:59:59+00", "2026-02-28"),
    ("date", "text", "2026-02-28", "2026-02-28"),
    ("text[]", "text[]", "{a,b}", "1"),
    ("text[]", "varchar[]", "{a}", "1"),
    ("text[]", "text[]", "{}", "0"),
    ("text[]", "jsonb", '["a", "a"]', "2"),
    ("text[]", "json", "[]", "0"),
    ("text[]", "text", '["a"]', "1"),
    ("text[]", "text", "", "0"),
]


def shown(type_: str, expected: str) -> list[str]:
    """Return the row in which one column has a value, and the others none."""
    values = {"number": "", "date": "", "text[]": "0", type_: expected}
    return [*values.values(), "false" if type_ == "text[]" and expected != "0" else "true"]


@pytest.mark.parametrize(("type_", "written", "expected"), CSV)
def test_a_csv_file_is_read(type_: str, written: str, expected: str, things: Workspace, tmp_path: Path) -> None:
    values = [written if name == COLUMN[type_] else "" for name in COLUMN.values()]
    (tmp_path / "things.csv").write_text(f"id,{','.join(COLUMN.values())}\n1,{','.join(values)}\n")
    assert row(DuckDBEngine(tmp_path, things), tmp_path / "out") == shown(type_, expected)


@pytest.mark.parametrize(("type_", "written", "expected"), PARQUET)
def test_a_parquet_file_is_read(type_: str, written: str, expected: str, things: Workspace, tmp_path: Path) -> None:
    values = [f"{written if name == COLUMN[type_] else 'NULL'} AS {name}" for name in COLUMN.values()]
    duckdb.sql(f"COPY (SELECT '1' AS id, {', '.join(values)}) TO '{tmp_path / 'things.parquet'}'")
    found = row(DuckDBEngine(tmp_path, things), tmp_path / "out")
    if written == "[1, 2]":
        assert found == ["", "", "0", "false"]
    else:
        assert found == shown(type_, expected)


@pytest.mark.parametrize(("type_", "column", "written", "expected"), POSTGRES)
def test_a_column_of_postgresql_is_read(
    type_: str, column: str, written: str, expected: str, things: Workspace, postgres: str, tmp_path: Path
) -> None:
    kinds = {"number": "float", "date": "date", "text[]": "text[]", type_: column}
    with psycopg.connect(postgres) as connection:
        connection.execute("DROP SCHEMA IF EXISTS kinds CASCADE; CREATE SCHEMA kinds")
        declared = ", ".join(f"{COLUMN[each]} {kind}" for each, kind in kinds.items())
        connection.execute(f"CREATE TABLE kinds.things (id text, {declared})".encode())
        connection.execute(f"INSERT INTO kinds.things (id, {COLUMN[type_]}) VALUES ('1', %s)".encode(), [written])
    assert row(PostgresEngine(postgres, things, schema="kinds"), tmp_path / "out") == shown(type_, expected)


@pytest.mark.parametrize(
    ("type_", "written", "told"),
    [
        ("number", '"1,5"', "column 'n' holds '1,5', which is not a valid number: write a point before the fraction"),
        ("number", "nan", "column 'n' holds 'nan', which is not a valid number"),
        ("date", "28.2.2026", "column 'd' holds '28.2.2026', which is not a valid date: write year, month and day"),
        ("date", "2026-02-30", "column 'd' holds '2026-02-30', which is not a valid date"),
        ("text[]", "a;b", "column 'l' holds 'a;b', which is not a valid text[]: write a list of texts as JSON"),
        ("text[]", '"{""a"": 1}"', "which is not a valid text[]"),
    ],
)
def test_a_bad_value_is_named(type_: str, written: str, told: str, things: Workspace, tmp_path: Path) -> None:
    values = [written if name == COLUMN[type_] else "" for name in COLUMN.values()]
    (tmp_path / "things.csv").write_text(f"id,{','.join(COLUMN.values())}\n1,{','.join(values)}\n")
    with pytest.raises(BadData) as bad:
        row(DuckDBEngine(tmp_path, things), tmp_path / "out")
    assert told in str(bad.value)


@pytest.mark.parametrize("column", ["text", "varchar(9)", "char(9)"])
def test_an_empty_text_of_postgresql_is_null_in_columns_of_all_types(
    column: str, postgres: str, tmp_path: Path
) -> None:
    types = {"at": "timestamp", "extra": "json", "points": "integer", "pro": "boolean"}
    (tmp_path / "tminus.toml").write_text('name = "things"')
    declared = "\n".join(f'{name} = "{type_}"' for name, type_ in types.items())
    (tmp_path / "tables.toml").write_text(f'[things.columns]\nid = "id"\n{declared}\n')
    with psycopg.connect(postgres) as connection:
        connection.execute("DROP SCHEMA IF EXISTS kinds CASCADE; CREATE SCHEMA kinds")
        columns = ", ".join(f"{name} {column}" for name in types)
        connection.execute(f"CREATE TABLE kinds.things (id text, {columns})".encode())
        connection.execute("INSERT INTO kinds.things VALUES ('1', '', '', '', '')")
    empty = " AND ".join(f"t.{name} IS NULL" for name in types)
    job = sample_job(f"SELECT 'all' AS audience, t.id AS user_id FROM things t WHERE {empty}")
    with PostgresEngine(postgres, Workspace(tmp_path), schema="kinds").run(job, {}, now=NOW) as run:
        assert run.size("all") == 1
