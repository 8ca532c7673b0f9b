"""The files of a workspace: what they may hold, what errors say, and how a workspace is found."""

import json
import time
from pathlib import Path

import jsonschema_rs
import pytest

from audience_jobs import workspace
from audience_jobs.contract import Job
from audience_jobs.errors import BadWorkspace
from audience_jobs.schema import DEVICE_COLUMNS, DEVICES
from audience_jobs.workspace import Workspace, marketplace, nearest_workspace, open_workspace
from audience_jobs.workspace.toml_file import read_toml
from tests.audience_jobs.marketplace import all_jobs

SCHEMAS = Path(workspace.__file__).parent
GOOD_TABLES = '[users.columns]\nid = "id"\n'
GOOD_NAME = 'name = "shop"\n'


def problems_of(folder: Path, *, tables: str = GOOD_TABLES, settings: str = GOOD_NAME) -> list[str]:
    (folder / "tminus.toml").write_text(settings, encoding="utf-8")
    (folder / "tables.toml").write_text(tables, encoding="utf-8")
    try:
        Workspace(folder).check()
    except BadWorkspace as error:
        return [problem.replace(f"{folder}/", "") for problem in error.problems]
    return []


def test_the_marketplace_is_a_workspace_like_any_other() -> None:
    market = marketplace()
    assert (market.name, market.tables.private) == ("marketplace", frozenset({DEVICES}))
    assert {name: table.private_columns for name, table in market.tables.with_private_columns.items()} == {
        "users": {"email"}
    }
    assert market.tables[DEVICES].types == DEVICE_COLUMNS
    assert marketplace() is market, "it is read once"


@pytest.mark.parametrize("job", all_jobs(), ids=lambda job: job.id)
def test_the_jobs_of_the_marketplace_know_how_old_its_data_are(job: Job) -> None:
    if job.freshness:
        job.freshness.check(marketplace().tables)


def test_tables_keep_their_names_and_sql_ignores_capitals(tmp_path: Path) -> None:
    text = """
    [Members]
    columns.userId = "id"
    columns.phone = { type = "text", private = true }

    [push_Tokens]
    private = true
    [push_Tokens.columns.value]
    type = "text"
    """
    assert problems_of(tmp_path, tables=text) == []
    tables = Workspace(tmp_path).tables
    assert list(tables) == ["members", "push_tokens"]
    assert (tables["members"].name, tables["members"].columns["userid"].name) == ("Members", "userId")
    assert (tables["members"].public_types, tables.private) == ({"userid": "id"}, frozenset({"push_tokens"}))


@pytest.mark.parametrize("private", ["", "[devices]\nprivate = true\n"])
def test_device_tokens_are_private_in_every_workspace(private: str, tmp_path: Path) -> None:
    assert problems_of(tmp_path, tables=f'{private}[devices.columns]\ntoken = "text"\n') == []
    assert Workspace(tmp_path).tables.private == {"devices"}


TYPES = "id, text, integer, number, boolean, timestamp, date, json, text[]"
CASES = {
    "": ["tables.toml:1: names no table: write one, as in [users.columns]"],
    '[users.columns]\nid = "id"\nemail = "txt"\n': [
        'tables.toml:3: users.email: unknown type "txt"; did you mean "text"?'
    ],
    '[users.columns]\nweight = "weighty"\n': [f'tables.toml:2: users.weight: unknown type "weighty"; known: {TYPES}'],
    "[users.columns]\nid = 5\n": ['tables.toml:2: users.id: is a number: write its type, as in "text"'],
    "[users.columns]\nid = {}\n": [f"tables.toml:2: users.id: has no type: write one of {TYPES}"],
    '[users.columns]\nid = { type = ["id"] }\n': [f"tables.toml:2: users.id: unknown type a list; known: {TYPES}"],
    '[users.columns]\nid = { type = "id", privat = true }\n': [
        'tables.toml:2: users.id: unknown key "privat"; did you mean "private"?'
    ],
    '[users.columns]\nid = { type = "id", private = "yes" }\n': [
        'tables.toml:2: users.id.private: is "yes": write true or false'
    ],
    '[users]\nprivate = 1\n[users.columns]\nid = "id"\n': [
        "tables.toml:2: users.private: is a number: write true or false"
    ],
    '[users]\nid = "id"\n': [
        "tables.toml:1: users: has no columns: write them below [users.columns]",
        'tables.toml:2: users: unknown key "id"; known: private, columns; columns stand below [users.columns]',
    ],
    "[users]\n": ["tables.toml:1: users: has no columns: write them below [users.columns]"],
    "[users]\ncolumns = {}\n": ["tables.toml:2: users: has no columns: write them below [users.columns]"],
    "users = 2026-01-01\n": [
        "tables.toml:1: users: is a date or time: write its columns below [users.columns]",
    ],
    '[[users]]\nid = "id"\n': ["tables.toml:1: users: is a list: write its columns below [users.columns]"],
    '["a b".columns]\nid = "id"\n': [
        "tables.toml:1: a b: is not a name: a name has up to 63 letters, digits and _, no digit first"
    ],
    f'[users.columns]\n{"x" * 64} = "id"\n': [
        f"tables.toml:2: users.{'x' * 64}: is not a name: a name has up to 63 letters, digits and _, no digit first"
    ],
    '[job_rows.columns]\nid = "id"\n': [
        "tables.toml:1: job_rows: is a name that Tminus uses itself: rename the table, or read it through a view"
    ],
    '[Tminus_x.columns]\nid = "id"\n': [
        "tables.toml:1: Tminus_x: is a name that Tminus uses itself: rename the table, or read it through a view"
    ],
    '[devices]\nprivate = false\n[devices.columns]\nid = "id"\n': [
        "tables.toml:2: devices.private: cannot be false: device tokens are private"
    ],
    GOOD_TABLES: [],
    '[users]\nprivate = true\n[users.columns]\nid = { type = "id", private = true }\n': [],
    f'[{"x" * 63}.columns]\n_1 = "json"\n': [],
    'order.columns = { select = "timestamp", from = "boolean", Group = "integer" }\n': [],
    '[devices]\nprivate = true\n[devices.columns]\ntoken = "text"\n': [],
    '\ufeff[users.columns]\r\nid = "id"\r\n': [],
}
NAMES = {
    GOOD_NAME: [],
    'name = "Kicks & co"\n': [
        "tminus.toml:1: name: is \"Kicks & co\": write up to 63 letters, digits, spaces, '.', '_' and '-', "
        "a letter or digit first"
    ],
    f'name = "{"x" * 64}"\n': None,
    'name = ""\n': None,
    'name = " shop"\n': None,
    'name = "shop\\n"\n': None,
    "name = 1\n": None,
    'name = "Kicks 2.0 - the_shop"\n': [],
    "": ['tminus.toml:1: name: is missing: write one, as in name = "shop"'],
    'name = "shop"\n\nnames = 1\n': ['tminus.toml:3: names: unknown key; did you mean "name"?'],
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_tables_are_taken_or_refused_with_line_and_way_out(text: str, expected: list[str], tmp_path: Path) -> None:
    assert problems_of(tmp_path, tables=text) == expected
    assert taken_by("tables", tmp_path / "tables.toml") == (expected == [])


@pytest.mark.parametrize(("text", "expected"), NAMES.items())
def test_settings_are_taken_or_refused_with_line_and_way_out(
    text: str, expected: list[str] | None, tmp_path: Path
) -> None:
    problems = problems_of(tmp_path, settings=text)
    assert expected is None or problems == expected
    assert taken_by("tminus", tmp_path / "tminus.toml") == (not problems)


def taken_by(schema: str, path: Path) -> bool:
    """Whether a JSON Schema takes what a file holds."""
    validator = jsonschema_rs.validator_for(json.loads((SCHEMAS / f"{schema}.schema.json").read_text()))
    return validator.is_valid(json.loads(json.dumps(read_toml(path).content, default=str)))


def test_names_that_differ_in_capitals_only_are_refused(tmp_path: Path) -> None:
    text = '[users.columns]\nid = "id"\nID = "id"\n[Users.columns]\nid = "id"\n'
    assert problems_of(tmp_path, tables=text) == [
        'tables.toml:3: users.ID: differs from "id" in capitals only, which SQL ignores: leave one out',
        'tables.toml:4: Users: differs from "users" in capitals only, which SQL ignores: leave one out',
    ]


def test_all_problems_of_both_files_come_at_once_in_their_order(tmp_path: Path) -> None:
    text = '[a.columns]\nx = "txt"\n[b.columns]\ny = 1\n[b.colums]\nz = "id"\n'
    lines = [problem.split(": ")[0] for problem in problems_of(tmp_path, tables=text, settings="nam = 1")]
    assert lines == ["tminus.toml:1", "tminus.toml:1", "tables.toml:2", "tables.toml:4", "tables.toml:5"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[users\n", "tables.toml:1: is not valid TOML: Expected ']' at the end of a table declaration"),
        (b'[users.columns]\nid = "id', "tables.toml:2: is not valid TOML: Unterminated string"),
        (b'[a.columns]\nx = "id"\nx = "id"\n', "tables.toml:3: is not valid TOML: Cannot overwrite a value"),
        (b'[a.columns]\nx = "\xff"\n', "tables.toml:2: is not UTF-8: save the file as UTF-8"),
        (b"a = " + b"[" * 5000 + b"]" * 5000, "tables.toml:1: is nested too deeply"),
        (b"a = " + b"1" * 5000, "tables.toml:1: is not valid TOML: Exceeds the limit"),
    ],
    ids=["header", "quote", "twice", "bytes", "depth", "digits"],
)
def test_what_is_not_toml_is_refused_with_its_line(content: bytes, problem: str, tmp_path: Path) -> None:
    problems_of(tmp_path)
    (tmp_path / "tables.toml").write_bytes(content)
    with pytest.raises(BadWorkspace) as refused:
        Workspace(tmp_path).check()
    assert len(refused.value.problems) == 1
    assert refused.value.problems[0].startswith(f"{tmp_path}/{problem}")


def test_a_missing_file_says_where_to_read_about_it(tmp_path: Path) -> None:
    with pytest.raises(BadWorkspace) as refused:
        Workspace(tmp_path).check()
    assert [problem.split(": ")[1] for problem in refused.value.problems] == ["there is no such file"] * 2


def test_lines_are_right_whatever_stands_in_between(tmp_path: Path) -> None:
    text = '''# [comment]
a."b.c"  .  d = """
[text]
x = 1
"""  # = [
list = [  # comment ]
  "]", {x = "}"},
]
'literal' = \'\'\'
=\'\'\'\'
e = { f = 1 }

[t . "u v"]
k = 1.5
[[array]]
k = 2
[end]'''
    (tmp_path / "a.toml").write_text(text)
    file = read_toml(tmp_path / "a.toml")
    keys = [("a",), ("a", "b.c", "d"), ("list",), ("literal",), ("e", "f"), ("t", "u v", "k"), ("array",), ("end",)]
    assert [file.line(key) for key in keys] == [2, 2, 6, 9, 11, 14, 15, 17]
    assert [file.line(("t",)), file.line(("nowhere",))] == [13, 1]


@pytest.mark.long
def test_a_huge_file_loads_in_a_moment_and_so_do_its_problems(tmp_path: Path) -> None:
    lines = [f'c{place} = {{ type = "text", private = true }}' for place in range(10_000)]
    began = time.process_time()
    assert problems_of(tmp_path, tables="\n".join(["[t.columns]", *lines])) == []
    assert time.process_time() - began < 2
    began = time.process_time()
    found = problems_of(tmp_path, tables="\n".join(["[t.columns]", *lines]).replace('"text"', '"txt"'))
    assert (len(found), found[-1].split(": ")[0]) == (10_000, "tables.toml:10001")
    assert time.process_time() - began < 10


def test_the_nearest_workspace_is_found_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "shop" / "recipes" / "spring"
    inner.mkdir(parents=True)
    assert nearest_workspace(inner) is None
    (tmp_path / "shop" / "tminus.toml").write_text(GOOD_NAME)
    assert nearest_workspace(inner) == tmp_path / "shop"
    monkeypatch.chdir(inner)
    assert nearest_workspace(Path()) == tmp_path / "shop"
    monkeypatch.chdir(tmp_path / "shop")
    assert nearest_workspace(Path()) == Path(), "errors name files as short as they can"


def test_a_workspace_is_read_again_once_its_files_have_changed(tmp_path: Path) -> None:
    problems_of(tmp_path)
    assert open_workspace(tmp_path) is open_workspace(tmp_path)
    problems_of(tmp_path, tables='[others.columns]\nid = "id"\n')
    assert list(open_workspace(tmp_path).tables) == ["others"]
    assert open_workspace(None) is marketplace()
