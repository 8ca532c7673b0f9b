"""bqemulator, a stand-in for BigQuery on this machine, and how tests fill it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from audience_jobs.schema import Tables
from local.runtime.emulators import EmulatorMissing, free_port, running, storage_emulator
from tests.audience_jobs.marketplace import MARKETPLACE

PROJECT, BUCKET = "demo", "demo-audiences"
_VENV = Path(__file__).parent / ".venv"
_TYPES = {
    "integer": "INT64",
    "number": "FLOAT64",
    "boolean": "BOOL",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "json": "JSON",
}


class ExportBucket(storage.Bucket):  # type: ignore[misc] # its library ships no types
    """A bucket of fake-gcs-server into which bqemulator's exports arrive: it writes them to a folder.

    `arrived` is how many files have.
    """

    def __init__(self, client: storage.Client, folder: Path) -> None:
        super().__init__(client, BUCKET)
        self._folder, self.arrived = folder / BUCKET, 0

    def list_blobs(self, *, prefix: str) -> Iterator[Any]:
        """Give the objects whose names begin with `prefix`, as the real one does."""
        for path in [path for path in (self._folder / prefix).rglob("*") if path.is_file()]:
            self.blob(str(path.relative_to(self._folder))).upload_from_filename(str(path))
            path.unlink()
            self.arrived += 1
        yield from super().list_blobs(prefix=prefix)


@contextmanager
def bigquery_emulator(folder: Path) -> Iterator[tuple[bigquery.Client, ExportBucket]]:
    """Run bqemulator and fake-gcs-server, their files in a folder, and yield clients of both.

    An export is cut into files of some 200 kB, so that tests of many users read several.
    """
    program = _VENV / "bin" / "bqemulator"
    if not program.is_file():
        raise EmulatorMissing("bqemulator is missing: `make test-bigquery` installs it")
    exports, port = folder / "exports", free_port()
    environment = {
        "HOME": str(_home_with_extension(folder / "home")),
        "BQEMU_GCS_LOCAL_ROOT": str(exports),
        "BQEMU_EXPORT_SHARD_THRESHOLD_BYTES": "200000",
        "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false",
    }
    command = ["env", "-C", str(folder), *(f"{name}={value}" for name, value in environment.items())]
    command += [str(program), "start", "--ephemeral", f"--rest-port={port}", "--grpc-port=0", "--log-level=error"]
    with (
        running(command, folder / "bqemulator.log", f"http://127.0.0.1:{port}/"),
        storage_emulator(folder / "storage", folder / "storage.log") as storage_url,
    ):
        credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
        client = bigquery.Client(PROJECT, credentials, client_options={"api_endpoint": f"http://127.0.0.1:{port}"})
        files = storage.Client(PROJECT, credentials, client_options={"api_endpoint": storage_url})
        files.create_bucket(BUCKET)
        yield client, ExportBucket(files, exports)


def fill(
    client: bigquery.Client, dataset: str, folder: Path, tables: Tables = MARKETPLACE.tables, **types: str
) -> str:
    """Replace a dataset by the tables of a folder of CSV files; give its name with the project's.

    `types` are BigQuery's types for the schema's, where they are to be others than usual.
    """
    client.delete_dataset(dataset, delete_contents=True, not_found_ok=True)
    client.create_dataset(dataset)
    for table in tables.values():
        known = {**_TYPES, **types}
        config = bigquery.LoadJobConfig(
            schema=[
                bigquery.SchemaField(column.name, known.get(column.type, "STRING"))
                for column in table.columns.values()
            ],
            source_format="CSV",
            skip_leading_rows=1,
        )
        with (folder / f"{table.name}.csv").open("rb") as file:
            client.load_table_from_file(file, f"{PROJECT}.{dataset}.{table.name}", job_config=config).result()
    return f"{PROJECT}.{dataset}"


def _home_with_extension(home: Path) -> Path:
    """Make a home folder in which DuckDB finds its spatial extension, which it would download otherwise."""
    packages = _VENV / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    for version in (packages / "duckdb_extension_spatial" / "extensions").iterdir():
        place = home / ".duckdb" / "extensions" / version.name / "linux_amd64"
        place.mkdir(parents=True)
        (place / "spatial.duckdb_extension").symlink_to(version / "spatial.duckdb_extension")
    return home
