"""`tminus jobs`: the audience jobs."""

from collections.abc import Sequence
from pathlib import Path

import click

from functions import bootstrap
from functions.usecases.dry_run.describe_jobs import describe_jobs
from functions.usecases.dry_run.run_job import run_job
from local.cli.jobs_new import jobs_folder, write_job
from local.cli.jobs_run import lines_of, read_values
from local.cli.options import (
    check_free,
    data_option,
    folder,
    force_option,
    json_option,
    print_json,
    read_instant,
    settings_with,
)
from local.embedded.clock import RealClock


@click.group()
def jobs() -> None:
    """List, create and try audience jobs."""


@jobs.command("list")
@json_option
def list_jobs(as_json: bool) -> None:
    """List the audience jobs of the workspace with their parameters, audiences and columns."""
    found = describe_jobs(bootstrap.workspace(settings_with(None)))
    if as_json:
        print_json(found)
        return
    for job in found:
        click.echo(f"{job.id} (layer {job.layer}): {job.title}")
        for parameter in job.parameters:
            default = "required" if parameter.default is None else f"default {parameter.default}"
            click.echo(f"  parameter {parameter.name} ({parameter.type}, {default}): {parameter.meaning}")
        for audience in job.audiences:
            click.echo(f"  audience {audience.name}: {audience.meaning}")
            click.echo(f"    {', '.join(column.name for column in audience.columns)}")


@jobs.command("new")
@click.argument("name")
@click.option("--folder", "into", type=folder, help="Where to write it. [default: jobs/ of the workspace]")
@click.option("--python", is_flag=True, help="Write NAME.py, which declares the job in Python.")
def new_job(name: str, into: Path | None, python: bool) -> None:
    """Write a working example job, NAME.sql, for you to change."""
    workspace = bootstrap.workspace(settings_with(None))
    path, jobs_of_it = write_job(name, workspace, into, python=python), jobs_folder(workspace)
    click.echo(f"{path}: change its SQL, its columns and what they mean")
    found = path.resolve().parent == jobs_of_it.resolve()
    when = "try it" if found else f"once it is in {jobs_of_it}, where Tminus looks, try it"
    click.echo(f"{when}: tminus jobs run {name} --data DIR --preview 20")


@jobs.command("run")
@click.argument("name")
@data_option
@click.option("--param", "given", multiple=True, metavar="NAME=VALUE", help="A parameter of the job; repeatable.")
@click.option("--preview", type=click.IntRange(min=0), default=5, show_default=True, help="How many rows to show.")
@click.option("--out", type=folder, help="Keep the audiences there, one CSV each.")
@force_option("Replace existing files of --out.")
@click.option("--at", help="The time at which the job runs, such as 2026-11-23T18:00:00Z. [default: now]")
@json_option
def run_one(
    name: str,
    data: Path | str | None,
    given: Sequence[str],
    preview: int,
    out: Path | None,
    force: bool,
    at: str | None,
    as_json: bool,
) -> None:
    """Run the job NAME and show the users it finds. Sends nothing."""
    settings = settings_with(data)
    job = bootstrap.job_finder(settings)(name)
    if out is not None:
        check_free(out, [f"{audience.name}.csv" for audience in job.audiences], force=force)
    engine, _ = bootstrap.user_data(settings)
    now = read_instant(at, "--at") or RealClock().now()
    found = run_job(engine, job, read_values(job, given), now=now, preview=preview, out=out)
    if as_json:
        print_json({"job": job.id, "audiences": found})
        return
    for audience in found:
        click.echo(f"{audience.name}: {audience.users:,} users")
        for line in lines_of(audience):
            click.echo(f"  {line}")
