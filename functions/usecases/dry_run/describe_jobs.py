"""Describe the audience jobs: their parameters, audiences and columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from audience_jobs.contract import Audience, Job, Parameter, Value
from audience_jobs.registry import all_jobs
from audience_jobs.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class JobColumn:
    """A column of an audience."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class JobAudience:
    """An audience that a job finds."""

    name: str
    meaning: str
    columns: Sequence[JobColumn]


@dataclass(frozen=True, kw_only=True)
class JobParameter:
    """A parameter of a job."""

    name: str
    type: str
    default: Value | None
    minimum: int | None
    maximum: int | None
    meaning: str


@dataclass(frozen=True, kw_only=True)
class JobShown:
    """An audience job."""

    id: str
    title: str
    layer: int
    parameters: Sequence[JobParameter]
    audiences: Sequence[JobAudience]


def describe_jobs(workspace: Workspace) -> list[JobShown]:
    """Return every audience job of a workspace: id, title, layer, parameters, audiences with their columns."""
    return [_describe(job) for job in all_jobs(workspace)]


def _describe(job: Job) -> JobShown:
    return JobShown(
        id=job.id,
        title=job.title,
        layer=job.layer,
        parameters=[_parameter(parameter) for parameter in job.parameters],
        audiences=[_audience(audience) for audience in job.audiences],
    )


def _parameter(parameter: Parameter) -> JobParameter:
    return JobParameter(
        name=parameter.name,
        type=parameter.type,
        default=parameter.default,
        minimum=parameter.minimum,
        maximum=parameter.maximum,
        meaning=parameter.meaning,
    )


def _audience(audience: Audience) -> JobAudience:
    columns = [JobColumn(name=column.name, type=column.type, meaning=column.meaning) for column in audience.columns]
    return JobAudience(name=audience.name, meaning=audience.meaning, columns=columns)
