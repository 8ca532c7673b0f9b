"""Runs audience jobs on a BigQuery dataset."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from google.cloud import bigquery, storage

from audience_jobs.contract import Column, Job
from audience_jobs.devices import Devices
from audience_jobs.engines.bigquery_files import EXPORTS, exported, write_sorted
from audience_jobs.engines.bigquery_request import Limits
from audience_jobs.engines.bigquery_session import BigQuerySession, bigquery_session
from audience_jobs.engines.google_access import google_access
from audience_jobs.engines.needs import Needs
from audience_jobs.engines.sealed_database import MEMORY_LIMIT_MIB, as_written
from audience_jobs.engines.time_limit import TimeLimit
from audience_jobs.prepared import RESULT_TABLE, PreparedJob, freshness_sql, prepare
from audience_jobs.query import Query
from audience_jobs.schema import DEVICES
from audience_jobs.sql import RANKED, devices_of, in_file_order, literal, quoted
from audience_jobs.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class BigQueryEngine:
    """The Engine for user data in BigQuery.

    `dataset` (`project.dataset`) holds the tables of the workspace. Queries run, and are billed, in the project of
    `client`. Results are exported through `bucket`, which has to be in the dataset's location. A query is billed for
    at most `max_bytes_billed`, a look (`within`) for at most `max_bytes_looked`: BigQuery estimates it, and refuses
    a larger one before it reads anything. A query may take `timeout_seconds`; all have to end before `ends` on the
    monotonic clock.
    DuckDB sorts the files; what does not fit into `memory_limit_mib` spills to a folder below `temp_dir` (by default
    the system's), at most `most_spill_mib`.
    """

    client: bigquery.Client
    bucket: storage.Bucket
    dataset: str
    workspace: Workspace
    max_bytes_billed: int = 100 * 2**30
    max_bytes_looked: int = 10 * 2**30
    timeout_seconds: float = 600
    ends: float = math.inf
    memory_limit_mib: int = MEMORY_LIMIT_MIB
    most_spill_mib: int | None = None
    temp_dir: Path | None = None

    @contextmanager
    def run(self, job: Job, arguments: Mapping[str, object], *, now: datetime) -> Iterator["BigQueryRun"]:
        """Run the job once, as at `now`; see Engine.run.

        Raises BadParameter, NoDataset, MissingInDataset, BadJob, CheckFailed, StaleData, TooSlow, TooCostly,
        NotAllowed and NoCredentials, and Unavailable for temporary problems; writing raises NotExported.
        """
        prepared = prepare(job, arguments, now=now, models=self.workspace.models)
        with self._open(job.id) as session:
            with session.translating_errors():
                session.tables.provide(Needs.of(prepared))
            run = BigQueryRun(self, prepared, session)
            run.check_freshness()
            run.fill()
            run.check_declaration()
            yield run

    def write_devices_of(
        self, user_ids: Sequence[str], path: Path, *, per_user: int, topic: str | None = None, locales: bool = False
    ) -> int:
        """Write the devices of these users; see Engine.write_devices_of."""
        recipients = "SELECT DISTINCT g.id AS user_id FROM unnest(CAST($user_ids AS TEXT[])) AS g(id)"
        with self._open("devices") as session:
            given = {"user_ids": list(user_ids)}
            return self.write_devices(
                session, recipients, given, path, per_user=per_user, topic=topic, locales=locales
            )

    def within(self, seconds: float) -> "BigQueryEngine":
        """Return the same engine, whose queries end within `seconds` from now; see Engine.within."""
        limit = self._limit.within(seconds)
        billed = min(self.max_bytes_billed, self.max_bytes_looked)
        return replace(self, timeout_seconds=limit.seconds, ends=limit.ends, max_bytes_billed=billed)

    def write(
        self,
        session: BigQuerySession,
        query: str,
        values: Mapping[str, object],
        *,
        columns: Sequence[str],
        select: str,
        path: Path,
    ) -> int:
        """Export a query's columns as `exported`, write a SELECT over it as CSV, and return the number of rows."""
        with session.exporting(f"gs://{self.bucket.name}/{EXPORTS}"), exported(self.bucket) as export:
            session.export(query, values, export.uri)
            return write_sorted(
                export,
                columns,
                select,
                path,
                temp_dir=self.temp_dir,
                memory_limit_mib=self.memory_limit_mib,
                most_spill_mib=self.most_spill_mib,
            )

    def write_devices(
        self,
        session: BigQuerySession,
        recipients: str,
        values: Mapping[str, object],
        path: Path,
        *,
        per_user: int,
        topic: str | None,
        locales: bool,
    ) -> int:
        """Write the tokens of the users in a query's column `user_id`, each token once."""
        devices = Devices(self.workspace.models, topic, locales=locales)
        with session.translating_errors():
            session.tables.provide(Needs.of_queries(DEVICES, devices.queries, self.workspace.tables))
        ranked = devices.ranked(recipients, per_user, said=lambda query: query.sql("postgres"))
        select = devices_of("SELECT * FROM exported")
        return self.write(session, ranked, values, columns=RANKED, select=select, path=path)

    @property
    def _limit(self) -> TimeLimit:
        return TimeLimit(self.timeout_seconds, self.ends)

    @contextmanager
    def _open(self, job_id: str) -> Iterator[BigQuerySession]:
        limits = Limits(bytes_billed=self.max_bytes_billed, time=self._limit)
        tables = self.workspace.tables
        with (
            google_access(),
            bigquery_session(self.client, self.dataset, tables, job_id=job_id, limits=limits) as session,
        ):
            yield session


def open_bigquery(
    project: str,
    workspace: Workspace,
    *,
    dataset: str,
    bucket: str,
    max_bytes_billed: int,
    max_bytes_looked: int,
    timeout_seconds: float,
    most_spill_mib: int | None = None,
) -> BigQueryEngine:
    """Return the engine with this machine's account; `project` is billed. NoCredentials without an account."""
    with google_access():
        return BigQueryEngine(
            client=bigquery.Client(project),
            bucket=storage.Client(project).bucket(bucket),
            dataset=dataset,
            workspace=workspace,
            max_bytes_billed=max_bytes_billed,
            max_bytes_looked=max_bytes_looked,
            timeout_seconds=timeout_seconds,
            most_spill_mib=most_spill_mib,
        )


class BigQueryRun:
    """One run's result, kept as a temporary table; see JobRun."""

    def __init__(self, engine: BigQueryEngine, prepared: PreparedJob, session: BigQuerySession) -> None:
        self._engine, self._prepared, self._session = engine, prepared, session

    def check_freshness(self) -> None:
        """Raise StaleData if the user data are older than the job allows."""
        if fresh := self._prepared.job.freshness:
            newest = self._session.rows(freshness_sql(fresh))[0][0]
            self._prepared.check_freshness(newest if isinstance(newest, datetime) else None)

    def fill(self) -> None:
        """Store the result of the job's query; BadJob if columns are missing."""
        query = self._prepared.query
        self._prepared.check_columns(self._session.columns(query.tree()))
        columns = {c.name: str(c.type) for audience in self._prepared.job.audiences for c in audience.columns}
        self._session.keep(query.tree(), self._values(query), {"audience": "text"} | columns)

    def check_declaration(self) -> None:
        """Raise BadJob or CheckFailed if the result differs from the job's declaration."""
        found = self._session.rows(f"SELECT DISTINCT audience FROM {RESULT_TABLE}")  # noqa: S608 (our own name)
        self._prepared.check_audiences([name for (name,) in found])
        self._prepared.run_checks(self._count)

    def size(self, audience: str) -> int:
        """Return the audience's number of rows; see JobRun.size."""
        name = self._prepared.job.audience(audience).name
        found = self._session.rows(f"SELECT count(*) FROM {RESULT_TABLE} WHERE audience = {literal(name)}")  # noqa: S608 (quoted)
        return int(str(found[0][0]))

    def write_audience(self, audience: str, path: Path) -> int:
        """Write the audience's CSV and return its number of rows; see JobRun.write_audience."""
        declared = self._prepared.job.audience(audience)
        names = [column.name for column in declared.columns]
        found = f"SELECT {', '.join(map(_as_exported, declared.columns))} FROM {RESULT_TABLE}"  # noqa: S608 (quoted)
        written = f"SELECT {', '.join(map(as_written, declared.columns))} FROM exported"  # noqa: S608 (as above)
        return self._engine.write(
            self._session,
            f"{found} WHERE audience = {literal(audience)}",
            {},
            columns=names,
            select=in_file_order(written, map(quoted, names)),
            path=path,
        )

    def write_devices(
        self, audience: str, path: Path, *, per_user: int, topic: str | None = None, locales: bool = False
    ) -> int:
        """Write the tokens of the audience's users and return their number; see JobRun.write_devices."""
        name = self._prepared.job.audience(audience).name
        recipients = f"SELECT DISTINCT user_id FROM {RESULT_TABLE} WHERE audience = {literal(name)}"  # noqa: S608 (quoted)
        return self._engine.write_devices(
            self._session, recipients, {}, path, per_user=per_user, topic=topic, locales=locales
        )

    def _count(self, query: Query) -> int:
        return int(str(self._session.rows(query.tree(), self._values(query))[0][0]))

    def _values(self, query: Query) -> dict[str, object]:
        return {name: self._prepared.values[name] for name in query.parameters}


def _as_exported(column: Column) -> str:
    """Return times as texts, because Parquet has several representations of a time."""
    name = quoted(column.name)
    return f"CAST({name} AS TEXT) AS {name}" if column.type == "timestamp" else name
