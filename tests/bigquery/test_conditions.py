"""Conditions of all kinds find the users of the plain Python reference, in files, PostgreSQL and BigQuery."""

import csv
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from audience_jobs.conditions.reading import read_condition
from audience_jobs.conditions.sql import compiled
from audience_jobs.contract import Engine, Job, Parameter
from audience_jobs.engines.bigquery import BigQueryEngine
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.engines.postgres import PostgresEngine
from audience_jobs.workspace import Workspace
from tests.audience_jobs import postgres as databases
from tests.audience_jobs import test_conditions as conditions
from tests.audience_jobs.conditions_reference import fits
from tests.audience_jobs.written import sample_job
from tests.examples import examples

AT_ONCE = 12
"""How many conditions one query answers: a query of the stand-in takes a second."""
TABLES = {
    name: {"user_id": "text", **{column: type_ for column, type_ in columns.items() if column != "data"}}
    for name, columns in {"people": conditions.TRAITS.people, **conditions.TRAITS.events}.items()
}


def as_csv(value: Any) -> str:
    if isinstance(value, list):
        return json.dumps(value)
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture(scope="module")
def engines(
    tmp_path_factory: pytest.TempPathFactory, postgres: str, filled: Callable[..., BigQueryEngine]
) -> list[Engine]:
    folder = tmp_path_factory.mktemp("traits")
    (folder / "tminus.toml").write_text('name = "traits"')
    written = []
    for table, columns in TABLES.items():
        written += [f"[{table}.columns]", *(f'"{name}" = "{type_}"' for name, type_ in columns.items())]
        rows = conditions.PEOPLE if table == "people" else conditions.EVENTS[table]
        with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([as_csv(row[name]) for name in columns] for row in rows)
    (folder / "tables.toml").write_text("\n".join(written))
    workspace = Workspace(folder)
    databases.fill(postgres, folder, workspace.tables, schema="traits")
    there: list[Engine] = [DuckDBEngine(folder, workspace), PostgresEngine(postgres, workspace, schema="traits")]
    return [*there, filled(folder, workspace=workspace)]


def asking(several: Sequence[dict[str, Any]]) -> Job:
    """Return the job that says of everybody whether they fit each of some conditions."""
    selected, parameters = ["'all' AS audience", "p.user_id"], []
    for number, written in enumerate(several):
        found = compiled(read_condition(written, conditions.TRAITS))
        selected.append(f"CAST({found.sql.replace('$where_', f'$c{number}_')} AS TEXT) AS c{number}")
        for name, value in found.values.items():
            kind: Any = "integer" if isinstance(value, int) else "text"
            own = name.replace("where_", f"c{number}_")
            parameters.append(Parameter(name=own, type=kind, default=value, meaning=""))
    sql = f"SELECT {', '.join(selected)} FROM people p"
    return sample_job(sql, parameters=tuple(parameters), **{f"c{number}": "text" for number in range(len(several))})


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out") / "out.csv"


@examples(12, few=4, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(several=st.lists(conditions.CONDITIONS, min_size=AT_ONCE, max_size=AT_ONCE))
def test_every_engine_finds_the_users_of_the_reference(
    several: list[dict[str, Any]], engines: list[Engine], out: Path
) -> None:
    job = asking(several)
    for engine in engines:
        with engine.run(job, {}, now=conditions.NOW.replace(tzinfo=UTC)) as run:
            run.write_audience("all", out)
        with out.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for number, written in enumerate(several):
            found = sorted(row["user_id"] for row in rows if row[f"c{number}"] == "true")
            assert found == sorted(
                person["user_id"]
                for person in conditions.PEOPLE
                if fits(written, person, conditions.OF_PERSON[person["user_id"]], conditions.NOW)
            ), (type(engine).__name__, written)


def test_the_world_has_every_type() -> None:
    kinds = {type_ for columns in TABLES.values() for type_ in columns.values()}
    assert kinds == {"text", "id", "integer", "number", "boolean", "timestamp", "date", "text[]"}
