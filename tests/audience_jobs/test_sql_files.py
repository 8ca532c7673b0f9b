"""Jobs as SQL files: what they declare, what is inferred, and what is refused with its line."""

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from audience_jobs import job_files
from audience_jobs.contract import Audience, Check, Column, Freshness, Job, Parameter
from audience_jobs.errors import BadWorkspace
from audience_jobs.job_files.sql_file import read_sql_file
from audience_jobs.workspace import Workspace
from tests.audience_jobs.fitness import fitness

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((Path(job_files.__file__).parent / "job.schema.json").read_text(encoding="utf-8"))
BARE = 'SELECT id AS user_id, username, first_name AS "firstName", created_at AS joined FROM members'
FULL = """-- The team's first job.
/*
title = "Members who train"
layer = 2

[parameters.days]
type = "integer"
default = 30
minimum = 1
maximum = 365
meaning = "how many days count"

[parameters.kind]
type = "text"
meaning = "what they did"

[parameters.only_done]
type = "boolean"
default = false
meaning = "whether it has to be done"

[audiences.often]
meaning = "members who train often"

[audiences.at-times]
meaning = "members who train at times"
columns = ["user_id", "workouts"]

[columns]
workouts = "how many workouts there were"

[checks.some]
failing_sql = "SELECT CASE WHEN count(*) = 0 THEN 1 ELSE 0 END FROM job_rows WHERE workouts > 0 AND audience <> ''"
meaning = "nobody trained: is the export complete?"

[freshness]
table = "workouts"
column = "At"
hours = 48
*/
SELECT CASE WHEN count(*) > 1 THEN 'often' ELSE 'at-times' END AS audience,
       w.memberId AS user_id, max(w.At) AS last, count(*) AS workouts -- a comment
FROM workouts w
WHERE w.At >= CAST($now AS TIMESTAMP) - CAST($days AS INTEGER) * INTERVAL '1 day'
  AND w.details ->> 'kind' = CAST($kind AS TEXT) AND (w.done OR NOT CAST($only_done AS BOOLEAN))
GROUP BY w.memberId;
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return fitness(tmp_path_factory.mktemp("shop") / "fitness", devices=True)


def read(shop: Workspace, text: str | bytes, name: str = "quiet.sql") -> Job:
    path = shop.folder / "jobs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_sql_file(path, shop.models)


def problems(shop: Workspace, text: str | bytes) -> list[str]:
    with pytest.raises(BadWorkspace) as refused:
        read(shop, text)
    return [problem.removeprefix(f"{shop.folder}/jobs/quiet.sql:") for problem in refused.value.problems]


def test_a_bare_select_is_a_job_of_one_audience_named_after_the_file(shop: Workspace) -> None:
    job = read(shop, BARE, "new_members.sql")
    assert (job.id, job.title, job.layer, job.parameters, job.checks) == ("new_members", "New members", 3, (), ())
    (audience,) = job.audiences
    assert (audience.name, audience.meaning) == ("new_members", "users that new_members finds")
    assert [(column.name, column.type) for column in audience.columns] == [
        ("user_id", "text"),
        ("username", "text"),
        ("firstName", "text"),
        ("joined", "timestamp"),
    ]


def test_all_that_a_job_in_python_declares_can_be_declared(shop: Workspace) -> None:
    job = read(shop, FULL)
    user_id = Column(name="user_id", type="text", meaning="the user's id")
    last = Column(name="last", type="timestamp", meaning="a column of the job's own SELECT")
    workouts = Column(name="workouts", type="integer", meaning="how many workouts there were")
    assert (job.title, job.layer) == ("Members who train", 2)
    assert job.parameters == (
        Parameter(name="days", type="integer", default=30, minimum=1, maximum=365, meaning="how many days count"),
        Parameter(name="kind", type="text", meaning="what they did"),
        Parameter(name="only_done", type="boolean", default=False, meaning="whether it has to be done"),
    )
    assert job.audiences == (
        Audience(name="often", columns=(user_id, last, workouts), meaning="members who train often"),
        Audience(name="at-times", columns=(user_id, workouts), meaning="members who train at times"),
    )
    (check,) = job.checks
    assert check == Check(
        name="some", failing_sql=check.failing_sql, meaning="nobody trained: is the export complete?"
    )
    assert job.freshness == Freshness(table="workouts", column="at", hours=48)


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{FULL}".encode(),
        FULL.replace("\n", "\r\n").encode(),
        f"\ufeff{FULL}".replace("\n", "\r\n").encode(),
        f"\n  \n{FULL}",
        FULL.replace("/*\ntitle", "/* title").replace("hours = 48\n*/", "hours = 48 */"),
    ],
    ids=["mark", "windows", "both", "blank lines", "one line"],
)
def test_how_an_editor_saves_a_file_makes_no_difference(text: str | bytes, shop: Workspace) -> None:
    assert read(shop, text) == read(shop, FULL)


def test_one_audience_may_have_another_name_than_the_file(shop: Workspace) -> None:
    job = read(shop, f"/*\n[audiences.fresh]\n*/ {BARE}")
    assert [audience.name for audience in job.audiences] == ["fresh"]
    assert "CAST('fresh' AS TEXT) AS audience" in job.sql


def test_comments_below_the_declaration_and_in_texts_stay_comments_and_texts(shop: Workspace) -> None:
    text = "SELECT id AS user_id, '/* x */ -- y' AS x /* z */ FROM members -- /* w"
    assert "'/* x */ -- y'" in read(shop, text).sql
    assert read(shop, f"/**/ /* no = TOML = here */ {text}").title == "Quiet"


DECLARED = {
    "titel = 'x'": '2: titel: unknown key; did you mean "title"?',
    "title = ": "2: is not valid TOML: Invalid value; the block comment above the SELECT is the job's declaration: "
    "write other comments with --",
    "Members who train": "2: is not valid TOML: Expected '=' after a key in a key/value pair; the block comment "
    "above the SELECT is the job's declaration: write other comments with --",
    "title = 5": "2: title: is a number: write a text in quotes",
    "title = ' '": "2: title: is empty: say what it is, or leave it out",
    "layer = 10": "2: layer: is 10: layers go from 1 to 9",
    "layer = true": "2: layer: is true: write a whole number",
    "layer = 2.0": "2: layer: is a number: write a whole number",
    "parameters = 5": "2: parameters: is a number: write a table",
    "[parameters]\nx = 5": "3: parameters.x: is a number: write a table",
    "[parameters.x]\ntype = 'text'": "2: parameters.x: lacks meaning: write a text in quotes",
    "[parameters.x]\nmeaning = 'x'": "2: parameters.x: lacks type: write a text in quotes",
    "[parameters.x]\nmeaning = 'x'\ntype = 'int'": '4: parameters.x.type: unknown type "int"; did you mean '
    '"integer"?',
    "[parameters.x]\nmeaning = 'x'\ntype = 'text'\nmin = 1": "5: parameters.x.min: unknown key; did you mean "
    '"minimum"?',
    "[parameters.x]\nmeaning = 'x'\ntype = 'integer'\nmaximum = 3\ndefault = 4": "6: parameters.x.default: is 4: "
    "write a whole number up to 3",
    "[parameters.x]\nmeaning = 'x'\ntype = 'integer'\ndefault = '4'": '5: parameters.x.default: is "4": '
    "write a whole number",
    "[parameters.x]\nmeaning = 'x'\ntype = 'integer'\nminimum = '4'": '5: parameters.x.minimum: is "4": '
    "write a whole number",
    "[parameters.X]\nmeaning = 'x'\ntype = 'text'": "2: parameters.X: is not a name: write lower case letters, "
    "digits and _, a letter first",
    "[parameters.now]\nmeaning = 'x'\ntype = 'text'": "2: parameters.now: is the time, which every job may read: "
    "give it another name",
    "[audiences.'../a']": "2: audiences.../a: is not a name: write letters, digits, - and _, a letter or digit first",
    "[audiences.a]\ncolumns = 'user_id'": '3: audiences.a.columns: is "user_id": write a list',
    "[audiences.a]\ncolumns = [1]": "3: audiences.a.columns: has other things than names of columns: write each in "
    "quotes",
    "[audiences.a]\n[audiences.b]\n[audiences.a]": "4: is not valid TOML: Cannot declare ('audiences', 'a') twice; "
    "the block comment above the SELECT is the job's declaration: write other comments with --",
    "[columns]\nusername = 5": "3: columns.username: is a number: write a text in quotes",
    "[checks.a]\nfailing_sql = 'SELECT 0 AS n'": "2: checks.a: lacks meaning: write a text in quotes",
    "[freshness]\ntable = 'members'\ncolumn = 'created_at'": "2: freshness: lacks hours: write a whole number",
    "[freshness]\ntable = 'members'\ncolumn = 'created_at'\nhours = 0": "5: freshness.hours: has to be 1 or more",
}
READ_TOGETHER = {
    "[parameters.x]\nmeaning = 'x'\ntype = 'text'": "2: parameters.x: nothing reads it: write $x, or leave it out",
    "[audiences.a]\n[audiences.b]": "2: audiences: the SELECT yields no column audience, which names one of the 2 "
    "for each row",
    "[audiences.a]\ncolumns = ['username']": "3: audiences.a.columns: the first column has to be user_id",
    "[audiences.a]\ncolumns = ['user_id', 'usrname']": "3: audiences.a.columns: the SELECT yields no column "
    '"usrname"; did you mean "username"?',
    "[audiences.a]\ncolumns = ['user_id', 'user_id']": "3: audiences.a.columns: names a column twice",
    "[columns]\nnick = 'x'": '3: columns.nick: the SELECT yields no column "nick"; known: user_id, username, '
    "firstName, joined",
    "[columns]\nJoined = 'x'": "3: columns.Joined: the SELECT yields joined: SQL keeps capitals in quotes, as in AS "
    '"Joined"',
    "[checks.a]\nmeaning = 'x'\nfailing_sql = 'SELECT'": "4: checks.a.failing_sql: the query selects nothing",
    "[checks.a]\nmeaning = 'x'\nfailing_sql = 'SELECT 1, 2'": "4: checks.a.failing_sql: the query yields 2 columns: "
    "write one, the number of wrong rows",
    "[checks.a]\nmeaning = 'x'\nfailing_sql = '''\nSELECT count(\n'''": "4: checks.a.failing_sql: the query cannot "
    "be read as PostgreSQL: Expecting )",
    "[checks.a]\nmeaning = 'x'\nfailing_sql = 'SELECT count(phone) FROM members'": "4: checks.a.failing_sql: the "
    "query names phone, and members.phone is private: leave it out",
    "[checks.a]\nmeaning = 'x'\nfailing_sql = 'SELECT count(*) FROM devices'": "4: checks.a.failing_sql: the query "
    "reads devices, which is private: only Tminus reads device tokens",
    "[freshness]\ntable = 'members'\ncolumn = 'bio'\nhours = 1": "2: freshness: members.bio is not a timestamp of "
    "the source tables",
    "[freshness]\ntable = 'devices'\ncolumn = 'updated_at'\nhours = 1": "2: freshness: devices.updated_at is "
    "private: name another column",
}


@pytest.mark.parametrize(("toml", "problem"), {**DECLARED, **READ_TOGETHER}.items(), ids=repr)
def test_what_is_wrong_in_the_declaration_is_told_with_the_line_of_the_file(
    toml: str, problem: str, shop: Workspace
) -> None:
    assert problems(shop, f"/*\n{toml}\n*/\n{BARE}") == [problem]
    line, reason = problem.split(":", 1)
    moved = f"-- one\n\n-- two\n/*\n{toml}\n*/\n{BARE}".replace("\n", "\r\n")
    assert problems(shop, moved) == [f"{int(line) + 3}:{reason}"]


SELECTS = {
    "": "1: has no SELECT: write one that yields user_id, as in id AS user_id",
    " \n\n": "1: has no SELECT: write one that yields user_id, as in id AS user_id",
    "/*\ntitle = 'x'\n*/\n": "1: has no SELECT: write one that yields user_id, as in id AS user_id",
    "-- nothing": "1: the SELECT is 0 statements: write one SELECT",
    "\n/*\ntitle = 'x'\n": "2: the comment has no end: write */ below the declaration",
    "/* */\n\nSELECT username FROM members": "3: the SELECT yields no column user_id: name the column of the users' "
    "ids so, as in id AS user_id",
    "SELECT id AS user_id,\n  nick FROM members": "2: the SELECT cannot be understood: Column 'nick' could not be "
    "resolved. Line: 2, Col: 6",
    "/*\nlayer = 1\n*/\nSELECT id AS user_id\nFROM memers": "5: the SELECT reads 'memers', which is not a table this "
    "query can read; those are devices, group, members, profiles, tokens, workouts",
    "/*\n*/\nSELECT id AS user_id\nFROM (members": "4: the SELECT cannot be read as PostgreSQL: Expecting ) in line "
    "4",
    "SELECT id AS user_id FROM members\nWHERE bio = $kind": "2: the SELECT reads $kind, which is not one of its "
    "parameters; known: $now",
    "SELECT id AS user_id, bio AS audience FROM members": "1: the SELECT yields a column audience: declare the "
    "audiences above, each as in [audiences.NAME]",
    "SELECT id AS user_id, phone FROM members": "1: the SELECT names phone, and members.phone is private: leave it "
    "out",
    "SELECT id AS user_id FROM members WHERE phone IS NULL": "1: the SELECT names phone, and members.phone is "
    "private: leave it out",
    "SELECT user_id, token FROM devices": "1: the SELECT reads devices, which is private: only Tminus reads device "
    "tokens",
    "SELECT user_id FROM tokens": "1: the SELECT reads tokens, which is private: only Tminus and audience jobs in "
    "Python read it",
    "SELECT m.id AS user_id, CAST(m AS TEXT) AS x FROM members m": "1: the SELECT reads m as a whole row: name its "
    "columns",
    "DELETE FROM members": "1: the SELECT is not a SELECT but DELETE: write one SELECT, which only reads",
    "SELECT id AS user_id FROM members; SELECT 1 AS x": "1: the SELECT is 2 statements: write one SELECT",
    "SELECT id AS user_id, now() AS x FROM members": "1: the SELECT asks for the time: read it as $now, so that a "
    "repeat gives the same rows",
    "SELECT id AS user_id, NULL AS x FROM members": "1: the SELECT does not show the type of x: cast it, as in "
    "CAST(... AS TEXT) AS x",
    "SELECT id AS user_id, 0.5 AS x FROM members": "1: the SELECT yields x with a fraction, which engines write "
    "differently: make it a whole number, as in CAST(floor(x) AS BIGINT)",
    'SELECT id AS user_id, bio AS "x", bio AS "X" FROM members': "1: the SELECT yields the column x twice: engines "
    "do not distinguish capitals",
    'SELECT id AS "User_Id" FROM members': "1: the SELECT yields no column user_id: name the column of the users' "
    "ids so, as in id AS user_id",
    f"SELECT id AS user_id FROM members WHERE bio <> '{'x' * 200_000}'": "1: the SELECT is longer than 200,000 "
    "characters, or holds one of code 0",
    f"SELECT id AS user_id FROM members WHERE bio <> '{'x' * 199_940}'": "1: the SELECT is longer than 200,000 "
    "characters, or holds one of code 0",
    "SELECT id AS user_id FROM members WHERE bio = '\0'": "1: the SELECT is longer than 200,000 characters, or holds "
    "one of code 0",
}


@pytest.mark.parametrize(("text", "problem"), SELECTS.items(), ids=[text[:60] for text in SELECTS])
def test_what_is_wrong_in_the_select_is_told_with_its_line(text: str, problem: str, shop: Workspace) -> None:
    assert problems(shop, text) == [problem]


def test_the_examples_of_the_docs_are_jobs(tmp_path: Path) -> None:
    page, tables = ((DOCS / name).read_text() for name in ("how-to-write-an-audience-job.md", "workspace.md"))
    (tmp_path / "tables.toml").write_text(re.findall(r"```toml\n(\[members.*?)```", tables, re.DOTALL)[0])
    (tmp_path / "tminus.toml").write_text('name = "docs"')
    small, full = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    docs = Workspace(tmp_path)
    assert [column.name for column in read(docs, small).audiences[0].columns] == ["user_id", "firstName", "joined"]
    assert [audience.name for audience in read(docs, full).audiences] == ["often", "at-times"]


def test_a_file_in_another_encoding_names_the_line(shop: Workspace) -> None:
    latin = "-- a\nSELECT id AS user_id, 'é' AS x FROM members".encode("latin-1")
    assert problems(shop, latin) == ["2: is not UTF-8: save the file as UTF-8"]


def test_all_problems_of_a_declaration_are_told_in_the_order_of_their_lines(shop: Workspace) -> None:
    text = f"/*\nlayer = 0\ntitel = 'x'\n[checks.a]\n[freshness]\nhours = 'x'\n*/\n{BARE}"
    assert [problem.partition(":")[0] for problem in problems(shop, text)] == ["2", "3", "4", "4", "5", "5", "6"]


def test_a_declaration_of_200_000_characters_is_read_at_once(shop: Workspace) -> None:
    job = read(shop, f"{' ' * 100_000}/*\n{'# more' * 20_000}\ntitle = 'Long'\n*/\n{BARE}")
    assert job.title == "Long"


def test_the_schema_accepts_what_the_reader_accepts_and_refuses_what_it_refuses(shop: Workspace) -> None:
    from audience_jobs.job_files.sql_file import _parts  # noqa: PLC0415

    good = [FULL, f"/*\n[audiences.fresh]\n*/ {BARE}", BARE, *(f"/*\n{toml}\n*/\n{BARE}" for toml in READ_TOGETHER)]
    validator = jsonschema_rs.validator_for(SCHEMA)
    for text in good:
        validator.validate(dict(_parts(shop.folder / "x.sql", text)[0].content))
    for toml, problem in DECLARED.items():
        if "is not valid TOML" not in problem:
            content = dict(_parts(shop.folder / "x.sql", f"/*\n{toml}\n*/\n{BARE}")[0].content)
            wrong = not validator.is_valid(content)
            assert wrong or toml == "layer = 2.0" or toml.endswith("maximum = 3\ndefault = 4"), toml
