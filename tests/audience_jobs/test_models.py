"""Models: SELECTs with a name, inlined where they are read, and refused with file and line."""

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import duckdb
import pytest

from audience_jobs.custom_query import read_custom_query
from audience_jobs.errors import BadWorkspace, RefusedQuery
from audience_jobs.schema import ColumnType, SourceColumn, SourceTable, Tables
from audience_jobs.workspace.model_files import read_models
from audience_jobs.workspace.models import Models

_COLUMNS: Mapping[str, Mapping[str, ColumnType]] = {
    "members": {"member_no": "integer", "mail": "text", "land": "text", "since": "timestamp", "plan": "text"},
    "workouts": {"member": "integer", "done_at": "timestamp", "kind": "text"},
    "devices": {"member": "integer", "push_token": "text", "seen": "timestamp"},
}
TABLES = Tables(
    SourceTable(name=table, columns={name: SourceColumn(name=name, type=type_) for name, type_ in columns.items()})
    for table, columns in _COLUMNS.items()
)
PEOPLE = """
    SELECT CAST(member_no AS TEXT) AS user_id, land AS country, since AS joined FROM members
    WHERE plan IS NOT NULL
"""
DEVICES = """
    SELECT CAST(member AS TEXT) AS user_id, push_token AS token, 'ios' AS platform, seen AS updated_at FROM devices
"""
RUNS = "SELECT CAST(member AS TEXT) AS user_id, done_at AS at FROM workouts WHERE kind = 'run'"
RUNNERS = """
    WITH counted AS (SELECT user_id, count(*) AS times FROM runs GROUP BY user_id)
    SELECT p.user_id, p.country, c.times FROM people p JOIN counted c ON c.user_id = p.user_id
"""
Write = Callable[..., list[Path]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(**models: str) -> list[Path]:
        for name, sql in models.items():
            (tmp_path / f"{name}.sql").write_text(dedent(sql).strip(), encoding="utf-8")
        return sorted(tmp_path.glob("*.sql"))

    return written


@pytest.fixture
def models(write: Write) -> Models:
    return read_models(write(runners=RUNNERS, people=PEOPLE, devices=DEVICES, runs=RUNS), TABLES)


@pytest.fixture
def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE members AS SELECT 7 AS member_no, 'a@b' AS mail, 'DE' AS land,"
        " TIMESTAMP '2026-01-02' AS since, 'pro' AS plan UNION ALL SELECT 8, 'c@d', 'AT', NULL, NULL"
    )
    connection.execute(
        "CREATE TABLE workouts AS SELECT 7 AS member, TIMESTAMP '2026-03-04 05:06:07' AS done_at,"
        " 'run' AS kind FROM range(3)"
    )
    connection.execute(
        "CREATE TABLE devices AS SELECT 7 AS member, 'token' AS push_token, TIMESTAMP '2026-03-04' AS seen"
    )
    return connection


def test_each_model_is_behind_those_that_it_reads_and_knows_its_columns(models: Models) -> None:
    assert tuple(models) == ("devices", "people", "runs", "runners")
    assert models["people"].columns == {"user_id": "text", "country": "text", "joined": "timestamp"}
    assert models["runners"].columns == {"user_id": "text", "country": "text", "times": "integer"}
    assert models["runners"].models == {"people", "runs"}


def test_a_field_of_json_is_a_text(write: Write) -> None:
    documents = Tables([SourceTable(name="d", columns={"data": SourceColumn(name="data", type="json")})])
    sql = """
        SELECT data ->> 'id' AS user_id, coalesce(data ->> 'zone', 'UTC') AS zone,
            CASE WHEN data ->> 'kind' = 'run' THEN data ->> 'place' END AS place, (data ->> 'a') || '!' AS a
        FROM d
    """
    assert set(read_models(write(fields=sql), documents)["fields"].columns.values()) == {"text"}


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT user_id, country FROM people", [("7", "DE")]),
        ("SELECT people.user_id FROM people", [("7",)]),
        ("SELECT runners.times, p.country FROM runners JOIN people p ON p.user_id = runners.user_id", [(3, "DE")]),
        ("WITH few AS (SELECT user_id FROM runners) SELECT user_id FROM few", [("7",)]),
        ("SELECT land FROM members WHERE CAST(member_no AS TEXT) IN (SELECT user_id FROM runs)", [("DE",)]),
        ("SELECT user_id FROM people UNION SELECT user_id FROM runs", [("7",)]),
    ],
)
def test_a_query_reads_models_like_tables(
    sql: str, rows: list[tuple[object, ...]], models: Models, database: duckdb.DuckDBPyConnection
) -> None:
    query = models.read(sql, parameters=[])
    assert query.tables <= TABLES.keys()
    assert database.execute(query.sql("duckdb")).fetchall() == rows


def test_only_tables_that_a_query_reaches_are_read(models: Models) -> None:
    assert models.read("SELECT user_id FROM runs", parameters=[]).tables == {"workouts"}
    assert models.read("SELECT user_id FROM runners", parameters=[]).tables == {"workouts", "members"}
    assert models.read("SELECT mail FROM members", parameters=[]).sql("postgres") == "SELECT mail FROM members"


def test_a_model_reads_the_time_of_the_execution(write: Write, database: duckdb.DuckDBPyConnection) -> None:
    recent = "SELECT member_no AS member FROM members WHERE since < CAST($now AS TIMESTAMP)"
    query = read_models(write(recent=recent), TABLES).read("SELECT member FROM recent", parameters=["now"])
    assert database.execute(query.sql("duckdb"), {"now": "2026-06-01"}).fetchall() == [(7,)]


@pytest.mark.parametrize(
    ("written", "file", "line", "reason"),
    [
        ({"people": "SELECT user_id\nFROM memebrs"}, "people", 2, "reads 'memebrs', which is not a table"),
        ({"people": "SELECT 1 AS a\nFROM members m\nWHERE ("}, "people", 3, "cannot be read as PostgreSQL"),
        ({"people": "DELETE FROM members"}, "people", 1, "is not a SELECT but DELETE"),
        ({"people": "SELECT $who AS user_id"}, "people", 1, "reads $who, which is not one of its parameters"),
        ({"people": "SELECT member_no,\n  nmae FROM members"}, "people", 2, "cannot be understood"),
        ({"people": "SELECT land,\n  land FROM members"}, "people", 1, "yields the column land twice"),
        ({"people": "SELECT\n  upper(land) FROM members"}, "people", None, "without a name"),
        ({"people": "SELECT NULL AS a FROM members"}, "people", 1, "does not show the type of a"),
        (
            {"a": "SELECT x FROM b", "b": "SELECT x FROM c", "c": "SELECT x FROM a"},
            "a",
            1,
            "a reads b reads c reads a",
        ),
        ({"a-b": "SELECT 1 AS a"}, "a-b", None, "is not a name for a model"),
        ({"model__a": "SELECT 1 AS a"}, "model__a", None, "is not a name for a model"),
        ({"a": "WITH model__a AS (SELECT 1 AS b) SELECT b FROM model__a"}, "a", 1, "are reserved"),
        ({"a": "WITH members AS (SELECT 1 AS b) SELECT b FROM members"}, "a", 1, "the name of the table members"),
        ({"a": "WITH b AS (SELECT 1 AS c) SELECT c FROM b", "b": "SELECT 1 AS c"}, "a", 1, "name of the table b"),
    ],
)
def test_what_is_wrong_names_file_and_line(
    written: dict[str, str], file: str, line: int | None, reason: str, write: Write
) -> None:
    with pytest.raises(BadWorkspace) as refused:
        read_models(write(**written), TABLES)
    place, _, told = refused.value.problems[0].partition(": ")
    assert reason in told
    assert f"/{file}.sql:{line or ''}" in place


def test_a_model_that_reads_a_broken_one_is_no_second_problem(write: Write) -> None:
    with pytest.raises(BadWorkspace) as refused:
        read_models(write(a="SELECT x FROM b", b="SELECT x FROM nothing", c="SELECT y FROM nowhere"), TABLES)
    assert [Path(problem.partition(":")[0]).stem for problem in refused.value.problems] == ["b", "c"]


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "people.sql"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(BadWorkspace, match=r"people\.sql:1: is not UTF-8: save the file as UTF-8"):
        read_models([file], TABLES)


def test_a_model_that_reads_itself_is_told_so(write: Write) -> None:
    with pytest.raises(BadWorkspace, match=r"loop\.sql:2: the model reads itself: read a source table, or another"):
        read_models(write(loop="SELECT x\nFROM loop"), TABLES)


def test_a_query_that_names_a_reserved_name_is_refused(models: Models) -> None:
    for sql in (
        "SELECT user_id FROM model__people",
        "WITH model__people AS (SELECT 1 AS a) SELECT a FROM model__people",
    ):
        with pytest.raises(RefusedQuery, match="model__people"):
            models.read(sql, parameters=[])


def test_a_chain_of_200_models_is_read_at_once(write: Write, database: duckdb.DuckDBPyConnection) -> None:
    chain = {f"m{number}": f"SELECT user_id FROM m{number - 1}" for number in range(1, 200)}
    models = read_models(write(m0="SELECT CAST(member_no AS TEXT) AS user_id FROM members", **chain), TABLES)
    query = models.read("SELECT user_id FROM m199", parameters=[])
    assert len(database.execute(query.sql("duckdb")).fetchall()) == 2


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT m.land AS user_id FROM members m",
        "SELECT user_id FROM members WHERE land = 'DE'",
        "SELECT p.user_id FROM people p JOIN members m ON m.user_id = p.user_id AND m.mail = p.user_id",
    ],
)
def test_a_query_for_a_column_of_a_hidden_table_learns_those_of_the_model(sql: str, write: Write) -> None:
    written = {"members": "SELECT CAST(member_no AS TEXT) AS user_id, since FROM members"}
    models = read_models(write(**written, people="SELECT user_id FROM members"), TABLES)
    with pytest.raises(
        RefusedQuery, match="; members is the model members here, and not the table: its columns"
    ) as no:
        read_custom_query(sql, models.readable)
    assert str(no.value).endswith("are user_id, since")
    with pytest.raises(RefusedQuery, match=r"Column 'lnd' could not be resolved[^;]*$"):
        read_custom_query("SELECT lnd AS user_id FROM members", models.readable)
    with pytest.raises(BadWorkspace, match="members is the model members here, and not the table"):
        read_models(write(**written, other=sql.replace("people", "members")), TABLES)
