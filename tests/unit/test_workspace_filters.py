"""Filters and data packs of a workspace without models: what tminus.toml may say, and what recipes get from it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from audience_jobs import workspace
from audience_jobs.criteria import read_criteria
from audience_jobs.criteria_words import describe
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.errors import BadCriteria, BadWorkspace
from audience_jobs.query_based import job_of
from audience_jobs.workspace import Workspace, marketplace
from audience_jobs.workspace.toml_file import read_toml
from functions.domain.errors import BadRecipe
from functions.domain.recipe.field_paths import misspelled_keys
from functions.domain.recipe.read import parse
from functions.handlers.api.criteria_schema import criteria_fields, criteria_schemas
from functions.usecases.recipes.audience import recipe_criteria
from tests.factories import push, recipe

SCHEMA = json.loads((Path(workspace.__file__).parent / "tminus.schema.json").read_text())
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
TABLES = """
[users.columns]
id = "id"
age = "integer"
vip = "boolean"
since = "timestamp"
email = { type = "text", private = true }
[devices.columns]
user_id = "id"
[visits.columns]
user_id = "id"
at = "timestamp"
"""
FILTERS = """
[filters.visitedInLastDays]
kind = "days"
words = "who visited in the last {value}"
old = ["visitDays"]
freshness = { table = "visits", column = "at", hours = 48 }
sql = '''
EXISTS (SELECT 1 FROM last_visits v WHERE v.user_id = u.id
    AND v.at >= CAST($now AS TIMESTAMP) - CAST($days AS INTEGER) * INTERVAL '1 day')
'''
[filters.minAge]
kind = "count"
unit = "year"
words = "at least {value} old"
words_between = "{value} old"
at_most = "maxAge"
sql = "u.age >= CAST($min_age AS INTEGER)"
[filters.maxAge]
kind = "count"
unit = "year"
words = "at most {value} old"
sql = "u.age <= CAST($max_age AS INTEGER)"
[filters.isGuest]
kind = "yes_no"
words = "guests"
words_if_not = "not guests"
old = ["guest"]
old_yes = ["visitor"]
sql = "NOT coalesce(u.vip, FALSE)"
[filters.sinceDate]
kind = "instant"
words = "there since {value}"
sql = "u.since >= CAST($since AS TIMESTAMP)"
[filter_queries]
visits_only = "SELECT user_id, at FROM visits WHERE at <= CAST($now AS TIMESTAMP)"
last_visits = "SELECT user_id, max(at) AS at FROM visits_only GROUP BY user_id"
"""
PACKS = """
from audience_jobs.contract import Column, DataPack

DATA_PACKS = (
    DataPack(
        name="lastVisit",
        table="latest",
        queries=lambda of: f"latest AS (SELECT user_id, max(at) AS at FROM visits GROUP BY user_id)",
        columns=((Column(name="last_visit", type="timestamp", meaning="the last visit"), "at"),),
        words="a visit",
    ),
)
"""


def written(folder: Path, settings: str = FILTERS, *, packs: str = "", name: str = 'name = "club"\n') -> Workspace:
    folder.mkdir(exist_ok=True)
    (folder / "tminus.toml").write_text(name + settings, encoding="utf-8")
    (folder / "tables.toml").write_text(TABLES, encoding="utf-8")
    (folder / "users.csv").write_text(
        "id,age,vip,since,email\na,20,true,2026-01-01T00:00:00Z,x\nb,30,,2026-02-01T00:00:00Z,x\nc,40,false,,x\n"
    )
    (folder / "visits.csv").write_text(
        "user_id,at\na,2026-11-22T10:00:00Z\nb,2026-11-01T10:00:00Z\nb,2027-01-01T00:00:00Z\n"
    )
    if packs:
        (folder / "data_packs.py").write_text(packs, encoding="utf-8")
    return Workspace(folder)


def problems_of(club: Workspace) -> list[str]:
    try:
        club.check()
    except BadWorkspace as error:
        return [problem.replace(f"{club.folder}/", "") for problem in error.problems]
    return []


def users(criteria: Mapping[str, Any], club: Workspace) -> list[str]:
    engine, path = DuckDBEngine(club.folder, club), club.folder / "out.csv"
    with engine.run(job_of(read_criteria(criteria, club), club), {}, now=NOW) as run:
        run.write_audience("default", path)
    return sorted(path.read_text().splitlines()[1:])


def test_the_marketplace_and_a_small_workspace_are_sound(tmp_path: Path) -> None:
    marketplace().check()
    assert problems_of(written(tmp_path, packs=PACKS)) == []


@pytest.mark.parametrize(
    ("filters", "found", "words"),
    [
        ({"visitedInLastDays": 2}, ["a"], "users who visited in the last 2 days"),
        ({"minAge": 30}, ["b", "c"], "users at least 30 years old"),
        ({"minAge": 20, "maxAge": 30}, ["a", "b"], "users 20 to 30 years old"),
        ({"maxAge": 1}, [], "users at most 1 year old"),
        ({"isGuest": True}, ["b", "c"], "users guests"),
        ({"isGuest": False}, ["a"], "users not guests"),
        ({"sinceDate": "2026-01-15"}, ["b"], "users there since 2026-01-15"),
        ({"visitDays": 0, "guest": "any"}, ["a", "b", "c"], "all users"),
        ({"guest": "Visitor", "minAge": 40}, ["c"], "users at least 40 years old, guests"),
    ],
)
def test_recipes_have_the_filters_of_their_workspace(
    filters: Mapping[str, Any], found: list[str], words: str, tmp_path: Path
) -> None:
    club = written(tmp_path)
    assert users({"filters": filters}, club) == found
    assert describe(read_criteria({"filters": filters}, club)) == words


def test_recipes_have_the_data_packs_of_their_workspace(tmp_path: Path) -> None:
    club = written(tmp_path, packs=PACKS)
    asked = {"dataPacks": ["lastVisit"], "visitDays": 30}
    assert describe(read_criteria(asked, club)) == "users who visited in the last 30 days, with a visit"
    assert users(asked, club) == ["a,2026-11-22T10:00:00Z", "b,2027-01-01T00:00:00Z"]


@pytest.mark.parametrize(
    ("criteria", "field", "reason"),
    [
        (
            {"filters": {"lastActiveDays": 3}},
            "filters.lastActiveDays",
            "is an unknown filter; known: visitedInLastDays",
        ),
        ({"filters": {"minAge": 5, "maxAge": 4}}, "filters.minAge", "is 5, above filters.maxAge, which is 4"),
        ({"filters": {"minAge": "x"}}, "filters.minAge", "must be a whole number of years from 0 to"),
        ({"guest": "maybe"}, "guest", 'must be true, false, "any" or "visitor", got "maybe"'),
        ({"dataPacks": ["topTargetShoe"]}, "dataPacks", "is not a data pack; known: none"),
    ],
)
def test_refusals_name_the_filters_of_the_workspace(
    criteria: Mapping[str, Any], field: str, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(BadCriteria) as refused:
        read_criteria(criteria, written(tmp_path))
    [(place, told)] = refused.value.errors
    assert (place, reason in told) == (field, True), told


def test_recipes_and_the_api_know_the_old_names(tmp_path: Path) -> None:
    club = written(tmp_path)
    old = recipe(audienceCriteria={"visitDays": 3}, pushSequence=[push(1, title="a", body="b")])
    assert describe(recipe_criteria(parse(old), club)) == "users who visited in the last 3 days"
    with pytest.raises(BadRecipe, match="is missing: choose who gets it"):
        recipe_criteria(parse(old), marketplace())
    misspelled = {"audienceCriteria": {"visitsDay": 3}}
    assert [error.field for error in misspelled_keys(misspelled, club.old_filters)] == ["audienceCriteria.visitsDay"]
    assert misspelled_keys(misspelled) == []
    filters = list(club.filters.values())
    assert list(criteria_fields(filters))[-2:] == ["guest", "visitDays"]
    assert list(criteria_schemas(filters)["FilterFields"]["properties"])[:3] == [
        "visitedInLastDays",
        "minAge",
        "maxAge",
    ]


def test_a_recipe_for_all_users_is_told_how_to_say_so(tmp_path: Path) -> None:
    empty = parse(recipe(audienceCriteria={"filters": {}}, pushSequence=[push(1, title="a", body="b")]))
    with pytest.raises(BadRecipe, match='write "minAge": 0'):
        recipe_criteria(empty, written(tmp_path))
    with pytest.raises(BadRecipe, match='write "customQuery": "SELECT id AS user_id FROM users"'):
        recipe_criteria(empty, written(tmp_path, ONE.replace("count", "days").replace('unit = "year"\n', "")))


ONE = """[filters.minAge]
kind = "count"
unit = "year"
words = "at least {value} old"
sql = "u.age >= CAST($age AS INTEGER)"
"""
SAME = "[filters.other]" + ONE.removeprefix("[filters.minAge]")
KNOWN = "kind, sql, words, old, freshness, unit, at_most, words_between"
CASES: dict[str, list[str]] = {
    "filters = 3\nfilter_queries = []\n": [
        "tminus.toml:2: filters: is a number: write each filter below a header, as in [filters.minAge]",
        "tminus.toml:3: filter_queries: is a list: write each query below [filter_queries]",
    ],
    "filters.x = 3\n": ["tminus.toml:2: filters.x: is a number: write its kind, sql and words below [filters.x]"],
    ONE.replace("count", "counts"): [
        'tminus.toml:3: filters.minAge.kind: is "counts": write one of days, count, yes_no, instant'
    ],
    "[filters.minAge]\n": [
        "tminus.toml:2: filters.minAge.kind: is missing: write one of days, count, yes_no, instant"
    ],
    ONE.replace('unit = "year"\n', ""): ["tminus.toml:2: filters.minAge.unit: is missing: write a text in quotes"],
    ONE.replace("minAge", "9"): [
        "tminus.toml:2: filters.9: is not a name: a filter's name has up to 60 letters, digits and _, a letter first"
    ],
    ONE + 'less_than = "x"\n': [
        f"tminus.toml:7: filters.minAge.less_than: unknown key of kind count; known: {KNOWN}"
    ],
    ONE.replace("{value} ", ""): ["tminus.toml:5: filters.minAge.words: lacks {value}, where the value is shown"],
    ONE + "old = [3]\n": ["tminus.toml:7: filters.minAge.old: is a list: write a list of texts in quotes"],
    ONE + 'at_most = "maxAge"\n': [
        "tminus.toml:2: filters.minAge: has one of at_most and words_between: write both, or neither",
        'tminus.toml:7: filters.minAge.at_most: "maxAge" is not another filter of kind count',
    ],
    ONE + "freshness = 3\n": [
        'tminus.toml:7: filters.minAge.freshness: has to be as in { table = "visits", column = "at", hours = 48 }'
    ],
    ONE.replace("$age", "5"): [
        "tminus.toml:6: filters.minAge.sql: reads no value: a filter reads its value by one name, as in $days"
    ],
    f"{ONE}[filter_queries]\nUpper = 'SELECT 1'\nempty = ''\n": [
        "tminus.toml:8: filter_queries.Upper: is not a name: write lower case letters, digits and _, no digit first",
        "tminus.toml:9: filter_queries.empty: is empty: write a SELECT in quotes",
    ],
    ONE: [],
    f"{ONE}old = ['least_age']\nfreshness = {{ table = 'visits', column = 'at', hours = 48 }}\n": [],
}
BEYOND_THE_SCHEMA: dict[str, list[str]] = {
    ONE.replace("$age", "$user_ids"): [
        "tminus.toml:6: filters.minAge.sql: reads $user_ids, which Tminus uses itself: call the value otherwise"
    ],
    ONE + "old = ['minAge', 'where']\n": [
        "tminus.toml:2: filters.minAge: the name minAge is already one of minAge: choose another",
        "tminus.toml:2: filters.minAge: the name where is already one of audienceCriteria: choose another",
    ],
    ONE + SAME: ["tminus.toml:11: filters.other.sql: reads $age, as minAge does: call the value otherwise"],
    ONE + "[filter_queries]\nx = 'SELECT $age'\n": [
        "tminus.toml:8: filter_queries.x: reads $age: only the sql of a filter reads its value"
    ],
    ONE.replace("u.age", "u.agee"): ["tminus.toml:6: filters.minAge.sql: cannot be understood: Unknown column: agee"],
    ONE.replace("u.age", "length(u.email)"): [
        "tminus.toml:6: filters.minAge.sql: names email, and users.email is private: leave it out"
    ],
    ONE.replace("u.age", "(SELECT count(*) FROM devices d WHERE d.user_id = u.id)"): [
        "tminus.toml:6: filters.minAge.sql: reads devices, which is private: only Tminus reads device tokens"
    ],
    ONE.replace("u.age", "now() > u.since AND u.age"): [
        "tminus.toml:6: filters.minAge.sql: asks for the time: read it as $now, so that a repeat gives the same rows"
    ],
    ONE.replace("u.age", "u.vip OR u.age"): [
        "tminus.toml:6: filters.minAge.sql: is not one condition: put parentheses around all of it"
    ],
    ONE + "freshness = { table = 'users', column = 'age', hours = 48 }\n": [
        "tminus.toml:6: filters.minAge.sql: freshness: users.age is not a timestamp of the source tables"
    ],
}


@pytest.mark.parametrize(("text", "expected"), [*CASES.items(), *BEYOND_THE_SCHEMA.items()])
def test_what_is_wrong_has_its_line_and_the_way_out(text: str, expected: list[str], tmp_path: Path) -> None:
    club = written(tmp_path, text)
    assert problems_of(club) == expected
    if text in CASES:
        content = json.loads(json.dumps(read_toml(tmp_path / "tminus.toml").content))
        assert jsonschema_rs.is_valid(SCHEMA, content) == (not expected)


@pytest.mark.parametrize(
    ("packs", "problem"),
    [
        ("DATA_PACKS = 3", "data_packs.py:1: has no DATA_PACKS, a tuple of DataPack"),
        ("\nimport nothing_of_this_name", "data_packs.py:2: does not load: ModuleNotFoundError: No module named"),
        (
            PACKS.replace("max(at)", "min(user_id)").replace("visits", "devices"),
            "data_packs.py:1: lastVisit: reads devices",
        ),
        (f"{PACKS}DATA_PACKS *= 2\n", "data_packs.py:1: has two data packs of one name: rename one"),
        (
            PACKS.replace("FROM visits", "FROM trips"),
            "data_packs.py:1: lastVisit: reads 'trips', which is not a table",
        ),
    ],
)
def test_what_is_wrong_in_data_packs_names_their_file(packs: str, problem: str, tmp_path: Path) -> None:
    [told] = problems_of(written(tmp_path, "", packs=packs))
    assert told.startswith(problem)


def test_filters_need_users_and_no_models(tmp_path: Path) -> None:
    club = written(tmp_path, packs=PACKS)
    (tmp_path / "tables.toml").write_text('[visits.columns]\nid = "id"\n')
    assert problems_of(club) == [
        "tminus.toml:3: filters: need a table users with a column id, which tables.toml lacks"
    ]
    (tmp_path / "models").mkdir()
    assert problems_of(Workspace(tmp_path))[:2] == [
        "data_packs.py:1: is for workspaces without models: make each a model",
        "tminus.toml:3: filters: is for workspaces without models: make it columns of models/people.sql",
    ]
