"""Runs audience jobs on a folder of CSV or Parquet files, one a table, with DuckDB."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from audience_jobs.contract import Column, Job
from audience_jobs.engines.needs import Needs
from audience_jobs.engines.user_database import UserDatabase, user_database
from audience_jobs.engines.user_files import canonical, literal, quoted
from audience_jobs.errors import BadJob, CheckFailed
from audience_jobs.sql import is_blank

# An id that is NULL is written as an empty field, and sorted as that: whoever reads the file sees it in order.
_FILE_ORDER = "md5(coalesce(user_id, ''))"


class DuckDBEngine:
    """The Engine for user data in files.

    `data_dir` holds the tables. `memory_limit_mib` bounds what DuckDB keeps in memory; what does not fit spills to a
    folder below `temp_dir` (by default the system's), which is gone when the run ends.
    """

    def __init__(self, data_dir: Path, *, memory_limit_mib: int = 768, temp_dir: Path | None = None) -> None:
        self._data_dir, self._memory_limit_mib, self._temp_dir = data_dir, memory_limit_mib, temp_dir

    @contextmanager
    def run(self, job: Job, arguments: Mapping[str, object], *, now: datetime) -> Iterator["DuckDBRun"]:
        """Run the job once, as at `now`; see Engine.run.

        Raises BadParameter, NoUserData, MissingTable, MissingColumn and BadData about what it is given, BadJob
        about the job's SQL, CheckFailed, and duckdb.OperationalError where memory and disk do not suffice.
        """
        values = {**job.arguments(arguments), "now": _naive_utc(now)}
        needs = Needs(job.id, job.sql, [check.failing_sql for check in job.checks])
        with self._open() as database:
            database.provide(needs)
            database.rows(needs, f"CREATE TABLE job_rows AS {job.sql}", values)
            run = DuckDBRun(job, needs, database)
            run.hold_to_declaration()
            run.hold_to_checks(values)
            yield run

    def write_devices_of(self, user_ids: Sequence[str], path: Path, *, per_user: int) -> int:
        """Write `user_id,token,platform` of these users; see Engine.write_devices_of."""
        recipients = "SELECT DISTINCT unnest(CAST($user_ids AS VARCHAR[])) AS user_id"
        values = {"user_ids": list(user_ids), "per_user": per_user}
        with self._open() as database:
            return _write_devices(database, recipients, values, path)

    def _open(self) -> AbstractContextManager[UserDatabase]:
        return user_database(self._data_dir, memory_limit_mib=self._memory_limit_mib, temp_dir=self._temp_dir)


class DuckDBRun:
    """One run's result, kept as the table `job_rows`; see JobRun."""

    def __init__(self, job: Job, needs: Needs, database: UserDatabase) -> None:
        self._job, self._needs, self._database = job, needs, database

    def hold_to_declaration(self) -> None:
        """Raise BadJob where the job yields other columns or audiences than it declares."""
        found = {row[0] for row in self._rows("SELECT column_name FROM (DESCRIBE job_rows)")}
        declared = {"audience"} | {c.name for audience in self._job.audiences for c in audience.columns}
        if lacking := sorted(declared - found):
            raise BadJob(self._job.id, f"its SQL yields no column {', '.join(lacking)}, which it declares")
        for (name,) in self._rows("SELECT DISTINCT audience FROM job_rows"):
            if name not in {audience.name for audience in self._job.audiences}:
                raise BadJob(self._job.id, f"its SQL yields rows of audience {name!r}, which it does not declare")

    def hold_to_checks(self, values: Mapping[str, object]) -> None:
        """Raise CheckFailed for the first of the job's checks that finds a row."""
        for check in self._job.checks:
            count = int(str(self._rows(check.failing_sql, values)[0][0]))
            if count:
                raise CheckFailed(self._job.id, check.name, count, check.meaning)

    def write_audience(self, audience: str, path: Path) -> int:
        """Write the audience's CSV and give its number of rows; see JobRun.write_audience."""
        declared = self._job.audience(audience)
        columns = ", ".join(map(_as_written, declared.columns))
        order = ", ".join([_FILE_ORDER, *(quoted(column.name) for column in declared.columns)])
        select = f"""
            SELECT * FROM (SELECT {columns} FROM job_rows WHERE audience = {literal(audience)}) ORDER BY {order}
        """  # noqa: S608 (the job's declaration, quoted)
        return self._database.write_csv(self._needs, select, {}, path)

    def write_devices(self, audience: str, path: Path, *, per_user: int) -> int:
        """Write the tokens of the audience's users and give their number; see JobRun.write_devices."""
        recipients = "SELECT DISTINCT user_id FROM job_rows WHERE audience = $audience"
        values = {"audience": self._job.audience(audience).name, "per_user": per_user}
        return _write_devices(self._database, recipients, values, path)

    def _rows(self, sql: str, values: Mapping[str, object] | None = None) -> list[tuple[object, ...]]:
        return self._database.rows(self._needs, sql, values or {})


def _write_devices(database: UserDatabase, recipients: str, values: Mapping[str, object], path: Path) -> int:
    needs = Needs("devices", "SELECT user_id, token, platform, updated_at FROM devices")
    database.provide(needs)
    select = f"""
        WITH recipients AS (SELECT user_id, {canonical("user_id")} AS id FROM ({recipients})),
        -- One device can be registered twice; sending to it twice would be a double push.
        tokens AS (
            SELECT * FROM devices
            WHERE user_id IN (SELECT id FROM recipients) AND NOT {is_blank("token")}
            QUALIFY row_number() OVER (PARTITION BY user_id, token ORDER BY updated_at DESC NULLS LAST, platform) = 1
        ),
        ranked AS (
            SELECT r.user_id, t.token, t.platform,
                row_number() OVER (PARTITION BY r.user_id ORDER BY t.updated_at DESC NULLS LAST, t.token) AS place
            FROM tokens t JOIN recipients r ON r.id = t.user_id
        )
        SELECT user_id, token, platform FROM ranked
        WHERE place <= CAST($per_user AS INTEGER)
        ORDER BY {_FILE_ORDER}, user_id, place
    """  # noqa: S608 (our own SQL; the ids are bound)
    return database.write_csv(needs, select, values, path)


def _as_written(column: Column) -> str:
    name = quoted(column.name)
    if column.type == "timestamp":
        return f"strftime(CAST({name} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%SZ') AS {name}"
    return f"CAST({name} AS {'BIGINT' if column.type == 'integer' else 'VARCHAR'}) AS {name}"


def _naive_utc(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError(f"now is {now}, without time zone: give an aware datetime")
    return now.astimezone(UTC).replace(tzinfo=None)
