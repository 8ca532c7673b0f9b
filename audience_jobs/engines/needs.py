"""Which tables and columns a job really reads, so that it runs on an export with only these."""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

import duckdb

from audience_jobs.engines.user_files import sql_type
from audience_jobs.errors import BadJob
from audience_jobs.prepared import PreparedJob, freshness_sql
from audience_jobs.query import Query
from audience_jobs.schema import Tables
from audience_jobs.sql import quoted

_UNSAID = "its SQL fails with {}; the words of the engine are not shown, because they may quote private data"
_PARAMETER = re.compile(r"\$\w+")


class Needs:
    """The source tables and columns that a SELECT needs, and the checks that read its result as `job_rows`.

    DuckDB's binder decides: it refuses SQL whose tables or columns are missing. `job_id` is for the error if it
    refuses the SQL anyway (BadJob). `mentioned` are the `tables` that the SQL names.
    """

    def __init__(
        self, job_id: str, sql: str, checks: Sequence[str] = (), *, tables: Tables, mentioned: Iterable[str]
    ) -> None:
        self.job_id, self._sql, self._checks, self._tables = job_id, sql, checks, tables
        self.mentioned = tuple(sorted(mentioned))

    @classmethod
    def of(cls, prepared: PreparedJob) -> "Needs":
        """Return the needs of a job."""
        sql, *checks = (query.sql("duckdb") for query in prepared.queries)
        if prepared.job.freshness:
            checks.append(freshness_sql(prepared.job.freshness))
        return cls(prepared.job.id, sql, checks, tables=prepared.source, mentioned=prepared.tables)

    @classmethod
    def of_queries(cls, job_id: str, queries: Sequence[Query], tables: Tables) -> "Needs":
        """Return what queries over these tables need."""
        sql, *more = (query.sql("duckdb") for query in queries)
        mentioned = frozenset[str]().union(*(query.tables for query in queries))
        return cls(job_id, sql, more, tables=tables, mentioned=mentioned)

    def table(self, table: str) -> bool:
        """Return whether the job needs the table."""
        return not self._binds_after(f"DROP TABLE {quoted(table)}")

    def column(self, table: str, column: str) -> bool:
        """Return whether the job needs the column. DuckDB has no tables without columns."""
        if len(self._tables[table].columns) == 1:
            return self.table(table)
        return not self._binds_after(f"ALTER TABLE {quoted(table)} DROP COLUMN {quoted(column)}")

    def failure(self, reason: str, *, kind: str, of_values: bool) -> BadJob:
        """Return the error for SQL that an engine refuses; `kind` is its class in the engine's words.

        A reason about values may quote them: it is left out if the job needs private data.
        """
        return BadJob(self.job_id, _UNSAID.format(kind) if of_values and self._private else reason)

    @cached_property
    def _private(self) -> bool:
        """Whether the job needs anything private, or that is not known."""
        known = {table: self._tables[table] for table in self.mentioned}
        try:
            return any(
                self.table(name) if table.private else any(self.column(name, each) for each in table.private_columns)
                for name, table in known.items()
            )
        except BadJob:
            return True

    @cached_property
    def _empty_database(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        for table in self.mentioned:
            columns = (f"{quoted(name)} {sql_type(type_)}" for name, type_ in self._tables[table].types.items())
            connection.execute(f"CREATE TABLE {quoted(table)} ({', '.join(columns)})")
        try:
            connection.execute(f"CREATE TABLE job_rows AS {_without_parameters(self._sql)}")
        except duckdb.Error as error:
            raise BadJob(self.job_id, f"its SQL is wrong: {str(error).splitlines()[0]}") from error
        return connection

    def _binds_after(self, change: str) -> bool:
        connection = self._empty_database
        connection.execute(f"BEGIN; {change}")
        try:
            for sql in [self._sql, *self._checks]:
                connection.execute(f"PREPARE reading AS {_without_parameters(sql)}")
        except duckdb.Error:
            return False
        finally:
            connection.execute("ROLLBACK")
        return True


def _without_parameters(sql: str) -> str:
    """Replace each parameter by NULL; `$now` gets a typed NULL, because `$now - INTERVAL '1 day'` needs a type."""
    return _PARAMETER.sub(lambda found: "CAST(NULL AS TIMESTAMP)" if found[0] == "$now" else "NULL", sql)
