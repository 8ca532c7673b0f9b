"""Audiences: the jobs, a trial run of a job, and query-based audiences."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from pydantic import AliasChoices, Field

from functions.domain.access import Subject, SubjectKind
from functions.domain.errors import BadFields, FieldError
from functions.domain.roles import Role
from functions.handlers.api.criteria_schema import CustomQuery, DataPacks, Filters, UserIds, Where, With
from functions.handlers.api.route import Call, Model, Query, Reply, Route
from functions.handlers.http.streaming import begun
from functions.usecases.dry_run.describe_jobs import JobShown, describe_jobs
from functions.usecases.dry_run.query_audience import AudiencePart, QueriedAudience, query_audience
from functions.usecases.dry_run.run_job import FoundAudience, run_job

_MOST_INLINE_BYTES = 1_000_000
_PIECE_BYTES = 256 * 1024


class RunOrder(Model):
    """Which job to run, with which parameters, and how many rows of each audience to show."""

    script_id: str = Field(validation_alias=AliasChoices("scriptId", "id"))
    parameters: dict[str, Any] = Field(default={})
    preview: int = Field(default=5, ge=0, le=100)


@dataclass(frozen=True, kw_only=True)
class RunDone:
    """The result of a job."""

    script_id: str
    audiences: Sequence[FoundAudience]


class Format(Query):
    """The format of the answer: JSON, with the CSV if it is not too large, or the CSV itself, whole or a part."""

    format: Literal["json", "csv"] = "json"
    part: int = Field(default=0, ge=0, le=100, description="With csv: which part, from 1; 0 for the whole.")


class AudienceQuery(Model):
    """Which users to find; without criteria, all users."""

    filters: Filters | None = None
    data_packs: DataPacks | None = None
    manual_user_ids: UserIds | None = None
    custom_query: CustomQuery | None = None
    where: Where | None = Field(default=None, description="Conditions on the people of the workspace.")
    with_: With | None = Field(default=None, alias="with", description="Models with one row a user.")
    parts: int = Field(default=0, ge=0, le=100)
    preview: int = Field(default=5, ge=0, le=100)


@dataclass(frozen=True, kw_only=True)
class PartFound:
    """A part of an audience. `csv` is null if it is too large for JSON."""

    part: int
    count: int
    csv: str | None


@dataclass(frozen=True, kw_only=True)
class AudienceFound:
    """The users of a query: a description, their number, rows and the CSV."""

    audience_description: str
    count: int
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    csv: str | None
    parts: Sequence[PartFound]


def get_scripts(call: Call) -> Reply:
    """Answer the audience jobs."""
    return Reply(data=describe_jobs(call.ports.workspace))


def post_scripts(call: Call) -> Reply:
    """Run an audience job to look at the users it finds."""
    order: RunOrder = call.body
    job = call.ports.find_job(order.script_id)
    values = job.arguments(order.parameters)
    found = run_job(call.ports.engine, job, values, now=call.ports.clock.now(), preview=order.preview)
    message = ", ".join(f"{audience.users:,} in {audience.name}" for audience in found)
    return Reply(data=RunDone(script_id=job.id, audiences=found), message=message)


def post_query_audience(call: Call) -> Reply:
    """Find a query-based audience."""
    order, how = call.body, call.query
    if how.part > order.parts:
        raise BadFields([FieldError("part", f"is {how.part}, and the audience is split into {order.parts}")])
    if how.format == "csv":
        lines = begun(_csv(call, order, how.part))
        name = 'attachment; filename="audience.csv"'
        return Reply(content=lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})
    with TemporaryDirectory(prefix="tminus-") as folder:
        found = _find(call, order, Path(folder))
        shown = _shown(found, order.preview)
        return Reply(data=shown, message=f"{found.count:,} users: {found.description}")


def _find(call: Call, order: AudienceQuery, folder: Path) -> QueriedAudience:
    written = order.model_dump(by_alias=True, exclude={"parts", "preview"})
    ports = call.ports
    return query_audience(
        ports.engine, written, ports.workspace, now=ports.clock.now(), folder=folder, parts=order.parts
    )


def _csv(call: Call, order: AudienceQuery, part: int) -> Iterator[bytes]:
    with TemporaryDirectory(prefix="tminus-") as folder:
        found = _find(call, order, Path(folder))
        path = found.parts[part - 1].csv if part else found.csv
        with path.open("rb") as file:
            yield from iter(lambda: file.read(_PIECE_BYTES), b"")


def _shown(found: QueriedAudience, preview: int) -> AudienceFound:
    with closing(found.csv.open(encoding="utf-8", newline="")) as file:
        columns, *rows = islice(csv.reader(file), preview + 1)
    return AudienceFound(
        audience_description=found.description,
        count=found.count,
        columns=columns,
        rows=rows,
        csv=_inline(found.csv),
        parts=[_part(number, part) for number, part in enumerate(found.parts, start=1)],
    )


def _part(number: int, part: AudiencePart) -> PartFound:
    return PartFound(part=number, count=part.count, csv=_inline(part.csv))


def _inline(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.stat().st_size <= _MOST_INLINE_BYTES else None


ROUTES = (
    Route(
        method="GET",
        path="/api/scripts",
        least=Role.VIEWER,
        summary="List the audience jobs",
        serve=get_scripts,
        answer=list[JobShown],
        refusals=(409,),
    ),
    Route(
        method="POST",
        path="/api/scripts",
        least=Role.OPERATOR,
        summary="Run an audience job to look at the users it finds",
        serve=post_scripts,
        reads=lambda call: Subject(kind=SubjectKind.JOB, name=call.body.script_id),
        expensive=True,
        body=RunOrder,
        answer=RunDone,
        refusals=(404, 409),
    ),
    Route(
        method="POST",
        path="/api/query-audience",
        least=Role.OPERATOR,
        summary="Find a query-based audience: count, description, rows, CSV and parts",
        serve=post_query_audience,
        reads=lambda _: Subject(kind=SubjectKind.AUDIENCE),
        expensive=True,
        query=Format,
        body=AudienceQuery,
        answer=AudienceFound,
        refusals=(409,),
        file="text/csv",
    ),
)
