"""A BigQuery session that sees a dataset as the source tables, and writes only its own results."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace

import sqlglot
from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError
from google.cloud.bigquery import Client
from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY
from sqlglot import exp

from audience_jobs.engines.bigquery_answers import meaning
from audience_jobs.engines.bigquery_request import Limits, request
from audience_jobs.engines.bigquery_tables import BigQueryTables
from audience_jobs.engines.time_limit import TimeLimit
from audience_jobs.errors import BadJob, NotAllowed, NotExported, RefusedQuery, TooSlow
from audience_jobs.googlesql import googlesql
from audience_jobs.prepared import RESULT_TABLE
from audience_jobs.query import generated
from audience_jobs.schema import Tables
from audience_jobs.typed_query import typed


class BigQuerySession:
    """User data as tables; opened by `bigquery_session`.

    Queries are written in PostgreSQL and translated to GoogleSQL. The result of one can be kept as `job_rows`, a
    temporary table of the session, whose columns are `result`.
    """

    def __init__(self, client: Client, dataset: str, tables: Tables, *, job_id: str, limits: Limits) -> None:
        self._client, self._source, self._job_id, self._limits = client, tables, job_id, limits
        self.tables = BigQueryTables(client, dataset, tables)
        self._location = self.tables.location()
        self._session_id: str | None = None
        self._result: Mapping[str, Mapping[str, str]] = {}

    def columns(self, query: exp.Query) -> list[str]:
        """Return the names of the columns that a query yields."""
        with self._refused():
            return list(typed(query, self._source, self._result).named_selects)

    def keep(self, query: exp.Query, values: Mapping[str, object], types: Mapping[str, str]) -> None:
        """Store the named columns of a query as the result table, with these types in the schema's words."""
        wanted = [
            exp.alias_(
                exp.Cast(this=exp.column(name, "result", quoted=True), to=exp.DataType.build(_SQL_TYPES[t])),
                name,
                quoted=True,
            )
            for name, t in types.items()
        ]
        said = self._said(exp.select(*wanted).from_(query.subquery("result")))
        # Each session has its own table. OR REPLACE, because BigQuery may repeat the query.
        self._run(f"CREATE OR REPLACE TEMP TABLE {RESULT_TABLE} AS {said}", values)
        self._result = {RESULT_TABLE: dict(types)}

    def rows(self, query: exp.Query | str, values: Mapping[str, object] | None = None) -> list[tuple[object, ...]]:
        """Run one query with values for its `$name` parameters, and return its rows."""
        return self._run(self._said(_read(query)), values or {})

    def export(self, query: exp.Query | str, values: Mapping[str, object], uri: str) -> None:
        """Write a query's result to Parquet files in Cloud Storage; `uri` has a `*` for their numbers.

        This is not repeated after a failure: files of the first attempt could stay beside those of the second.
        """
        options = f"uri = '{uri}', format = 'PARQUET', compression = 'SNAPPY', overwrite = true"
        self._run_raw(f"EXPORT DATA OPTIONS ({options}) AS {self._said(_read(query))}", values, repeat=False)

    def close(self) -> None:
        """End the session with its table. If that fails, the session ends by itself within a day."""
        if self._session_id is not None:
            self._limits = replace(self._limits, time=TimeLimit(_END_SECONDS))
            with suppress(GoogleAPIError, OSError, TooSlow):
                self._run_raw("CALL BQ.ABORT_SESSION()", {}, repeat=False)

    @contextmanager
    def exporting(self, uri: str) -> Iterator[None]:
        """Translate the errors of an export, as `translating_errors` does; the job's own query has run already."""
        try:
            with self.translating_errors():
                yield
        except (BadJob, NotAllowed) as error:
            raise NotExported(self._job_id, uri, error.reason) from error

    @contextmanager
    def translating_errors(self) -> Iterator[None]:
        """Translate Google's errors: a refused request, or a temporary problem."""
        try:
            yield
        except GoogleAPICallError as error:
            found, needs = meaning(error, self._job_id, self._limits), self.tables.needs
            if needs is not None and isinstance(found, BadJob):
                of_values = not _NOT_OF_VALUES.search(found.reason)
                found = needs.failure(found.reason, kind=type(error).__name__, of_values=of_values)
            raise found from error

    def _said(self, tree: exp.Query) -> str:
        with self._refused():
            return generated(self.tables.added_to(googlesql(tree, self._source, self._result)), "bigquery")

    @contextmanager
    def _refused(self) -> Iterator[None]:
        try:
            yield
        except RefusedQuery as error:
            raise BadJob(self._job_id, f"its SQL {error.reason}") from error

    def _run(self, sql: str, values: Mapping[str, object], *, repeat: bool = True) -> list[tuple[object, ...]]:
        with self.translating_errors():
            return self._run_raw(sql, values, repeat=repeat)

    def _run_raw(self, sql: str, values: Mapping[str, object], *, repeat: bool) -> list[tuple[object, ...]]:
        config = request(self._limits, job_id=self._job_id, session_id=self._session_id, values=values)
        retry = DEFAULT_JOB_RETRY if repeat else None
        job = self._client.query(sql, job_config=config, location=self._location, job_retry=retry)
        try:
            rows = job.result(timeout=self._limits.time.left(self._job_id), job_retry=retry)
        except TimeoutError as error:
            job.cancel()
            raise TooSlow(self._job_id, self._limits.time.seconds) from error
        if self._session_id is None and job.session_info is not None:
            self._session_id = job.session_info.session_id
        return [tuple(row.values()) for row in rows]


_END_SECONDS = 30.0
_NOT_OF_VALUES = re.compile(r" at \[\d+:\d+\]")
"""Names a place in the SQL, as BigQuery does for what it refuses before it reads any value."""
_SQL_TYPES = {"text": "text", "integer": "bigint", "timestamp": "timestamp"}


@contextmanager
def bigquery_session(
    client: Client, dataset: str, tables: Tables, *, job_id: str, limits: Limits
) -> Iterator[BigQuerySession]:
    """Open a session over a dataset. Leaving the context removes everything it made. Errors name `job_id`."""
    session = BigQuerySession(client, dataset, tables, job_id=job_id, limits=limits)
    try:
        yield session
    finally:
        session.close()


def _read(query: exp.Query | str) -> exp.Query:
    if not isinstance(query, str):
        return query
    tree = sqlglot.parse_one(f"{query}\n", read="postgres")
    assert isinstance(tree, exp.Query)
    return tree
