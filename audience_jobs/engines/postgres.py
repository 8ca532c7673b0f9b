"""Runs audience jobs on the product's PostgreSQL database, or on a replica that allows temporary tables."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from pathlib import Path

from audience_jobs.contract import Column, Job
from audience_jobs.devices import Devices
from audience_jobs.engines.needs import Needs
from audience_jobs.engines.postgres_session import PostgresSession, postgres_session
from audience_jobs.engines.time_limit import TimeLimit
from audience_jobs.prepared import RESULT_TABLE, PreparedJob, freshness_sql, prepare
from audience_jobs.query import Query
from audience_jobs.schema import DEVICES
from audience_jobs.sql import devices_of, in_file_order, literal, quoted
from audience_jobs.workspace import Workspace

_RECIPIENTS = "tminus_recipients"
_TYPES = {"text": 'text COLLATE "C"', "integer": "bigint", "timestamp": "timestamp"}


class PostgresEngine:
    """The Engine for user data in PostgreSQL 15 or later.

    `url` is libpq's (`postgresql://role@host/database`). The tables of the workspace are in `schema`. The role needs
    SELECT on them and TEMPORARY on the database, and should have no other rights. Each statement may take
    `timeout_seconds`. A run sees the database as it was at its first statement.
    """

    def __init__(
        self, url: str, workspace: Workspace, *, schema: str = "public", timeout_seconds: float = 600
    ) -> None:
        self._url, self._workspace, self._schema, self._limit = url, workspace, schema, TimeLimit(timeout_seconds)

    @contextmanager
    def run(self, job: Job, arguments: Mapping[str, object], *, now: datetime) -> Iterator["PostgresRun"]:
        """Run the job once, as at `now`; see Engine.run.

        Raises BadParameter, MissingInDatabase, BadJob, CheckFailed, StaleData and TooSlow, and Unavailable if the
        database cannot be reached or lacks memory or disk.
        """
        prepared = prepare(job, arguments, now=now, models=self._workspace.models)
        with self._open(job.id) as session:
            session.provide(Needs.of(prepared))
            columns = {column.name: column for audience in job.audiences for column in audience.columns}
            types = {"audience": _TYPES["text"]} | {c.name: _TYPES[c.type] for c in columns.values()}
            session.create_table(RESULT_TABLE, types)
            session.only_read()
            run = PostgresRun(prepared, session)
            run.check_freshness()
            run.fill(list(types))
            run.check_declaration()
            yield run

    def write_devices_of(
        self, user_ids: Sequence[str], path: Path, *, per_user: int, topic: str | None = None, locales: bool = False
    ) -> int:
        """Write the devices of these users; see Engine.write_devices_of."""
        possible = [user_id for user_id in user_ids if "\0" not in user_id]  # PostgreSQL's texts cannot contain NUL
        with self._open("devices") as session:
            session.create_table(_RECIPIENTS, {"user_id": _TYPES["text"]})
            session.only_read()
            session.rows(f"INSERT INTO {_RECIPIENTS} SELECT DISTINCT unnest(CAST($1 AS text[]))", [possible])
            given = f"SELECT user_id FROM {_RECIPIENTS}"  # noqa: S608 (as above)
            devices = Devices(self._workspace.models, topic, locales=locales)
            return _write_devices(session, devices, given, path, per_user)

    def within(self, seconds: float) -> "PostgresEngine":
        """Return the same engine, whose statements end within `seconds` from now; see Engine.within."""
        engine = copy(self)
        engine._limit = self._limit.within(seconds)
        return engine

    @contextmanager
    def _open(self, job_id: str) -> Iterator[PostgresSession]:
        with postgres_session(
            self._url,
            self._workspace.tables,
            schema=self._schema,
            job_id=job_id,
            limit=self._limit,
        ) as session:
            yield session


class PostgresRun:
    """One run's result, kept as a temporary table; see JobRun."""

    def __init__(self, prepared: PreparedJob, session: PostgresSession) -> None:
        self._prepared, self._session = prepared, session

    def check_freshness(self) -> None:
        """Raise StaleData if the user data are older than the job allows."""
        if fresh := self._prepared.job.freshness:
            newest = self._session.rows(freshness_sql(fresh))[0][0]
            self._prepared.check_freshness(newest if isinstance(newest, datetime) else None)

    def fill(self, columns: Sequence[str]) -> None:
        """Run the job's query into the result table; BadJob if columns are missing."""
        query = self._prepared.query
        sql, values = query.numbered(), self._values(query)
        self._prepared.check_columns(self._session.columns(sql, values))
        types = {column.name: column.type for a in self._prepared.job.audiences for column in a.columns}
        wanted = ", ".join(f"CAST({quoted(name)} AS {_cast(types.get(name, 'text'))})" for name in columns)
        self._session.rows(f"INSERT INTO {RESULT_TABLE} SELECT {wanted} FROM ({sql}) AS result", values)  # noqa: S608 (parsed, checked and rewritten)

    def check_declaration(self) -> None:
        """Raise BadJob or CheckFailed if the result differs from the job's declaration."""
        found = self._session.rows(f"SELECT DISTINCT audience FROM {RESULT_TABLE}")  # noqa: S608 (our own name)
        self._prepared.check_audiences([name for (name,) in found])
        self._prepared.run_checks(self._count)

    def size(self, audience: str) -> int:
        """Return the audience's number of rows; see JobRun.size."""
        name = self._prepared.job.audience(audience).name
        rows = self._session.rows(f"SELECT count(*) FROM {RESULT_TABLE} WHERE audience = $1", [name])  # noqa: S608 (our own name)
        return int(str(rows[0][0]))

    def write_audience(self, audience: str, path: Path) -> int:
        """Write the audience's CSV and return its number of rows; see JobRun.write_audience."""
        declared = self._prepared.job.audience(audience)
        columns = ", ".join(map(_as_written, declared.columns))
        select = f"SELECT {columns} FROM {RESULT_TABLE} WHERE audience = {literal(audience)}"  # noqa: S608 (quoted)
        ordered = in_file_order(select, (quoted(column.name) for column in declared.columns))
        return self._session.write_csv(ordered, path)

    def write_devices(
        self, audience: str, path: Path, *, per_user: int, topic: str | None = None, locales: bool = False
    ) -> int:
        """Write the tokens of the audience's users and return their number; see JobRun.write_devices."""
        name = self._prepared.job.audience(audience).name
        recipients = f"SELECT DISTINCT user_id FROM {RESULT_TABLE} WHERE audience = {literal(name)}"  # noqa: S608 (quoted)
        devices = Devices(self._prepared.models, topic, locales=locales)
        return _write_devices(self._session, devices, recipients, path, per_user)

    def _count(self, query: Query) -> int:
        return int(str(self._session.rows(query.numbered(), self._values(query))[0][0]))

    def _values(self, query: Query) -> list[object]:
        return [self._prepared.values[name] for name in query.parameters]


def _write_devices(session: PostgresSession, devices: Devices, recipients: str, path: Path, per_user: int) -> int:
    session.provide(Needs.of_queries(DEVICES, devices.queries, devices.source))
    return session.write_csv(devices_of(devices.ranked(recipients, per_user, said=Query.numbered)), path)


def _cast(type_: str) -> str:
    return _TYPES[type_].split(" ")[0]


def _as_written(column: Column) -> str:
    name = quoted(column.name)
    if column.type == "timestamp":
        return f"""to_char({name}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') COLLATE "C" AS {name}"""
    return name
