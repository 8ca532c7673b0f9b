"""Tell people which audience jobs there are, and what each takes and gives."""

from typing import Any

from audience_jobs.contract import Job
from audience_jobs.registry import all_jobs


def describe_jobs() -> list[dict[str, Any]]:
    """Return every audience job as JSON has it: id, title, layer, parameters, audiences with their columns."""
    return [_describe(job) for job in all_jobs()]


def _describe(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "title": job.title,
        "layer": job.layer,
        "parameters": [vars(parameter) for parameter in job.parameters],
        "audiences": [
            {
                "name": audience.name,
                "meaning": audience.meaning,
                "columns": [vars(column) for column in audience.columns],
            }
            for audience in job.audiences
        ],
    }
