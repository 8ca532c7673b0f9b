"""Conditions explained for one user: never other than what the audience says, on files and in PostgreSQL."""

import csv
import json
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from audience_jobs.conditions.explaining import ConditionFound, Explained, explain
from audience_jobs.contract import Engine
from audience_jobs.criteria import read_criteria
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.engines.postgres import PostgresEngine
from audience_jobs.one_user import only_user
from audience_jobs.query_based import job_of
from audience_jobs.workspace import Workspace
from tests.audience_jobs import postgres as databases
from tests.audience_jobs import test_conditions as conditions
from tests.audience_jobs.fitness import MODELS, SECRET, fitness
from tests.audience_jobs.worlds import NOW as GYM_NOW
from tests.examples import examples

WORLD_NOW = conditions.NOW.replace(tzinfo=GYM_NOW.tzinfo)
_SOURCES = {"persons": "people", "trainings": "workouts", "purchases": "orders"}


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return json.dumps(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def _world(folder: Path) -> Workspace:
    """Write the people and events of the tests of conditions as a workspace."""
    tables = []
    (folder / "models").mkdir(parents=True)
    (folder / "data").mkdir()
    for source, model in _SOURCES.items():
        columns = conditions._TABLES[model]
        rows = conditions.PEOPLE if model == "people" else conditions.EVENTS[model]
        declared = "".join(f'{name} = "{type_}"\n' for name, type_ in columns.items())
        tables.append(f'[{source}.columns]\nuser_id = "text"\n{declared}')
        names = ["user_id", *columns]
        selected = ", ".join(f'"{name}"' for name in names)
        (folder / "models" / f"{model}.sql").write_text(f"SELECT {selected} FROM {source}")
        with (folder / "data" / f"{source}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([names, *([_text(row[name]) for name in names] for row in rows)])
    tables.append('[phones.columns]\nuser_id = "text"\ntoken = "text"\nplatform = "text"\nupdated_at = "timestamp"\n')
    (folder / "data" / "phones.csv").write_text("user_id,token,platform,updated_at\n")
    devices = "SELECT user_id, token, platform, updated_at FROM phones"
    (folder / "models" / "devices.sql").write_text(devices)
    (folder / "tables.toml").write_text("\n".join(tables))
    (folder / "tminus.toml").write_text('name = "world"\n')
    workspace = Workspace(folder)
    workspace.check()
    return workspace


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return _world(tmp_path_factory.mktemp("world") / "workspace")


@pytest.fixture(scope="module")
def files(world: Workspace) -> Engine:
    return DuckDBEngine(world.folder / "data", world)


@pytest.fixture(scope="module")
def database(world: Workspace, postgres: str) -> Engine:
    databases.fill(postgres, world.folder / "data", world.tables, schema="explained")
    return PostgresEngine(postgres, world, schema="explained")


SOME = st.lists(st.sampled_from([person["user_id"] for person in conditions.PEOPLE]), min_size=1, max_size=2)


def _agrees(engine: Engine, world: Workspace, written: dict[str, Any], some: list[str]) -> None:
    criteria = read_criteria({"where": written}, world)
    job = job_of(criteria, world)
    with TemporaryDirectory() as name:
        path = Path(name) / "audience.csv"
        with engine.run(job, {}, now=WORLD_NOW) as run:
            run.write_audience("default", path)
        whole = list(csv.reader(path.read_text().splitlines(keepends=True)))
        fitting = {row[0] for row in whole[1:]}
        for user_id in some:
            found = explain(engine, criteria, user_id, now=WORLD_NOW, folder=Path(name))
            assert found.known
            assert found.conditions[0].holds == (user_id in fitting), (written, user_id)
            with engine.run(only_user(job, user_id, world.models, checks=True), {}, now=WORLD_NOW) as run:
                run.write_audience("default", path)
            alone = list(csv.reader(path.read_text().splitlines(keepends=True)))
            assert alone == [whole[0], *(row for row in whole[1:] if row[0] == user_id)]


@pytest.mark.long
@examples(80, few=12, suppress_health_check=[HealthCheck.too_slow])
@given(written=conditions.CONDITIONS, some=SOME)
def test_on_files_a_user_fits_who_is_in_the_audience(
    written: dict[str, Any], some: list[str], files: Engine, world: Workspace
) -> None:
    _agrees(files, world, written, some)


@pytest.mark.long
@examples(80, few=12, suppress_health_check=[HealthCheck.too_slow])
@given(written=conditions.CONDITIONS, some=SOME)
def test_in_postgres_a_user_fits_who_is_in_the_audience(
    written: dict[str, Any], some: list[str], database: Engine, world: Workspace
) -> None:
    _agrees(database, world, written, some)


@pytest.fixture
def gym(tmp_path: Path) -> Workspace:
    return fitness(tmp_path / "fitness", devices=True, models=MODELS)


@pytest.fixture
def engines(gym: Workspace, postgres: str) -> list[Engine]:
    databases.fill(postgres, gym.folder / "data", gym.tables)
    return [DuckDBEngine(gym.folder / "data", gym), PostgresEngine(postgres, gym)]


def _explained(
    engines: list[Engine], gym: Workspace, criteria: dict[str, Any], user_id: str, folder: Path
) -> Explained:
    first, *others = (explain(e, read_criteria(criteria, gym), user_id, now=GYM_NOW, folder=folder) for e in engines)
    assert all(other == first for other in others)
    assert SECRET not in repr(first)
    return first


def _line(found: ConditionFound) -> tuple[str, bool, str]:
    return found.path, found.holds, found.actual


EVERY_TYPE: list[dict[str, Any]] = [
    {"column": "username", "op": "is", "value": "ann"},
    {"column": "weight", "op": "at_least", "value": 61},
    {"column": "born", "op": "before", "value": "2000-01-01"},
    {"column": "joined", "op": "within_days", "value": 30},
    {"column": "tags", "op": "contains", "value": "de"},
    {"column": "pro", "op": "is", "value": True},
    {"did": "trained", "times": {"at_least": 2}, "where": {"column": "minutes", "op": "at_least", "value": 40}},
    {"did": "trained", "within_days": 1},
]


@pytest.mark.parametrize(
    ("user_id", "actual"),
    [
        (
            "1",
            [
                (True, '"ann"'),
                (True, "61.5"),
                (True, "1990-02-28"),
                (False, "2026-01-01"),
                (True, "a list of 2"),
                (True, "true"),
                (False, "1 trained, the last on 2026-11-21 10:00:00 UTC"),
                (False, "0 trained, the last on 2026-11-21 10:00:00 UTC"),
            ],
        ),
        (
            "30",
            [
                (False, '"Zoë"'),
                *[(False, "empty")] * 2,
                (True, "2026-11-01"),
                *[(False, "empty")] * 2,
                *[(False, "0 trained")] * 2,
            ],
        ),
    ],
)
def test_each_condition_has_the_value_of_the_user(
    user_id: str, actual: list[tuple[bool, str]], gym: Workspace, engines: list[Engine], tmp_path: Path
) -> None:
    found = _explained(engines, gym, {"where": {"any": EVERY_TYPE}}, user_id, tmp_path)
    assert [(each.holds, each.actual) for each in found.conditions[1:]] == actual
    assert found.conditions[0].expected == "at least one of these"
    assert found.conditions[7].events == (1 if user_id == "1" else 0)


def test_nested_conditions_come_with_their_places(gym: Workspace, engines: list[Engine], tmp_path: Path) -> None:
    where = {"all": [{"not": {"column": "username", "op": "is", "value": "ann"}}, {"all": []}]}
    found = _explained(engines, gym, {"where": where}, "1", tmp_path)
    assert [_line(each) for each in found.conditions] == [
        ("where", False, ""),
        ("where.all[0]", False, ""),
        ("where.all[0].not", True, '"ann"'),
        ("where.all[1]", True, ""),
    ]
    assert [each.depth for each in found.conditions] == [0, 1, 2, 1]


def test_models_and_queries_without_a_row_are_named(gym: Workspace, engines: list[Engine], tmp_path: Path) -> None:
    criteria = {
        "with": [{"model": "totals", "optional": True}],
        "customQuery": "SELECT memberId AS user_id FROM workouts WHERE minutes > 40",
        "manualUserIds": ["1", "30"],
    }
    found = _explained(engines, gym, criteria, "30", tmp_path)
    assert [(each.part, each.found, each.optional) for each in found.rows] == [
        ("manualUserIds", True, False),
        ("customQuery", False, False),
        ("with: totals", False, True),
    ]


def test_a_user_who_is_not_in_people_is_not_known(gym: Workspace, engines: list[Engine], tmp_path: Path) -> None:
    for user_id in ("99", "' OR TRUE --", "1 "):
        assert not _explained(engines, gym, {"where": {"all": EVERY_TYPE}}, user_id, tmp_path).known


@pytest.mark.long
def test_many_conditions_are_asked_in_several_queries(gym: Workspace, engines: list[Engine], tmp_path: Path) -> None:
    where = {"any": [{"column": "username", "op": "is", "value": f"n{number}"} for number in range(249)]}
    where["any"].append({"column": "username", "op": "is", "value": "ann"})
    found = _explained(engines, gym, {"where": where}, "1", tmp_path)
    assert [each.holds for each in found.conditions] == [True, *[False] * 249, True]
