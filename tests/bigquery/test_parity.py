"""Every job writes the same bytes on DuckDB, PostgreSQL and BigQuery."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audience_jobs.contract import Job
from audience_jobs.engines.bigquery import BigQueryEngine
from local.sample import generate
from tests.audience_jobs import postgres as databases
from tests.audience_jobs.examples import arguments_for
from tests.audience_jobs.marketplace import DuckDBEngine, PostgresEngine, all_jobs, job_of, read_criteria
from tests.audience_jobs.worlds import NOW
from tests.audience_jobs.written import written

SEEDS, USERS = (1, 2, 3), 50_000
PACKS = ["topTargetShoe", "hottestShoeTraded", "hottestShoeOffers"]
CRITERIA: list[dict[str, Any]] = [
    {"filters": {"minLifetimeTrades": 0}, "dataPacks": PACKS},
    {"filters": {"lastActiveDays": 30, "notTradedInLastDays": 7, "hasTrustedTrader": False}, "dataPacks": PACKS[:1]},
    {"filters": {"daysSinceLastActive_inactive": 14, "joinedAfterDate": "2026-01-01", "maxLifetimeTrades": 9}},
    {"filters": {"tradedInLastDays": 60, "isTrustedTraderCandidate": False}, "dataPacks": PACKS[1:]},
    {
        "customQuery": """SELECT u.id AS user_id, upper(u.username) AS "shouted", u.created_at AS joined,
               u.completed_trades_count / 2 AS half, CAST(date_trunc('week', u.created_at) AS DATE) AS week
            FROM users u WHERE u.first_name ILIKE '%A%' AND u.created_at < $now - INTERVAL '30 days'""",
        "dataPacks": PACKS[1:2],
    },
]


def jobs_for(folder: Path) -> list[tuple[Job, dict[str, object]]]:
    """Give every job, and jobs of criteria, with arguments that find somebody."""
    some = [line.split(",")[0] for line in (folder / "users.csv").read_text(encoding="utf-8").splitlines()[1:2000:7]]
    criteria = [*CRITERIA, {"manualUserIds": [*some, "stranger"]}]
    queries: list[tuple[Job, dict[str, object]]] = [(job_of(read_criteria(written)), {}) for written in criteria]
    return [(job, arguments_for(job, folder)) for job in all_jobs()] + queries


@pytest.mark.parametrize("seed", SEEDS)
def test_every_job_writes_the_same_bytes_on_all_engines(
    postgres: str, filled: Callable[..., BigQueryEngine], tmp_path: Path, seed: int
) -> None:
    generate(tmp_path, users=USERS, seed=seed, at=NOW)
    databases.fill(postgres, tmp_path, id_type="uuid")
    bigquery = filled(tmp_path)
    for job, arguments in jobs_for(tmp_path):
        expected = written(DuckDBEngine(tmp_path), job, tmp_path, **arguments)
        assert written(PostgresEngine(postgres), job, tmp_path, **arguments) == expected, job.sql
        assert written(bigquery, job, tmp_path, **arguments) == expected, job.sql
        assert max(len(content) for content in expected.values()) > 10_000, f"no users to compare: {job.sql}"
