"""`tminus doctor`: compare a deployment on Google Cloud with what Terraform has made."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from local.cli.options import json_option, print_json
from local.cli.progress import spinner
from local.cli.remote import plain
from local.doctor.examine import examine
from local.doctor.expected import read_deployment
from local.doctor.finding import Finding, State
from local.doctor.google import APIS, Google
from local.embedded.clock import RealClock

_FOUND = 1


@click.command()
@click.option("--project", required=True, metavar="ID", help="The project.")
@click.option("--region", required=True, help="The region of the functions, such as us-central1.")
@click.option(
    "--expected",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What Terraform has made, as a file. [default: deployment.json in the project's source bucket]",
)
@click.option("--google-apis", default=APIS, hidden=True, help="Where the APIs are, for tests.")
@json_option
def doctor(project: str, region: str, expected: Path | None, google_apis: str, as_json: bool) -> None:
    """Compare a deployment on Google Cloud with what Terraform has made.

    It reads APIs, roles, the database, queues, scheduler jobs, secrets, buckets, services and deployed source with
    your own credentials (gcloud auth application-default login), and changes nothing. Each check is one line; that of
    a problem says how to fix it. What you lack a permission to see is a problem too. Exit status: 0 if all is well, 1
    for problems, 2 for bad input.
    """
    google = Google(project, google_apis)
    with spinner("reading what Terraform has made", quiet=as_json) as update:
        deployment = read_deployment(google, project, region, expected)
        found = examine(google, deployment, RealClock(), update)
    wrong = [each for each in found if each.state is not State.OK]
    if as_json:
        print_json({"project": project, "region": region, "sound": not wrong, "findings": [*map(asdict, found)]})
    else:
        _print(found, wrong)
    sys.exit(_FOUND if wrong else 0)


def _print(found: Sequence[Finding], wrong: Sequence[Finding]) -> None:
    for each in found:
        line = f"{each.state.value:<10}  {each.kind} {each.what}"
        click.echo(plain(f"{line}: {each.problem}. Fix: {each.fix}" if each.problem else line))
    checks = len({(each.kind, each.what) for each in found})
    told = f"{len(wrong)} problems" if len(wrong) != 1 else "1 problem"
    click.echo(f"{checks} checks: {told if wrong else 'all is well'}")
