"""`tminus check` on a workspace with its data: what `run` and `recipes push` refuse, it names."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.audience_jobs.foreign import WORLDS, fill_postgres, write_csv
from tests.command import Tminus, calling


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Tminus:
    monkeypatch.chdir(tmp_path)
    return calling(monkeypatch, capsys)


@pytest.fixture
def team(tminus: Tminus) -> Path:
    write_csv(WORLDS["news"](40, 1), Path("export"))
    assert tminus("init", "team", "--data", "export").status == 0
    return Path("team")


@pytest.mark.long
def test_two_recipes_with_one_id_are_a_problem(team: Path, tminus: Tminus) -> None:
    first, second = team / "recipes/hello.json", team / "recipes/second.json"
    recipe: dict[str, Any] = json.loads(first.read_text())
    second.write_text(json.dumps(recipe | {"id": "hello"}, indent=2))
    way_out = "give one of them another id, or remove it"
    checked = tminus("--workspace", "team", "check")
    assert (checked.status, checked.err.count("\n")) == (2, 2)
    assert f"recipes/hello.json:2: id: 'hello' is the id in {second} too: {way_out}" in checked.err
    assert f"recipes/second.json:2: id: 'hello' is the id in {first} too: {way_out}" in checked.err
    validated = tminus("--workspace", "team", "recipes", "validate", first, second)
    assert (validated.status, validated.err.count(way_out)) == (2, 2)
    assert tminus("--workspace", "team", "recipes", "validate", second).status == 0


@pytest.mark.long
def test_a_model_with_several_rows_of_a_user_is_named_where_a_recipe_joins_it(team: Path, tminus: Tminus) -> None:
    (team / "models/reads.sql").write_text(
        "SELECT reader_id AS user_id FROM readers UNION ALL SELECT reader_id FROM readers"
    )
    (team / "models/once.sql").write_text("""SELECT reader_id AS user_id FROM readers
        UNION ALL SELECT 'stranger' FROM readers UNION ALL SELECT NULL FROM readers""")
    assert tminus("--workspace", "team", "check").status == 0
    path = team / "recipes/hello.json"
    recipe: dict[str, Any] = json.loads(path.read_text())
    recipe["audienceCriteria"]["with"] = ["once", {"model": "reads", "optional": True}]
    path.write_text(json.dumps(recipe, indent=2))
    checked = tminus("--workspace", "team", "check")
    said = f"40 users have several rows, and {path} joins it: make it one row a user"
    assert (checked.status, checked.err) == (2, f"tminus: {team / 'models/reads.sql'}:1: {said}\n")
    ran = tminus("--workspace", "team", "run", path, "--on", "2026-11-30")
    assert (
        "users have several rows in people, or in once or reads of audienceCriteria.with: make it"
        in ran.out + ran.err
    )


def test_people_who_come_twice_are_counted(team: Path, tminus: Tminus) -> None:
    (team / "models/people.sql").write_text(
        "SELECT reader_id AS user_id FROM readers UNION ALL SELECT reader_id FROM readers"
    )
    said = "the audience of all people: users have several rows in people: make it one row a user (users: 40)"
    (team / "recipes/hello.json").unlink()
    assert tminus("--workspace", "team", "check").err == f"tminus: {team / 'models/people.sql'}:1: {said}\n"


@pytest.mark.long
@pytest.mark.parametrize("private", [False, True])
def test_a_database_has_a_value_that_is_not_of_its_type(private: bool, tminus: Tminus, postgres: str) -> None:
    fill_postgres(WORLDS["news"](40, 1), postgres, "consenting")
    with psycopg.connect(postgres) as connection:
        connection.execute(b"ALTER TABLE consenting.readers ADD COLUMN consent text DEFAULT 'true'")
    assert tminus("init", "team", "--postgres", postgres, "--schema", "consenting").status == 0
    tables, people = Path("team/tables.toml"), Path("team/models/people.sql")
    if private:
        text = tables.read_text()
        tables.write_text(text.replace('consent = "boolean"', 'consent = { type = "boolean", private = true }'))
    people.write_text("SELECT reader_id AS user_id FROM readers WHERE consent AND lang IS NOT NULL")
    with psycopg.connect(postgres) as connection:
        connection.execute(
            b"INSERT INTO consenting.readers SELECT r.* FROM consenting.readers r, generate_series(1, 50);"
            b"UPDATE consenting.readers SET consent = 'granted' "
            b"WHERE ctid = (SELECT max(ctid) FROM consenting.readers)"
        )
    fault = "consenting.readers: column 'consent' holds a value that is not boolean"
    said = "" if private else ' (invalid input syntax for type boolean: "granted")'
    way_out = 'correct the source, or write "text" in tables.toml'
    line = f"tminus: {people}:1: the audience of all people: {fault}{said}: {way_out}\n"
    assert tminus("--workspace", "team", "check").err == line


@pytest.mark.long
def test_of_two_files_that_differ_in_capitals_check_and_run_read_the_known_one(team: Path, tminus: Tminus) -> None:
    where = Path("export").resolve()
    Path("export/READERS.csv").write_text("reader_id\n1\n")
    assert len(list(where.glob("[Rr]*.csv"))) == 2, "this disk distinguishes capitals"
    text = Path("export/readers.csv").read_text(encoding="utf-8")
    header, rest = text.split("\n", 1)
    doubled = "\n".join(f"x,{line}" for line in rest.splitlines())
    Path("export/readers.csv").write_text(f"READER_ID,{header}\n{doubled}\n", encoding="utf-8")
    checked = tminus("--workspace", "team", "check")
    assert (checked.status, checked.err.splitlines()) == (
        0,
        [
            f'tminus: warning: {where}: "READERS" (table): differs from readers in capitals only: rename one',
            f'tminus: warning: {where}: "READER_ID" (column of readers): differs from reader_id in capitals only: '
            "rename one",
        ],
    )
    people = checked.out.partition("; ")[2].partition(",")[0]
    assert people == "40 people"
    ran = tminus("--workspace", "team", "run", team / "recipes/hello.json", "--on", "2026-11-30", "--json")
    assert ran.status == 0, ran.err
    assert tminus("--workspace", "team", "tables", "--check").status == 0


def test_postgresql_decides_what_a_text_can_be_read_as(tminus: Tminus, postgres: str) -> None:
    fill_postgres(WORLDS["news"](40, 1), postgres, "texts")
    with psycopg.connect(postgres) as connection:
        connection.execute(b"ALTER TABLE texts.readers ADD COLUMN joined text DEFAULT '2026-09-14 13:37:00'")
    assert tminus("init", "team", "--postgres", postgres, "--schema", "texts").status == 0
    assert 'joined = "timestamp"' in Path("team/tables.toml").read_text()
    with psycopg.connect(postgres) as connection:
        connection.execute(b"UPDATE texts.readers SET joined = '2026/09/14 13:37:00'")
    assert tminus("--workspace", "team", "check").err == ""
    with psycopg.connect(postgres) as connection:
        connection.execute(
            b"UPDATE texts.readers SET joined = '31.02.2026' "
            b"WHERE reader_id = (SELECT max(reader_id) FROM texts.readers)"
        )
    told = """is timestamp here, but the source holds '31.02.2026': write "text", or correct the source"""
    assert f"readers.joined: {told}" in tminus("--workspace", "team", "check").err
