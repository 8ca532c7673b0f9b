"""No message quotes a private value that cannot be read or converted; it quotes public ones."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest

from audience_jobs.contract import Engine
from audience_jobs.engines.bigquery_request import Limits
from audience_jobs.engines.bigquery_session import BigQuerySession
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.engines.needs import Needs
from audience_jobs.engines.postgres import PostgresEngine
from audience_jobs.engines.time_limit import TimeLimit
from audience_jobs.errors import BadData, BadJob
from audience_jobs.workspace import Workspace
from tests.audience_jobs import postgres as databases
from tests.audience_jobs.fitness import MODELS, SECRET, fitness
from tests.audience_jobs.test_foreign_tables import found

RICH = "SELECT id, bio FROM members WHERE CAST(phone AS BIGINT) > 5"
READS_RICH = "SELECT id AS user_id, bio AS x FROM rich"
CASTS_BIO = "SELECT id AS user_id, CAST(bio AS BIGINT) AS x FROM members"
UNSAID = "; the words of the engine are not shown, because they may quote private data"


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return fitness(tmp_path / "fitness", devices=True, models={**MODELS, "rich": RICH})


@pytest.fixture
def engines(shop: Workspace, postgres: str) -> list[Engine]:
    data = shop.folder / "data"
    databases.fill(postgres, data, shop.tables)
    return [DuckDBEngine(data, shop), PostgresEngine(postgres, shop)]


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_an_engine_that_cannot_convert_private_data_is_not_quoted(
    shop: Workspace, engines: list[Engine], tmp_path: Path
) -> None:
    for engine, kind in zip(engines, ["Conversion Error", "InvalidTextRepresentation"], strict=True):
        answer = found(engine, shop, READS_RICH, tmp_path / "out.csv")
        assert f"its SQL fails with {kind}{UNSAID}" in answer
        assert SECRET not in answer


def test_an_engine_that_cannot_convert_public_data_is_quoted(tmp_path: Path, postgres: str) -> None:
    shop = fitness(
        tmp_path / "fitness", devices=True, models={**MODELS, "people": "SELECT id AS user_id FROM members"}
    )
    databases.fill(postgres, shop.folder / "data", shop.tables)
    for engine in (DuckDBEngine(shop.folder / "data", shop), PostgresEngine(postgres, shop)):
        assert "runs" in found(engine, shop, CASTS_BIO, tmp_path / "out.csv")


@pytest.mark.parametrize(
    ("table", "old", "new", "model"),
    [
        ("members", 'phone = { type = "text"', 'phone = { type = "integer"', "callable"),
        ("tokens", '[tokens.columns]\nuser_id = "id"', '[tokens.columns]\nuser_id = "integer"', "held"),
    ],
)
def test_a_private_value_in_a_file_is_not_quoted(table: str, old: str, new: str, model: str, tmp_path: Path) -> None:
    models = {
        **MODELS,
        "people": "SELECT id AS user_id FROM members",
        "callable": "SELECT id, bio FROM members WHERE phone IS NOT NULL",
        "held": "SELECT m.id, m.bio FROM members m JOIN tokens t ON CAST(t.user_id AS TEXT) = m.id",
    }
    shop = fitness(tmp_path / "fitness", devices=True, models=models)
    change(shop.folder / "tables.toml", old, new)
    change(shop.folder / "data" / "tokens.csv", "1,", f"{SECRET}-id,")
    query = READS_RICH.replace("rich", model)
    answer = found(DuckDBEngine(shop.folder / "data", shop), shop, query, tmp_path / "out.csv")
    assert f"{table}.csv: column " in answer
    assert "holds a private value, which is not a valid " in answer
    assert SECRET not in answer


def test_a_value_of_a_device_is_not_quoted(shop: Workspace, tmp_path: Path) -> None:
    change(shop.folder / "data" / "devices.csv", "android,2026-11-01T00:00:00Z", f"android,{SECRET}")
    with pytest.raises(BadData, match="column 'updated_at' holds a private value") as refused:
        DuckDBEngine(shop.folder / "data", shop).write_devices_of(["1"], tmp_path / "out.csv", per_user=5)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("message", "model", "said"),
    [
        (f"Bad int64 value: {SECRET}-ann", "rich", f"its SQL fails with BadRequest{UNSAID}"),
        (f"Bad int64 value: {SECRET}-ann", "trained", f"its SQL fails: Bad int64 value: {SECRET}-ann"),
        ("Unrecognized name: weight at [1:8]", "rich", "its SQL fails: Unrecognized name: weight at [1:8]"),
    ],
)
def test_bigquery_is_not_quoted_on_private_data(message: str, model: str, said: str, shop: Workspace) -> None:
    client: Any = SimpleNamespace(
        get_dataset=lambda *_, **__: SimpleNamespace(location="EU"),
        get_table=lambda *_, **__: SimpleNamespace(schema=[]),
    )
    limits = Limits(bytes_billed=1, time=TimeLimit(90))
    session = BigQuerySession(client, "gym.data", shop.tables, job_id="j", limits=limits)
    query = shop.models.read(f"SELECT * FROM {model}", parameters=["now"])
    session.tables.needs = Needs.of_queries("j", [query], shop.tables)
    with pytest.raises(BadJob) as refused, session.translating_errors():
        raise BadRequest(message, errors=[{"reason": "invalidQuery"}])  # type: ignore[no-untyped-call]
    assert refused.value.reason.startswith(said)
