"""`tminus tables`: tables.toml of files and of PostgreSQL, and how it differs from them later."""

import shutil
import time
from pathlib import Path

import duckdb
import psycopg
import pytest

from audience_jobs.workspace import Workspace
from tests.command import Tminus, calling

TOKEN = "dGVzdC1pbnN0YW5jZQ:APA91b" + "x" * 130
ADD = "run tminus tables to add it"
READERS = "id;mail;zone;age;born;paid\n" + "".join(
    f"{n};r{n}@news.example;Europe/Berlin;{'n/a' if n == 77 else n};2026-01-0{1 + n % 9};{n % 2 == 0}\n"
    for n in range(1, 101)
)


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Tminus:
    """The command, in a workspace without tables.toml whose data are in `export` beside it."""
    (tmp_path / "news").mkdir()
    (tmp_path / "export").mkdir(exist_ok=True)
    (tmp_path / "news" / "tminus.toml").write_text('name = "news"\n[source]\ndata = "../export"\n')
    monkeypatch.chdir(tmp_path / "news")
    return calling(monkeypatch, capsys)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir(exist_ok=True)
    (folder / "readers.csv").write_text(READERS, encoding="utf-8-sig")
    (folder / "phones.csv").write_text(f"reader,push_token,os\n1,{TOKEN},ios\n2,{TOKEN}y,android\n")
    return folder


def types_in(folder: Path) -> dict[str, dict[str, str]]:
    return {name: dict(table.types) for name, table in Workspace(folder).tables.items()}


def test_types_come_from_the_values_and_what_is_private_is_marked(tminus: Tminus, export: Path) -> None:
    made = tminus("tables")
    assert (made.status, made.err) == (0, "")
    unsure = "1 of 100 values are not integer, such as 'n/a', so it is text"
    assert made.out.splitlines()[0] == f"unsure about readers.age: {unsure}"
    assert made.out.endswith(f"tables.toml: brought up to date: 2 tables with 9 columns in {export}\n")
    tables = Workspace(Path()).tables
    assert {name: table.private_columns for name, table in tables.items()} == {
        "phones": {"push_token"},
        "readers": {"mail"},
    }
    assert (tables["readers"].types["id"], tables["readers"].types["paid"]) == ("id", "boolean")
    again = tminus("tables", "--check")
    assert (again.status, again.out, again.err) == (
        0,
        f"tables.toml: is up to date: 2 tables with 9 columns in {export}\n",
        "",
    )


def test_no_private_value_is_shown(tminus: Tminus, export: Path) -> None:
    pins = "".join(f"{pin}\n" for pin in [*range(1000, 1099), "hush-pin"])
    (export / "cards.csv").write_text(f"pin\n{pins}")
    made = tminus("tables")
    assert "unsure about cards.pin: 1 of 100 values are not integer, so it is text" in made.out
    path = Path("tables.toml")
    text = path.read_text().replace('pin = { type = "text"', 'pin = { type = "integer"')
    path.write_text(text.replace('age = "text"', 'age = { type = "integer", private = true }'))
    answers = [tminus("tables", *options) for options in (["--check"], ["--check", "--json"], ["--json"])]
    assert answers[0].err.count("is integer here, but the source holds a private value") == 2
    for answer in (made, *answers):
        assert "hush" not in answer.out + answer.err
        assert answer is made or "n/a" not in answer.out + answer.err


def test_a_private_column_that_vanishes_is_named_as_one(tminus: Tminus, export: Path) -> None:
    tminus("tables")
    (export / "phones.csv").write_text("reader,os\n1,ios\n")
    (export / "readers.csv").unlink()
    removed = tminus("tables").out.splitlines()
    way_out = ", which was private: mark it again if it comes back"
    assert removed[:2] == [f"removed phones.push_token{way_out}", f"removed readers{way_out}"]


def test_each_difference_is_a_line_with_its_way_out(tminus: Tminus, export: Path) -> None:
    tminus("tables")
    path = Path("tables.toml")
    text = path.read_text().replace('age = "text"', 'age = "integer"')
    path.write_text(
        text.replace("[readers.columns]", '[gone.columns]\nid = "id"\n\n[readers.columns]\nnick = "text"')
    )
    (export / "phones.csv").write_text(f"reader,push_token,os,seen\n1,{TOKEN},ios,2026-01-01\n")
    (export / "new.csv").write_text("a\n1\n")
    answer = tminus("tables", "--check")
    assert (answer.status, answer.out) == (2, "")
    before = path.read_text()
    number = {line.split(" = ")[0]: n for n, line in enumerate(before.splitlines(), start=1)}
    vanished = f"is not in {export} any more: put it back, or take it out of the file"
    changed = """is integer here, but the source holds 'n/a': write "text", or correct the source"""
    assert answer.err.splitlines() == [
        f"tminus: tables.toml:{number['[phones.columns]']}: phones.seen: is a new column of {export}: {ADD}",
        f"tminus: tables.toml:{number['[gone.columns]']}: gone: {vanished}",
        f"tminus: tables.toml:{number['nick']}: readers.nick: {vanished}",
        f"tminus: tables.toml:{number['age']}: readers.age: {changed}",
        f"tminus: tables.toml:1: new: is a new table of {export}: {ADD}",
    ]
    found = tminus("tables", "--check", "--json")
    assert (found.status, [each["kind"] for each in found.report["differences"]]) == (
        2,
        ["new_column", "table_vanished", "column_vanished", "type_changed", "new_table"],
    )
    assert path.read_text() == before
    made = tminus("tables")
    assert (made.status, made.err.count("\n")) == (0, 1), "the type that a person wrote stays, and is named"
    assert made.out.splitlines()[:4] == ["added phones.seen", "removed gone", "removed readers.nick", "added new"]
    assert types_in(Path())["readers"]["age"] == "integer"


def test_the_type_to_write_holds_what_the_source_has(tminus: Tminus, export: Path) -> None:
    rows = "".join(f"{number},true,2026-01-01T10:00:00Z\n" for number in range(2_000))
    (export / "orders.csv").write_text(f"items,paid,ordered_at\n{rows}")
    tminus("tables")
    assert types_in(Path())["orders"] == {"items": "integer", "paid": "boolean", "ordered_at": "timestamp"}
    (export / "orders.csv").write_text(f"items,paid,ordered_at\n{rows}some,granted,31.02.2026\n")
    lines = [line.partition(": orders.")[2] for line in tminus("tables", "--check").err.splitlines()]
    assert lines == [
        """items: is integer here, but the source holds 'some': write "text", or correct the source""",
        """paid: is boolean here, but the source holds 'granted': write "text", or correct the source""",
        """ordered_at: is timestamp here, but the source holds '31.02.2026': write "text", or correct the source""",
    ]


@pytest.mark.parametrize("columns", [0, 600], ids=["all rows", "the first rows of a wide file"])
def test_what_the_engine_reads_as_a_type_is_of_that_type(tminus: Tminus, export: Path, columns: int) -> None:
    header, row = "".join(f",c{place}" for place in range(columns)), ",12" * columns
    (export / "visits.csv").write_text(f"at,zip{header}\n2026-09-14 13:37:00,8001{row}\n")
    tminus("tables")
    (export / "visits.csv").write_text(f"at,zip{header}\n2026/09/14 13:37:00,08001{row}\n")
    answer = tminus("tables", "--check")
    assert (answer.status, answer.err) == (0, "")
    (export / "visits.csv").write_text(f"at,zip{header}\n14.09.2026 13:37,08001{row}\n")
    assert "visits.at: is timestamp here, but the source holds '14.09.2026 13:37'" in tminus("tables", "--check").err


@pytest.mark.usefixtures("export")
def test_what_a_person_wrote_stays(tminus: Tminus) -> None:
    Path("tables.toml").write_text(
        "#:schema ../tables.schema.json\n# ours\n\n# tokens\n[phones]\nprivate = true\n# inner\n[phones.columns]\n"
        'reader = "text"   # who\n[readers.columns]\n# how old\nage = { private = true, type = "text" } # a "#" b\n'
        'mail = "text"\nMAILS = "id"\n'
    )
    assert tminus("tables").status == 0
    assert Path("tables.toml").read_text().splitlines()[:21] == [
        "#:schema ../tables.schema.json",
        "# ours",
        "",
        "# tokens",
        "[phones]",
        "private = true",
        "",
        "# inner",
        "[phones.columns]",
        'reader = "text"  # who',
        'push_token = { type = "text", private = true }',
        'os = "text"',
        "",
        "[readers.columns]",
        'id = "id"',
        'mail = "text"',
        'zone = "text"',
        "# how old",
        'age = { type = "text", private = true }  # a "#" b',
        *Path("tables.toml").read_text().splitlines()[19:21],
    ]
    written = Path("tables.toml").read_text()
    assert tminus("tables").out.startswith("tables.toml: is up to date")
    assert Path("tables.toml").read_text() == written


def test_two_files_for_a_table_and_a_broken_file_are_named_and_nothing_is_written(
    tminus: Tminus, export: Path
) -> None:
    duckdb.sql(f"COPY (SELECT 1 AS reader) TO '{export / 'phones.parquet'}'")
    (export / "broken.csv").write_text("a,b\n1\n")
    for command in (("tables",), ("tables", "--check")):
        answer = tminus(*command)
        assert (answer.status, answer.out) == (2, "")
        if command == ("tables",):
            assert [line.split(": ")[1] for line in answer.err.splitlines()] == [
                f"{export}/broken.csv",
                f"{export}/phones.csv",
            ]
            assert "phones.parquet exists too; remove the outdated one" in answer.err
    assert not Path("tables.toml").exists()


def test_odd_names_are_left_out_and_said(tminus: Tminus, tmp_path: Path) -> None:
    export = tmp_path / "export"
    (export / "Order.csv").write_text(
        "select,FROM,weird name,größe,id,ID,,a,a\n1,2,3,4,5,6,7,8,9\n", encoding="utf-8"
    )
    (export / "empty.csv").touch()
    (export / "only a header.csv").write_text("id\n")
    (export / "header.csv").write_text("member_id,note\n")
    (export / "tminus_x.csv").write_text("id\n1\n")
    (export / "notes.txt").write_text("hello")
    made = tminus("tables")
    assert made.status == 0
    assert types_in(Path()) == {
        "order": {"select": "integer", "from": "integer", "id": "id"},
        "header": {"member_id": "id", "note": "text"},
    }
    assert sorted(line.split(": ")[1] for line in made.err.splitlines()) == sorted(
        [
            '"" (column of Order)',
            '"ID" (column of Order)',
            '"a" (column of Order)',
            '"empty.csv" (file)',
            '"größe" (column of Order)',
            '"only a header" (table)',
            '"tminus_x" (table)',
            '"weird name" (column of Order)',
        ]
    )
    found = tminus("audience", "--query", query(tmp_path, 'SELECT id AS user_id, "select", "from" FROM "order"'))
    assert (found.status, found.out.splitlines()[1:]) == (0, ["  user_id  select  from", "  5        1       2"])


def query(folder: Path, sql: str) -> Path:
    path = folder / "query.sql"
    path.write_text(sql)
    return path


def test_parquet_says_its_types(tminus: Tminus, tmp_path: Path) -> None:
    select = """SELECT 7 AS user_id, 'x' AS name, 1::INTEGER AS n, true AS b, now() AS at, {'a': 1} AS j,
                '3f2504e0-4f89-11d3-9a0c-0305e82c3301'::UUID AS u, NULL::INTEGER AS nothing"""
    duckdb.sql(f"COPY ({select}) TO '{tmp_path / 'export' / 'events.parquet'}'")
    assert tminus("tables").status == 0
    assert types_in(Path()) == {
        "events": {
            "user_id": "id",
            "name": "text",
            "n": "integer",
            "b": "boolean",
            "at": "timestamp",
            "j": "json",
            "u": "id",
            "nothing": "integer",
        }
    }
    Path("tables.toml").write_text(Path("tables.toml").read_text().replace('b = "boolean"', 'b = "timestamp"'))
    assert "events.b: is timestamp here, but the source is boolean" in tminus("tables", "--check").err


@pytest.mark.long
def test_ten_thousand_columns_take_seconds(tminus: Tminus, tmp_path: Path) -> None:
    header = ",".join(f"c{place}" for place in range(10_000))
    row = ",".join("12" if place % 2 else "word" for place in range(10_000))
    (tmp_path / "export" / "wide.csv").write_text("\n".join([header, *[row] * 60]) + "\n")
    began = time.monotonic()
    assert tminus("tables").status == 0
    assert time.monotonic() - began < 60
    assert len(types_in(Path())["wide"]) == 10_000


def test_without_a_workspace_or_a_source_the_way_out_is_told(
    tminus: Tminus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "has no table in it: put one CSV or Parquet file a table there" in tminus("tables").err
    shutil.rmtree(tmp_path / "export")
    assert "user data folder ../export does not exist: put it back" in tminus("tables").err
    assert tminus("tables", "--check").status == 2
    monkeypatch.chdir(tmp_path)
    assert (
        tminus("tables").err == "tminus: there is no tminus.toml here or above: tminus init DIR makes a workspace\n"
    )


def test_postgresql_says_its_types(postgres: str, tminus: Tminus, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(postgres) as connection:
        connection.execute(
            b"""
            DROP SCHEMA IF EXISTS game CASCADE; CREATE SCHEMA game;
            CREATE TYPE game.mood AS ENUM ('good', 'bad');
            CREATE TABLE game."Players" (player_id bigint PRIMARY KEY, "nickName" varchar, contact text,
                mood game.mood, level smallint, seen timestamptz, extra jsonb, ok boolean, "odd name" text, u uuid);
            INSERT INTO game."Players" VALUES (1, 'ann', 'a@game.example', 'good', 3, now(), '{}', true, '', NULL);
            CREATE TABLE game.scores (player bigint, points integer) PARTITION BY LIST (player);
            CREATE TABLE game.scores_1 PARTITION OF game.scores FOR VALUES IN (1);
            CREATE VIEW game.best AS SELECT player_id FROM game."Players";
            """
        )
    Path("tminus.toml").write_text('name = "game"\n[source]\npostgres = "GAME_DATABASE"\nschema = "game"\n')
    assert tminus("tables").err == "tminus: GAME_DATABASE: must be set: it has the address of the user database\n"
    monkeypatch.setenv("GAME_DATABASE", postgres)
    made = tminus("tables")
    assert made.status == 0, made.err
    assert made.err.startswith('left out: "odd name" (column of Players): a name has up to 63 letters')
    assert types_in(Path()) == {
        "players": {
            "player_id": "id",
            "nickname": "text",
            "contact": "text",
            "mood": "text",
            "level": "integer",
            "seen": "timestamp",
            "extra": "json",
            "ok": "boolean",
            "u": "id",
        },
        "best": {"player_id": "id"},
        "scores": {"player": "integer", "points": "integer"},
    }
    assert tminus("tables", "--check").status == 0
    with psycopg.connect(postgres) as connection:
        connection.execute(b"DROP VIEW game.best; ALTER TABLE game.scores ALTER points TYPE text")
        connection.execute(b"INSERT INTO game.scores VALUES (1, 'many')")
    answer = tminus("tables", "--check")
    assert [line.split(": ")[2] for line in answer.err.splitlines() if "left out" not in line] == [
        "best",
        "scores.points",
    ]
    assert "but the source holds 'many'" in answer.err
