"""Every job writes the same bytes on DuckDB, PostgreSQL and BigQuery."""

from collections.abc import Callable
from pathlib import Path

import pytest

from audience_jobs.engines.bigquery import BigQueryEngine
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.engines.postgres import PostgresEngine
from audience_jobs.registry import all_jobs
from local.sample import generate
from tests.audience_jobs import postgres as databases
from tests.audience_jobs.examples import arguments_for
from tests.audience_jobs.worlds import NOW
from tests.audience_jobs.written import written

SEEDS, USERS = (1, 2, 3), 50_000


@pytest.mark.parametrize("seed", SEEDS)
def test_every_job_writes_the_same_bytes_on_all_engines(
    postgres: str, filled: Callable[..., BigQueryEngine], tmp_path: Path, seed: int
) -> None:

    generate(tmp_path, users=USERS, seed=seed, at=NOW)
    databases.fill(postgres, tmp_path, id_type="uuid")
    bigquery = filled(tmp_path)
    for job in all_jobs():
        arguments = arguments_for(job, tmp_path)
        expected = written(DuckDBEngine(tmp_path), job, tmp_path, **arguments)
        assert written(PostgresEngine(postgres), job, tmp_path, **arguments) == expected, job.id
        assert written(bigquery, job, tmp_path, **arguments) == expected, job.id
        assert max(len(content) for content in expected.values()) > 10_000, f"{job.id} found nobody to compare"
