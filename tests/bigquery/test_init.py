"""`tminus init`, `check` and `run` on datasets that no one has prepared for them."""

from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from audience_jobs.engines import bigquery as engine
from audience_jobs.engines import bigquery_catalog as catalog
from audience_jobs.engines.bigquery import BigQueryEngine
from tests.audience_jobs.foreign import WORLDS, World, write_csv
from tests.audience_jobs.test_init_command import proven, tminus
from tests.bigquery.emulator import BUCKET, PROJECT, ExportBucket
from tests.command import Tminus

__all__ = ["tminus"]
SIZE, SEED = 60, 7
_TYPES = {
    "bigint": "INT64",
    "boolean": "BOOL",
    "double precision": "FLOAT64",
    "integer": "INT64",
    "numeric": "NUMERIC",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP",
}


@pytest.fixture
def client(emulated: tuple[bigquery.Client, ExportBucket], monkeypatch: pytest.MonkeyPatch) -> bigquery.Client:
    """The client of the stand-in, which commands get in place of one with this machine's account."""
    client, exports = emulated

    def opened(_: str, workspace: Any, *, bucket: str, **options: Any) -> BigQueryEngine:
        assert bucket == BUCKET
        return BigQueryEngine(client=client, bucket=exports, workspace=workspace, **options)

    monkeypatch.setattr(engine, "open_bigquery", opened)
    monkeypatch.setattr(catalog, "open_client", lambda _: client)
    return client


def fill(client: bigquery.Client, dataset: str, world: World, folder: Path) -> str:
    """Put a world into a dataset, and return its name with the project's."""
    write_csv(world, folder)
    client.delete_dataset(dataset, delete_contents=True, not_found_ok=True)
    client.create_dataset(dataset)
    for name, table in world.tables.items():
        fields = [
            bigquery.SchemaField(column, _TYPES.get(type_, "STRING")) for column, type_ in table.columns.items()
        ]
        config = bigquery.LoadJobConfig(schema=fields, source_format="CSV", skip_leading_rows=1)
        with (folder / f"{name}.csv").open("rb") as file:
            client.load_table_from_file(file, f"{PROJECT}.{dataset}.{name}", job_config=config).result()
    return f"{PROJECT}.{dataset}"


@pytest.mark.parametrize("name", WORLDS)
def test_a_dataset_becomes_a_workspace(name: str, client: bigquery.Client, tminus: Tminus, tmp_path: Path) -> None:
    world = WORLDS[name](SIZE, SEED)
    dataset = fill(client, f"of_{name}", world, tmp_path / "csv")
    proven(tminus, world, "--bigquery", dataset, "--bucket", BUCKET)
    assert f'bigquery = "{dataset}"\nbucket = "{BUCKET}"' in Path("team/tminus.toml").read_text()


def test_without_a_bucket_samples_decide(client: bigquery.Client, tminus: Tminus, tmp_path: Path) -> None:
    dataset = fill(client, "of_news", WORLDS["news"](SIZE, SEED), tmp_path / "csv")
    made = tminus("init", "team", "--bigquery", dataset, "--json")
    assert made.status == 0, made.err
    assert (made.report["people"], made.report["events"]) == (None, ["page_views"])
    assert "source.bucket is missing: name the bucket through which results leave BigQuery" in made.report["missing"]
