"""Audiences of a workspace with models: conditions, joined models and queries, on files and in PostgreSQL alike."""

from pathlib import Path
from typing import Any

import pytest

from audience_jobs.contract import Engine
from audience_jobs.criteria import read_criteria
from audience_jobs.criteria_words import describe
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.engines.postgres import PostgresEngine
from audience_jobs.errors import AudienceJobError, BadCriteria, CheckFailed
from audience_jobs.query_based import job_of
from audience_jobs.workspace import Workspace
from tests.audience_jobs import postgres as databases
from tests.audience_jobs.fitness import MODELS, SECRET, fitness
from tests.audience_jobs.worlds import NOW

Written = dict[str, Any]
RAN = {"did": "trained", "where": {"column": "kind", "op": "is", "value": "run"}}
NAMED = {"column": "username", "op": "not_empty"}
EVERYBODY: Written = {"all": []}


@pytest.fixture
def gym(tmp_path: Path) -> Workspace:
    return fitness(tmp_path / "fitness", devices=True, models=MODELS)


@pytest.fixture
def engines(gym: Workspace, postgres: str) -> list[Engine]:
    data = gym.folder / "data"
    databases.fill(postgres, data, gym.tables)
    return [DuckDBEngine(data, gym), PostgresEngine(postgres, gym)]


def found(engine: Engine, gym: Workspace, written: Written, path: Path) -> str:
    """Return the audience of criteria, or the error that it ends in."""
    try:
        with engine.run(job_of(read_criteria(written, gym), gym), {}, now=NOW) as run:
            run.write_audience("default", path)
    except AudienceJobError as error:
        return f"refused: {error}"
    return path.read_text(encoding="utf-8")


def rows(text: str) -> list[str]:
    header, *lines = text.splitlines()
    return [header, *sorted(lines)]


PEOPLE = "user_id,username,firstName,bio,joined,born,pro"
ANN, BOB, ZOE = (
    "1,ann,Ann,runs,2026-01-01T00:00:00Z,1990-02-28,true",
    "2,bob,Bob,,2026-02-01T00:00:00Z,2000-11-24,false",
    "30,Zoë,Zoë,swims,2026-11-01T00:00:00Z,,",
)


MANY = [f"x{number}" for number in range(100)]
AUDIENCES: list[tuple[Written, list[str]]] = [
    ({"where": EVERYBODY}, [PEOPLE, ANN, BOB, ZOE]),
    ({"where": {"column": "weight", "op": "at_least", "value": 61.5}}, [PEOPLE, ANN, BOB]),
    ({"where": {"column": "weight", "op": "between", "value": [0, 61.5]}}, [PEOPLE, ANN]),
    ({"where": {"column": "weight", "op": "empty"}}, [PEOPLE, ZOE]),
    ({"where": {"column": "born", "op": "before", "value": "2000-01-01"}}, [PEOPLE, ANN]),
    ({"where": {"column": "born", "op": "anniversary_in_days", "value": 1}}, [PEOPLE, BOB]),
    ({"where": {"column": "tags", "op": "contains", "value": "de"}}, [PEOPLE, ANN]),
    ({"where": {"column": "tags", "op": "empty"}}, [PEOPLE, BOB, ZOE]),
    ({"where": {"column": "username", "op": "one_of", "value": ["ann", "Zoë", *MANY]}}, [PEOPLE, ANN, ZOE]),
    ({"where": {"column": "username", "op": "none_of", "value": ["ann", "a\nb", *MANY]}}, [PEOPLE, BOB, ZOE]),
    ({"where": {"column": "bio", "op": "none_of", "value": ["runs", *MANY]}}, [PEOPLE, BOB, ZOE]),
    ({"where": {"column": "pro", "op": "is", "value": False}}, [PEOPLE, BOB]),
    ({"where": RAN}, [PEOPLE, ANN]),
    ({"where": {"not": RAN}}, [PEOPLE, BOB, ZOE]),
    ({"where": {"did_not": "trained"}}, [PEOPLE, ZOE]),
    ({"where": {"did": "trained", "times": {"at_least": 2}, "within_days": 30}}, [PEOPLE, ANN]),
    ({"where": {"column": "bio", "op": "empty"}}, [PEOPLE, BOB]),
    ({"where": {"column": "firstName", "op": "starts_with", "value": "Zo"}}, [PEOPLE, ZOE]),
    ({"where": {"column": "joined", "op": "within_days", "value": 60}}, [PEOPLE, ZOE]),
    ({"where": EVERYBODY, "manualUserIds": ["1", "30", "no"]}, [PEOPLE, ANN, ZOE]),
    ({"manualUserIds": "2"}, [PEOPLE, BOB]),
    (
        {"with": ["totals"], "where": {"column": "username", "op": "is", "value": "ann"}},
        [f"{PEOPLE},times,latest,minutes", f"{ANN},2,2026-11-21T10:00:00Z,75"],
    ),
    (
        {"with": [{"model": "totals", "optional": True}], "where": {"not": RAN}},
        [f"{PEOPLE},times,latest,minutes", f"{BOB},1,2026-10-01T10:00:00Z,15", f"{ZOE},,,"],
    ),
    (
        {"customQuery": "SELECT user_id, times FROM totals", "where": RAN},
        ["user_id,times", "1,2"],
    ),
    (
        {"customQuery": "SELECT memberId AS user_id, minutes AS m FROM workouts", "with": ["totals"]},
        [
            "user_id,m,times,latest,minutes",
            "1,30,2,2026-11-21T10:00:00Z,75",
            "1,45,2,2026-11-21T10:00:00Z,75",
            "2,15,1,2026-10-01T10:00:00Z,15",
        ],
    ),
    ({"customQuery": "SELECT '1' AS user_id, 1 AS x UNION SELECT 'nobody', 2"}, ["user_id,x", "1,1"]),
    (
        {
            "customQuery": """SELECT memberId AS user_id, CAST(weight * 10 AS BIGINT) AS x
                FROM profiles WHERE born > '1980-01-01'"""
        },
        ["user_id,x", "1,615", "2,800"],
    ),
    (
        {
            "customQuery": """SELECT p.memberId AS user_id, CAST(t.v AS TEXT) AS x
                FROM profiles p, unnest(p.tags) AS t(v)"""
        },
        ["user_id,x", "1,de", "1,pro"],
    ),
]


@pytest.mark.parametrize(("written", "expected"), AUDIENCES)
def test_an_audience_is_what_its_conditions_say(
    written: Written, expected: list[str], gym: Workspace, engines: list[Engine], tmp_path: Path
) -> None:
    for engine in engines:
        assert rows(found(engine, gym, written, tmp_path / "out.csv")) == expected


@pytest.mark.long
def test_sending_reads_the_model_of_devices(gym: Workspace, engines: list[Engine], tmp_path: Path) -> None:
    for engine in engines:
        with engine.run(job_of(read_criteria({"where": EVERYBODY}, gym), gym), {}, now=NOW) as run:
            assert run.write_devices("default", tmp_path / "devices.csv", per_user=5) == 2
        assert engine.write_devices_of(["1"], tmp_path / "devices.csv", per_user=5) == 1
        assert f"1,{SECRET}-phone-ann,ios" in (tmp_path / "devices.csv").read_text()


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT user_id, token AS fid, platform, updated_at FROM devices", ["1", "2"]),
        ("SELECT user_id, token, 'x' AS fid, platform, updated_at FROM devices", ["1", "2"]),
        ("SELECT user_id, token, platform, updated_at, platform = 'ios' AS notifications FROM devices", ["1"]),
        ("SELECT user_id, 'a' AS token, platform, updated_at, platform = 'ios' AS notifications FROM devices", ["1"]),
    ],
)
def test_devices_are_left_out_where_notifications_are_off(
    sql: str, expected: list[str], tmp_path: Path, postgres: str
) -> None:
    gym = fitness(tmp_path / "fitness", devices=True, models={**MODELS, "devices": sql})
    databases.fill(postgres, gym.folder / "data", gym.tables)
    engines: list[Engine] = [DuckDBEngine(gym.folder / "data", gym), PostgresEngine(postgres, gym)]
    for engine in engines:
        engine.write_devices_of(["1", "2"], tmp_path / "devices.csv", per_user=5)
        lines = (tmp_path / "devices.csv").read_text().splitlines()[1:]
        assert sorted(line.partition(",")[0] for line in lines) == expected


OPT_OUTS: list[tuple[str, str | None, list[str]]] = [
    ("SELECT '2' AS user_id", "", [f"1,{SECRET}-phone-ann,ios", '2,"",opted_out']),
    ("SELECT '2' AS user_id", None, [f"1,{SECRET}-phone-ann,ios", f"2,{SECRET}-phone-bob,android"]),
    ("SELECT ' 2 ' AS user_id, 'it''s' AS topic", "it's", [f"1,{SECRET}-phone-ann,ios", '2,"",opted_out']),
    ("SELECT '1' AS user_id, 'a' AS topic", "b", [f"1,{SECRET}-phone-ann,ios", f"2,{SECRET}-phone-bob,android"]),
    (
        "SELECT id AS user_id, CAST(NULL AS TEXT) AS topic FROM members",
        "b",
        ['1,"",opted_out', '2,"",opted_out', '30,"",opted_out'],
    ),
]


def devices(engine: Engine, gym: Workspace, topic: str | None, path: Path) -> list[str]:
    with engine.run(job_of(read_criteria({"where": EVERYBODY}, gym), gym), {}, now=NOW) as run:
        run.write_devices("default", path, per_user=5, topic=topic)
    found = sorted(path.read_text().splitlines()[1:])
    engine.write_devices_of(["1", "2", "30"], path, per_user=5, topic=topic)
    assert sorted(path.read_text().splitlines()[1:]) == found
    return [",".join(line.split(",")[:3]) for line in found]


@pytest.mark.parametrize(("sql", "topic", "expected"), OPT_OUTS)
def test_a_user_who_opted_out_has_no_devices(
    sql: str, topic: str | None, expected: list[str], tmp_path: Path, postgres: str
) -> None:
    gym = fitness(tmp_path / "fitness", devices=True, models={**MODELS, "opt_outs": sql})
    databases.fill(postgres, gym.folder / "data", gym.tables)
    for engine in (DuckDBEngine(gym.folder / "data", gym), PostgresEngine(postgres, gym)):
        assert devices(engine, gym, topic, tmp_path / "out.csv") == expected


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"where": {"column": "call_me", "op": "not_empty"}}, "where.column: is not a column of people"),
        ({"where": {"did": "devices"}}, "where.did: is not a model of events; known: trained"),
        ({"with": ["devices"]}, 'with[0]: names "devices", which is not a model with user_id'),
        ({"with": ["trained", 7]}, "with[1]: must be the name of a model"),
        ({"with": ["totals", "totals"]}, "with[1]: names the model totals again"),
        ({"with": [{"model": "totals", "optional": 1}]}, "with[0]: says 1 to optional"),
        ({"with": "totals"}, "with: must be a list of at most 20 models"),
        ({"where": {"any": []}, "with": ["people"]}, "where.any: is empty"),
        (
            {"filters": {"lastActiveDays": 3}, "where": EVERYBODY},
            "filters.lastActiveDays: reads tables of the built-in",
        ),
        ({"dataPacks": ["topTargetShoe"]}, "dataPacks: reads tables of the built-in marketplace"),
        (
            {"customQuery": "SELECT user_id, minutes FROM totals", "with": ["totals"]},
            "with[0]: has the column minutes",
        ),
        ({"customQuery": "SELECT user_id FROM devices"}, "reads devices, which is private"),
        ({"customQuery": "SELECT user_id, call_me FROM people"}, "names call_me, and people.call_me is private"),
    ],
)
def test_what_is_wrong_names_its_place(written: Written, told: str, gym: Workspace) -> None:
    with pytest.raises(BadCriteria) as refused:
        job_of(read_criteria(written, gym), gym)
    assert told in str(refused.value)


def test_a_workspace_without_models_has_no_conditions(tmp_path: Path) -> None:
    with pytest.raises(BadCriteria, match=r"where: needs models/people\.sql, which the workspace lacks"):
        read_criteria({"where": EVERYBODY}, fitness(tmp_path / "fitness"))


def test_a_user_with_two_rows_fails_the_audience(tmp_path: Path) -> None:
    twice = "SELECT id AS user_id FROM members UNION ALL SELECT id FROM members"
    gym = fitness(tmp_path / "fitness", devices=True, models={**MODELS, "people": twice})
    engine = DuckDBEngine(gym.folder / "data", gym)
    job = job_of(read_criteria({"where": EVERYBODY}, gym), gym)
    with pytest.raises(CheckFailed, match="make it one row a user"), engine.run(job, {}, now=NOW):
        pass


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"where": EVERYBODY}, "all users"),
        ({"where": NAMED, "manualUserIds": ["1"]}, "users whose username is not empty, among 1 given user id"),
        ({"where": NAMED, "with": ["totals"]}, "users whose username is not empty, with a row in totals"),
        ({"where": NAMED, "with": [{"model": "totals", "optional": True}]}, "users whose username is not empty"),
    ],
)
def test_an_audience_has_one_sentence(written: Written, words: str, gym: Workspace) -> None:
    assert describe(read_criteria(written, gym)) == words


def test_only_the_tables_that_conditions_reach_are_opened(gym: Workspace, tmp_path: Path) -> None:
    data = gym.folder / "data"
    (data / "workouts.csv").unlink()
    (data / "devices.csv").unlink()
    engine = DuckDBEngine(data, gym)
    assert rows(found(engine, gym, {"where": NAMED}, tmp_path / "out.csv")) == [PEOPLE, ANN, BOB, ZOE]
    lacking = found(engine, gym, {"where": RAN}, tmp_path / "out.csv")
    assert lacking.startswith("refused: ")
    assert "workouts" in lacking


@pytest.mark.long
def test_five_hundred_conditions_are_read(gym: Workspace, tmp_path: Path) -> None:
    several = [{"column": "username", "op": "is_not", "value": f"x{number}"} for number in range(490)]
    engine = DuckDBEngine(gym.folder / "data", gym)
    answer = found(engine, gym, {"where": {"all": [*several, NAMED]}}, tmp_path / "out.csv")
    assert rows(answer) == [PEOPLE, ANN, BOB, ZOE]


REGISTERED = "1793491200"
"""When the devices of `fitness` were registered: 2026-11-01, in seconds since 1970."""
BOTH = "CASE WHEN user_id = '1' THEN ' ' ELSE token END AS token, 'x' || user_id AS fid"
ADDRESSES: list[tuple[str, list[list[str]]]] = [
    ("token AS fid", [["1", f"{SECRET}-phone-ann", "1"], ["2", f"{SECRET}-phone-bob", "1"]]),
    (BOTH, [["1", "x1", "1"], ["2", f"{SECRET}-phone-bob", ""]]),
]


@pytest.mark.parametrize(("address", "expected"), ADDRESSES)
def test_a_device_says_whether_its_address_is_a_firebase_installation_id(
    address: str, expected: list[list[str]], tmp_path: Path, postgres: str
) -> None:
    sql = f"SELECT user_id, {address}, platform, updated_at FROM devices"
    gym = fitness(tmp_path / "fitness", devices=True, models={**MODELS, "devices": sql})
    databases.fill(postgres, gym.folder / "data", gym.tables)
    for engine in (DuckDBEngine(gym.folder / "data", gym), PostgresEngine(postgres, gym)):
        engine.write_devices_of(["1", "2"], tmp_path / "out.csv", per_user=5)
        rows_ = [line.split(",") for line in sorted((tmp_path / "out.csv").read_text().splitlines()[1:])]
        assert [[user, token, fid] for user, token, _, _, fid, _ in rows_] == expected
        assert {row[3] for row in rows_} == {REGISTERED}


def test_devices_have_the_locale_of_their_user_where_it_is_asked_for(tmp_path: Path, postgres: str) -> None:
    people = "SELECT id AS user_id, CASE WHEN id = '1' THEN ' pt-BR ' END AS locale FROM members"
    gym = fitness(tmp_path / "fitness", devices=True, models={"people": people, "devices": MODELS["devices"]})
    databases.fill(postgres, gym.folder / "data", gym.tables)
    for engine in (DuckDBEngine(gym.folder / "data", gym), PostgresEngine(postgres, gym)):
        for asked, expected in ((True, {"1": "pt-BR", "2": ""}), (False, {"1": "", "2": ""})):
            engine.write_devices_of(["1", "2"], tmp_path / "out.csv", per_user=5, locales=asked)
            lines = (tmp_path / "out.csv").read_text().splitlines()[1:]
            assert {line.split(",")[0]: line.split(",")[5] for line in lines} == expected


@pytest.mark.parametrize("at", ["'infinity'", "'-infinity'", "NULL"])
def test_a_device_without_an_instant_of_registration_is_written_without_one(
    at: str, tmp_path: Path, postgres: str
) -> None:
    sql = f"SELECT user_id, token, platform, CAST({at} AS TIMESTAMP) AS updated_at FROM devices"
    gym = fitness(tmp_path / "fitness", devices=True, models={**MODELS, "devices": sql})
    databases.fill(postgres, gym.folder / "data", gym.tables)
    for engine in (DuckDBEngine(gym.folder / "data", gym), PostgresEngine(postgres, gym)):
        engine.write_devices_of(["1"], tmp_path / "out.csv", per_user=5)
        assert (tmp_path / "out.csv").read_text().splitlines()[1:] == [f"1,{SECRET}-phone-ann,ios,,,"]
