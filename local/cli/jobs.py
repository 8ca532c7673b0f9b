"""`tminus jobs`: the audience jobs."""

from typing import Any

import click

from audience_jobs.contract import Job
from audience_jobs.registry import all_jobs
from local.cli.options import json_option, print_json


@click.group()
def jobs() -> None:
    """Look at the audience jobs."""


@jobs.command("list")
@json_option
def list_jobs(as_json: bool) -> None:
    """List the audience jobs with their parameters, audiences and columns."""
    found = [_describe(job) for job in all_jobs()]
    if as_json:
        print_json(found)
        return
    for job in found:
        click.echo(f"{job['id']} (layer {job['layer']}): {job['title']}")
        for parameter in job["parameters"]:
            default = "required" if parameter["default"] is None else f"default {parameter['default']}"
            click.echo(f"  parameter {parameter['name']} ({parameter['type']}, {default}): {parameter['meaning']}")
        for audience in job["audiences"]:
            click.echo(f"  audience {audience['name']}: {audience['meaning']}")
            click.echo(f"    {', '.join(column['name'] for column in audience['columns'])}")


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
