"""A job that is ready to run: its queries are parsed and its arguments checked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from audience_jobs.contract import Check, Freshness, Job
from audience_jobs.errors import BadJob, CheckFailed, RefusedQuery, StaleData
from audience_jobs.query import Query
from audience_jobs.schema import Tables
from audience_jobs.sql import quoted
from audience_jobs.workspace.models import Models

RESULT_TABLE = "job_rows"
"""What a job's checks read its result as."""


@dataclass(frozen=True, kw_only=True)
class PreparedJob:
    """A job whose SQL is known to do nothing but read, with a value for everything that it reads as `$name`.

    `values` has the execution's time as `now`, in UTC and without zone. `models` and their tables are what it may
    read; the queries are over tables alone.
    """

    job: Job
    models: Models
    query: Query
    checks: tuple[tuple[Check, Query], ...]
    values: Mapping[str, object]

    @property
    def source(self) -> Tables:
        """The source tables of the workspace."""
        return self.models.tables

    @property
    def queries(self) -> list[Query]:
        """All that the job reads by, its own query first."""
        return [self.query, *(query for _, query in self.checks)]

    @property
    def tables(self) -> frozenset[str]:
        """The source tables that are named anywhere in the job."""
        fresh = [self.job.freshness.table] if self.job.freshness else []
        return frozenset(fresh).union(*(query.tables for query in self.queries)) - {RESULT_TABLE}

    def check_columns(self, found: Sequence[str]) -> None:
        """Raise BadJob if the job's declared columns are not all in `found`."""
        declared = {"audience"} | {c.name for audience in self.job.audiences for c in audience.columns}
        if lacking := sorted(declared - set(found)):
            raise BadJob(self.job.id, f"its SQL yields no column {', '.join(lacking)}, which it declares")

    def check_audiences(self, found: Sequence[object]) -> None:
        """Raise BadJob if the job yields rows of an undeclared audience."""
        for name in found:
            if name not in {audience.name for audience in self.job.audiences}:
                raise BadJob(self.job.id, f"its SQL yields rows of audience {name!r}, which it does not declare")

    def run_checks(self, count_of: Callable[[Query], int]) -> None:
        """Raise CheckFailed for the first of the job's checks that counts a row."""
        for check, query in self.checks:
            if count := count_of(query):
                raise CheckFailed(self.job.id, check.name, count, check.meaning)

    def check_freshness(self, newest: datetime | None) -> None:
        """Raise StaleData if the newest row is older than the job allows. A table without rows has no age."""
        fresh, now = self.job.freshness, self.values["now"]
        assert isinstance(now, datetime)
        if fresh and newest is not None and (now - newest).total_seconds() > fresh.hours * 3600:
            raise StaleData(self.job.id, f"{fresh.table}.{fresh.column}", newest, fresh.hours)


def prepare(job: Job, arguments: Mapping[str, object], *, now: datetime, models: Models) -> PreparedJob:
    """Read a job's SQL and arguments. Raises BadParameter, and BadJob where it may do more than read the tables.

    No job reads `devices` where the workspace has models.
    """
    if now.tzinfo is None:
        raise ValueError(f"now is {now}, without time zone: give an aware datetime")
    values = {**job.arguments(arguments), "now": now.astimezone(UTC).replace(tzinfo=None)}
    known = ["now", *(parameter.name for parameter in job.parameters)]
    try:
        query = models.read(job.sql, parameters=known)
        checks = [
            (check, models.read(check.failing_sql, parameters=known, more=[RESULT_TABLE])) for check in job.checks
        ]
        if job.freshness:
            job.freshness.check(models.tables)
    except RefusedQuery as error:
        raise BadJob(job.id, f"its SQL {error.reason}") from error
    except ValueError as error:
        raise BadJob(job.id, str(error)) from error
    return PreparedJob(job=job, models=models, query=query, checks=tuple(checks), values=values)


def freshness_sql(fresh: Freshness) -> str:
    """Return the query for the newest instant of a column that shows how old the data is."""
    return f"SELECT max({quoted(fresh.column)}) FROM {quoted(fresh.table)}"  # noqa: S608 (quoted names of columns)
