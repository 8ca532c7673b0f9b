"""Which engine a deployment's settings choose."""

from datetime import timedelta
from pathlib import Path

import pytest

from audience_jobs.engines.bigquery import BigQueryEngine
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.engines.postgres import PostgresEngine
from functions.bootstrap import google_cloud, user_data
from functions.domain.errors import Misconfigured
from functions.gcp.clock import SystemClock
from functions.settings.read import read_settings
from local.standins.fcm.credentials import write_service_account
from tests.audience_jobs.postgres import fill
from tests.audience_jobs.worlds import NOW, put, user

URL = "postgresql://reader:secret@db/shop"
DATASET = {
    "USER_DATA": "bigquery",
    "USER_DATASET": "kicks-data.shop",
    "GOOGLE_CLOUD_PROJECT": "kicks-push",
    "AUDIENCE_BUCKET": "kicks-audiences",
}


def test_user_data_are_files_unless_a_database_is_named() -> None:
    assert isinstance(user_data(read_settings({}))[0], DuckDBEngine)
    named = read_settings({"USER_DATA": "postgres", "USER_DATABASE_URL": URL, "USER_DATA_TIMEOUT_SECONDS": "5"})
    assert isinstance(user_data(named)[0], PostgresEngine)
    assert named.user_data_timeout == timedelta(seconds=5)


def test_files_lie_in_a_folder_or_in_a_bucket() -> None:
    assert read_settings({"USER_DATA_DIR": "exports/shop"}).user_data_dir == Path("exports/shop")
    for address in ("gs://shop-exports", "gs://shop-exports/daily/users_2026/"):
        assert read_settings({"USER_DATA_DIR": address}).user_data_dir == address


def test_a_dataset_is_read_as_the_account_and_at_the_cost_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key.json"
    write_service_account(key, project="elsewhere", token_uri="https://127.0.0.1:1/token")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    engine, _ = user_data(read_settings({**DATASET, "USER_DATASET_MAX_GIB_BILLED": "2"}))
    assert isinstance(engine, BigQueryEngine)
    assert (engine.dataset, engine.client.project, engine.bucket.name) == (
        "kicks-data.shop",
        "kicks-push",
        "kicks-audiences",
    )
    assert (engine.max_bytes_billed, engine.timeout_seconds) == (2 * 2**30, 600)


def test_a_folder_that_is_named_comes_before_every_database() -> None:
    for variables in ({"USER_DATA": "postgres", "USER_DATABASE_URL": URL}, DATASET):
        assert isinstance(user_data(read_settings(variables).on_files(Path("data")))[0], DuckDBEngine)


@pytest.mark.parametrize(
    ("variables", "setting"),
    [
        ({"USER_DATA": "mysql"}, "USER_DATA"),
        ({"USER_DATA_DIR": "s3://shop-exports"}, "USER_DATA_DIR"),
        ({"USER_DATA_DIR": "gs://shop-exports/../other"}, "USER_DATA_DIR"),
        ({"USER_DATA_DIR": "gs://shop-exports/it's"}, "USER_DATA_DIR"),
        ({"USER_DATA": "postgres", "USER_DATABASE_URL": "secret"}, "USER_DATABASE_URL"),
        ({"USER_DATA": "postgres", "USER_DATABASE_URL": URL, "USER_DATABASE_SCHEMA": "a;b"}, "USER_DATABASE_SCHEMA"),
        ({"USER_DATA_TIMEOUT_SECONDS": "1501"}, "USER_DATA_TIMEOUT_SECONDS"),
        ({**DATASET, "USER_DATASET": "shop"}, "USER_DATASET: must be a dataset of BigQuery, as in project.dataset"),
        ({**DATASET, "USER_DATASET": "kicks-data.shop` --"}, "USER_DATASET"),
        ({**DATASET, "GOOGLE_CLOUD_PROJECT": ""}, "GOOGLE_CLOUD_PROJECT"),
        ({**DATASET, "AUDIENCE_BUCKET": ""}, "AUDIENCE_BUCKET"),
        ({**DATASET, "USER_DATASET_MAX_GIB_BILLED": "0"}, "USER_DATASET_MAX_GIB_BILLED"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_without_the_password(variables: dict[str, str], setting: str) -> None:
    with pytest.raises(Misconfigured, match=setting) as refused:
        read_settings(variables)
    assert "secret" not in str(refused.value)


def test_only_who_builds_audiences_has_to_know_the_database() -> None:
    on_cloud = {
        "TMINUS_PLATFORM": "gcp",
        "PUSH_SENDER": "fcm",
        "GOOGLE_CLOUD_PROJECT": "demo",
        "GOOGLE_CLOUD_LOCATION": "europe-west1",
        "FUNCTION_URL": "https://tminus-{function}.example",
        "AUDIENCE_BUCKET": "demo-audiences",
        "TASK_CALLER": "tasks@example.com",
        "SCHEDULER_CALLER": "scheduler@example.com",
    }
    settings = read_settings({**on_cloud, "USER_DATA": "postgres"})
    with pytest.raises(Misconfigured, match="USER_DATABASE_URL"):
        user_data(settings)
    ports = google_cloud(settings, SystemClock())
    with pytest.raises(Misconfigured, match="USER_DATABASE_URL"):
        ports.engine.run(ports.find_job("generate_new_user_waterfall"), {}, now=NOW)


def test_the_password_is_not_shown_with_the_settings() -> None:
    settings = read_settings({"USER_DATA": "postgres", "USER_DATABASE_URL": URL})
    assert "secret" not in repr(settings)


def test_the_chosen_engine_runs_jobs_on_the_schema_that_is_named(postgres: str, tmp_path: Path) -> None:
    fill(postgres, put(tmp_path, {"users": [user("ann", created_at=NOW - timedelta(days=1))]}), schema="shop")
    variables = {"USER_DATA": "postgres", "USER_DATABASE_URL": postgres, "USER_DATABASE_SCHEMA": "shop"}
    engine, find_job = user_data(read_settings(variables))
    with engine.run(find_job("generate_new_user_waterfall"), {}, now=NOW) as run:
        assert run.write_audience("no-shoes", tmp_path / "out.csv") == 1
