"""BigQuery finds the people that conditions, models and newer column types say, as files and PostgreSQL do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audience_jobs.contract import Engine
from audience_jobs.criteria import read_criteria
from audience_jobs.engines.bigquery import BigQueryEngine
from audience_jobs.query_based import job_of
from audience_jobs.workspace import Workspace
from tests.audience_jobs import test_private_data as private
from tests.audience_jobs.fitness import MODELS, SECRET, fitness
from tests.audience_jobs.test_column_types import COLUMN, row
from tests.audience_jobs.test_people import AUDIENCES, EVERYBODY, OPT_OUTS, REGISTERED, devices, found, rows
from tests.audience_jobs.worlds import NOW

Filled = Callable[..., BigQueryEngine]


@pytest.fixture
def gym(tmp_path: Path) -> Workspace:
    return fitness(tmp_path / "fitness", devices=True, models=MODELS)


@pytest.fixture
def engine(gym: Workspace, filled: Filled) -> Engine:
    return filled(gym.folder / "data", workspace=gym)


def test_an_audience_is_what_its_conditions_say(gym: Workspace, engine: Engine, tmp_path: Path) -> None:
    for written, expected in AUDIENCES:
        assert rows(found(engine, gym, written, tmp_path / "out.csv")) == expected, written


def test_sending_reads_the_model_of_devices(gym: Workspace, engine: Engine, tmp_path: Path) -> None:
    with engine.run(job_of(read_criteria({"where": EVERYBODY}, gym), gym), {}, now=NOW) as run:
        assert run.write_devices("default", tmp_path / "devices.csv", per_user=5) == 2
    assert engine.write_devices_of(["1"], tmp_path / "devices.csv", per_user=5) == 1
    assert f"1,{SECRET}-phone-ann,ios" in (tmp_path / "devices.csv").read_text()


def test_a_user_who_opted_out_has_no_devices(filled: Filled, tmp_path: Path) -> None:
    for number, (sql, topic, expected) in enumerate(OPT_OUTS):
        gym = fitness(tmp_path / str(number), devices=True, models={**MODELS, "opt_outs": sql})
        engine = filled(gym.folder / "data", workspace=gym)
        assert devices(engine, gym, topic, tmp_path / "out.csv") == expected


def test_a_device_says_its_address_its_instant_and_the_locale_of_its_user(filled: Filled, tmp_path: Path) -> None:
    people = "SELECT id AS user_id, CASE WHEN id = '1' THEN ' pt-BR ' END AS locale FROM members"
    address = "CASE WHEN user_id = '1' THEN ' ' ELSE token END AS token, 'x' || user_id AS fid"
    models = {"people": people, "devices": f"SELECT user_id, {address}, platform, updated_at FROM devices"}
    gym = fitness(tmp_path / "fitness", devices=True, models=models)
    engine = filled(gym.folder / "data", workspace=gym)
    engine.write_devices_of(["1", "2"], tmp_path / "out.csv", per_user=5, locales=True)
    assert sorted((tmp_path / "out.csv").read_text().splitlines()[1:]) == [
        f"1,x1,ios,{REGISTERED},1,pt-BR",
        f"2,{SECRET}-phone-bob,android,{REGISTERED},,",
    ]


def test_nothing_private_leaves_by_way_of_a_model(tmp_path: Path, filled: Filled) -> None:
    clients = "SELECT id, username, bio, phone AS email FROM members"
    gym = fitness(tmp_path / "fitness", devices=True, models={**MODELS, "users": clients})
    engine = filled(gym.folder / "data", workspace=gym)
    for sql in (*private.COUNTS_COLUMNS, *private.ASKS_FOR_ADDRESSES[:3]):
        asked = {"customQuery": sql.replace("i, b, c, e", "i, b, e").replace("offers", "trained")}
        assert SECRET not in found(engine, gym, asked, tmp_path / "out.csv"), sql


KINDS: list[tuple[str, str, list[str]]] = [
    ("number", "CAST(2.5 AS NUMERIC)", ["10", "", "0", "true"]),
    ("number", "7", ["28", "", "0", "true"]),
    ("number", "'2.5'", ["10", "", "0", "true"]),
    ("number", "CAST('nan' AS FLOAT64)", ["", "", "0", "true"]),
    ("number", "CAST('inf' AS FLOAT64)", ["", "", "0", "true"]),
    ("date", "DATE '2026-02-28'", ["", "2026-02-28", "0", "true"]),
    ("date", "TIMESTAMP '2026-02-28 23:59:59+00'", ["", "2026-02-28", "0", "true"]),
    ("date", "DATETIME '2026-02-28 23:59:59'", ["", "2026-02-28", "0", "true"]),
    ("date", "'2026-02-28'", ["", "2026-02-28", "0", "true"]),
    ("text[]", "['a', 'b']", ["", "", "1", "false"]),
    ("text[]", "CAST([] AS ARRAY<STRING>)", ["", "", "0", "true"]),
    ("text[]", '\'["a", "a"]\'', ["", "", "2", "false"]),
    ("text[]", "''", ["", "", "0", "true"]),
]


@pytest.mark.parametrize(("type_", "written", "expected"), KINDS)
def test_a_column_of_bigquery_is_read(
    type_: str, written: str, expected: list[str], emulated: Any, filled: Filled, tmp_path: Path
) -> None:
    (tmp_path / "tminus.toml").write_text('name = "things"')
    columns = "\n".join(f'{name} = "{each}"' for each, name in COLUMN.items())
    (tmp_path / "tables.toml").write_text(f'[things.columns]\nid = "id"\n{columns}\n')
    (tmp_path / "things.csv").write_text("id,n,d,l\n1,,,\n")
    engine = filled(tmp_path, workspace=Workspace(tmp_path))
    empty = {"number": "CAST(NULL AS FLOAT64)", "date": "CAST(NULL AS DATE)", "text[]": "CAST(NULL AS STRING)"}
    values = ", ".join(f"{(empty | {type_: written})[each]} AS {name}" for each, name in COLUMN.items())
    client, _ = emulated
    client.query(f"CREATE OR REPLACE TABLE shop.things AS SELECT '1' AS id, {values}").result()
    assert row(engine, tmp_path / "out") == expected
