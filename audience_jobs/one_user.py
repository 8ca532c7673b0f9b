"""Asks an audience job, or conditions, about one user, whose id is bound as a value."""

import re
from dataclasses import replace

from audience_jobs.contract import Job, Parameter
from audience_jobs.errors import BadJob, RefusedQuery
from audience_jobs.query import read_query
from audience_jobs.sql import UUID, quoted
from audience_jobs.workspace.models import Models

PARAMETER = "tminus_user"
"""What the SQL reads the user's id as."""
_UUID = re.compile(UUID)


def is_user(column: str, user_id: str) -> str:
    """Return the condition that a column has the user's id. UUIDs match in any case, as everywhere in Tminus."""
    found = f"CAST({column} AS TEXT)"
    return f"{f'lower({found})' if _UUID.fullmatch(user_id) else found} = CAST(${PARAMETER} AS TEXT)"


def user_parameter(user_id: str) -> Parameter:
    """Return the parameter that has the user's id."""
    value = user_id.lower() if _UUID.fullmatch(user_id) else user_id
    return Parameter(name=PARAMETER, type="text", default=value, meaning="the user to look at")


def only_user(job: Job, user_id: str, models: Models, *, checks: bool) -> Job:
    """Return the job with the user's rows alone: it runs the same SQL, and keeps only these rows of its result.

    `checks` says whether its checks make sense for one user; a team's own are about all rows. BadJob if its SQL is
    refused.
    """
    known = ["now", *(parameter.name for parameter in job.parameters)]
    try:
        sql = read_query(job.sql, parameters=known, tables=models.tables, more=list(models)).sql("postgres")
    except RefusedQuery as error:
        raise BadJob(job.id, f"its SQL {error.reason}") from error
    names = dict.fromkeys(["audience", *(c.name for audience in job.audiences for c in audience.columns)])
    columns = ", ".join(f"j.{quoted(name)}" for name in names)
    return replace(
        job,
        parameters=(*job.parameters, user_parameter(user_id)),
        sql=f"SELECT {columns} FROM ({sql}) AS j WHERE {is_user('j.user_id', user_id)}",  # noqa: S608 (quoted names)
        checks=job.checks if checks else (),
    )
