"""BigQuery reads the tables of another team's workspace, as files and PostgreSQL do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from audience_jobs.engines.bigquery import BigQueryEngine
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.registry import all_jobs, find
from audience_jobs.workspace import Workspace
from tests.audience_jobs import test_private_data as private
from tests.audience_jobs.fitness import SECRET, fitness
from tests.audience_jobs.test_foreign_tables import QUERIES, found, of_members
from tests.audience_jobs.test_jobs_of_a_workspace import ARGUMENTS, JOBS, put
from tests.audience_jobs.written import written

Filled = Callable[..., BigQueryEngine]


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return fitness(tmp_path / "fitness")


def test_a_query_reads_the_teams_own_tables(shop: Workspace, filled: Filled, tmp_path: Path) -> None:
    engine = filled(shop.folder / "data", workspace=shop)
    for sql, rows in QUERIES.items():
        lines = found(engine, shop, sql, tmp_path / "out.csv").splitlines()
        assert [lines[0], *sorted(lines[1:])] == ["user_id,x", *sorted(rows)], (sql, lines)


def test_a_star_has_no_private_columns(shop: Workspace, filled: Filled, tmp_path: Path) -> None:
    engine = filled(shop.folder / "data", workspace=shop)
    for sql in map(of_members, private.COUNTS_COLUMNS):
        answer = found(engine, shop, sql, tmp_path / "out.csv")
        assert SECRET not in answer, sql


def test_every_job_in_sql_writes_the_same_bytes(filled: Filled, tmp_path: Path) -> None:
    shop = put(fitness(tmp_path / "trained", devices=True), **JOBS)
    bigquery, files = filled(shop.folder / "data", workspace=shop), DuckDBEngine(shop.folder / "data", shop)
    for job in all_jobs(shop):
        arguments = ARGUMENTS.get(job.id, {})
        assert written(bigquery, job, tmp_path, **arguments) == written(files, job, tmp_path, **arguments), job.id


def test_a_star_in_a_job_has_no_private_columns(filled: Filled, tmp_path: Path) -> None:
    shop = fitness(tmp_path / "trained", devices=True)
    engine = filled(shop.folder / "data", workspace=shop)
    for sql in map(of_members, private.COUNTS_COLUMNS):
        job = find("leak", put(shop, leak=sql))
        assert SECRET not in written(engine, job, tmp_path)["leak"].decode(), sql
