"""Runs audience jobs with DuckDB on a folder of CSV or Parquet files, one a table, local or in a bucket."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from pathlib import Path
from threading import Lock

from audience_jobs.contract import Job
from audience_jobs.devices import Devices
from audience_jobs.engines.needs import Needs
from audience_jobs.engines.sealed_database import MEMORY_LIMIT_MIB, as_written
from audience_jobs.engines.time_limit import TimeLimit
from audience_jobs.engines.user_database import UserDatabase, user_database
from audience_jobs.engines.user_folder import user_folder
from audience_jobs.prepared import RESULT_TABLE, PreparedJob, freshness_sql, prepare
from audience_jobs.query import Query
from audience_jobs.schema import DEVICES
from audience_jobs.sql import devices_of, in_file_order, literal, quoted
from audience_jobs.workspace import Workspace


class DuckDBEngine:
    """The Engine for user data in files.

    `data`, a path or `gs://bucket/folder`, holds the tables of the workspace. `memory_limit_mib` limits DuckDB's
    memory; what does not fit spills to a folder below `temp_dir` (by default the system's), which is deleted when
    the run ends, of at most `most_spill_mib`. A statement may take `timeout_seconds`.
    """

    def __init__(
        self,
        data: Path | str,
        workspace: Workspace,
        *,
        memory_limit_mib: int = MEMORY_LIMIT_MIB,
        most_spill_mib: int | None = None,
        temp_dir: Path | None = None,
        timeout_seconds: float = 600,
    ) -> None:
        self._data, self._memory_limit_mib, self._temp_dir = user_folder(data), memory_limit_mib, temp_dir
        self._most_spill_mib = most_spill_mib
        self._workspace, self._limit = workspace, TimeLimit(timeout_seconds)
        self._open_now: set[UserDatabase] = set()
        self._changing = Lock()

    def stop(self) -> None:
        """Stop the running statements of other threads: they raise Unavailable."""
        with self._changing:
            for database in self._open_now:
                database.stop()

    @contextmanager
    def run(self, job: Job, arguments: Mapping[str, object], *, now: datetime) -> Iterator["DuckDBRun"]:
        """Run the job once, as at `now`; see Engine.run.

        Raises BadParameter, NoUserData, MissingTable, MissingColumn and BadData for bad input, BadJob for bad SQL,
        CheckFailed, StaleData, TooSlow, and Unavailable if memory or disk runs out or a bucket cannot be reached.
        """
        prepared = prepare(job, arguments, now=now, models=self._workspace.models)
        needs = Needs.of(prepared)
        with self._open() as database:
            database.provide(needs)
            run = DuckDBRun(prepared, needs, database)
            run.check_freshness()
            database.rows(needs, f"CREATE TABLE {RESULT_TABLE} AS {prepared.query.sql('duckdb')}", prepared.values)
            run.check_declaration()
            yield run

    def write_devices_of(
        self, user_ids: Sequence[str], path: Path, *, per_user: int, topic: str | None = None, locales: bool = False
    ) -> int:
        """Write the devices of these users; see Engine.write_devices_of."""
        recipients = "SELECT DISTINCT unnest(CAST($user_ids AS VARCHAR[])) AS user_id"
        with self._open() as database:
            given = {"user_ids": list(user_ids)}
            devices = Devices(self._workspace.models, topic, locales=locales)
            return _write_devices(database, devices, recipients, given, path, per_user=per_user)

    def within(self, seconds: float) -> "DuckDBEngine":
        """Return the same engine, whose statements end within `seconds` from now; see Engine.within."""
        engine = copy(self)
        engine._limit = self._limit.within(seconds)
        return engine

    @contextmanager
    def _open(self) -> Iterator[UserDatabase]:
        with user_database(
            self._data,
            self._workspace.tables,
            memory_limit_mib=self._memory_limit_mib,
            most_spill_mib=self._most_spill_mib,
            temp_dir=self._temp_dir,
            limit=self._limit,
        ) as database:
            with self._changing:
                self._open_now.add(database)
            try:
                yield database
            finally:
                with self._changing:
                    self._open_now.discard(database)


class DuckDBRun:
    """One run's result, kept as a table; see JobRun."""

    def __init__(self, prepared: PreparedJob, needs: Needs, database: UserDatabase) -> None:
        self._prepared, self._needs, self._database = prepared, needs, database

    def check_freshness(self) -> None:
        """Raise StaleData if the user data are older than the job allows."""
        if fresh := self._prepared.job.freshness:
            newest = self._rows(freshness_sql(fresh))[0][0]
            self._prepared.check_freshness(newest if isinstance(newest, datetime) else None)

    def check_declaration(self) -> None:
        """Raise BadJob or CheckFailed if the result differs from the job's declaration."""
        columns = self._rows(f"SELECT column_name FROM (DESCRIBE {RESULT_TABLE})")  # noqa: S608 (our own name)
        self._prepared.check_columns([str(name) for (name,) in columns])
        audiences = self._rows(f"SELECT DISTINCT audience FROM {RESULT_TABLE}")  # noqa: S608 (as above)
        self._prepared.check_audiences([name for (name,) in audiences])
        self._prepared.run_checks(self._count)

    def size(self, audience: str) -> int:
        """Return the audience's number of rows; see JobRun.size."""
        name = self._prepared.job.audience(audience).name
        rows = self._rows(f"SELECT count(*) FROM {RESULT_TABLE} WHERE audience = $audience", {"audience": name})  # noqa: S608 (our own name)
        return int(str(rows[0][0]))

    def write_audience(self, audience: str, path: Path) -> int:
        """Write the audience's CSV and return its number of rows; see JobRun.write_audience."""
        declared = self._prepared.job.audience(audience)
        columns = ", ".join(map(as_written, declared.columns))
        select = f"SELECT {columns} FROM {RESULT_TABLE} WHERE audience = {literal(audience)}"  # noqa: S608 (quoted)
        ordered = in_file_order(select, (quoted(column.name) for column in declared.columns))
        return self._database.write_csv(self._needs, ordered, {}, path)

    def write_devices(
        self, audience: str, path: Path, *, per_user: int, topic: str | None = None, locales: bool = False
    ) -> int:
        """Write the tokens of the audience's users and return their number; see JobRun.write_devices."""
        recipients = f"SELECT DISTINCT user_id FROM {RESULT_TABLE} WHERE audience = $audience"  # noqa: S608 (as above)
        values = {"audience": self._prepared.job.audience(audience).name}
        devices = Devices(self._prepared.models, topic, locales=locales)
        return _write_devices(self._database, devices, recipients, values, path, per_user=per_user)

    def _count(self, query: Query) -> int:
        return int(str(self._rows(query.sql("duckdb"), self._prepared.values)[0][0]))

    def _rows(self, sql: str, values: Mapping[str, object] | None = None) -> list[tuple[object, ...]]:
        return self._database.rows(self._needs, sql, values or {})


def _write_devices(
    database: UserDatabase,
    devices: Devices,
    recipients: str,
    values: Mapping[str, object],
    path: Path,
    *,
    per_user: int,
) -> int:
    needs = Needs.of_queries(DEVICES, devices.queries, devices.source)
    database.provide(needs)
    ranked = devices.ranked(recipients, per_user, said=lambda query: query.sql("duckdb"))
    return database.write_csv(needs, devices_of(ranked), values, path)
