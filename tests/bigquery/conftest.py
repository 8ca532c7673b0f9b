"""What tests of the BigQuery engine share: a stand-in for BigQuery, and a real PostgreSQL to compare with."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from audience_jobs.engines.bigquery import BigQueryEngine
from audience_jobs.workspace import Workspace, marketplace
from local.runtime.emulators import EmulatorMissing
from tests.audience_jobs.conftest import postgres  # noqa: F401 - a fixture
from tests.bigquery.emulator import ExportBucket, bigquery_emulator, fill


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[bigquery.Client, ExportBucket]]:
    """Clients of the stand-ins; where they are missing, CI fails and everybody else is told how to get them."""
    try:
        with bigquery_emulator(tmp_path_factory.mktemp("bigquery")) as clients:
            yield clients
    except EmulatorMissing as problem:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def filled(emulated: tuple[bigquery.Client, ExportBucket]) -> Callable[..., BigQueryEngine]:
    """Fill the dataset `shop` from a folder, and give the engine over it; types as for `fill`, options as its own."""

    def engine(
        folder: Path, options: dict[str, Any] | None = None, workspace: Workspace | None = None, **types: str
    ) -> BigQueryEngine:
        client, bucket = emulated
        return BigQueryEngine(
            client=client,
            bucket=bucket,
            dataset=fill(client, "shop", folder, (workspace or marketplace()).tables, **types),
            workspace=workspace or marketplace(),
            **(options or {}),
        )

    return engine
