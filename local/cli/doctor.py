"""`tminus doctor`: compare a deployment on Google Cloud with what Terraform has made."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import click

from functions.domain.errors import BadInput
from local.cli import interrupt
from local.cli.api_client import ApiClient
from local.cli.options import json_option, print_json
from local.cli.progress import spinner
from local.cli.remote import ask_first, maybe_system, plain, yes_option
from local.doctor.finding import Finding, State
from local.doctor.send_test import send_test
from local.embedded.clock import RealClock

_FOUND = 1


class Send(Protocol):
    """Sends the test through the API at an address."""

    def __call__(self, url: str, *, quiet: bool) -> Sequence[Finding]:
        """Return a finding for each step."""


@click.command()
@click.option("--project", required=True, metavar="ID", help="The project.")
@click.option("--region", required=True, help="The region of the functions, such as us-central1.")
@click.option(
    "--expected",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What Terraform has made, as a file. [default: deployment.json in the project's source bucket]",
)
@click.option(
    "--google-apis", default="https://{service}.googleapis.com", hidden=True, help="Where the APIs are, for tests."
)
@click.option("--send-test", "sends", is_flag=True, help="Then send the test pushes of --recipe to --test-user.")
@click.option("--recipe", metavar="ID", help="The recipe whose pushes --send-test sends; it stays as it is.")
@click.option("--test-user", metavar="ID", help="The one user who gets them.")
@yes_option
@json_option
@click.pass_context
def doctor(
    context: click.Context,
    project: str,
    region: str,
    expected: Path | None,
    google_apis: str,
    sends: bool,
    recipe: str | None,
    test_user: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Compare a deployment on Google Cloud with what Terraform has made.

    It reads APIs, roles, the database, queues, scheduler jobs, secrets, buckets, services and deployed source with
    your own credentials (gcloud auth application-default login), and changes nothing. Each check is one line; that of
    a problem says how to fix it. What you lack a permission to see is a problem too. Exit status: 0 if all is well, 1
    for problems, 2 for bad input.

    With --send-test it then calls the deployed API with TMINUS_TOKEN: it makes a draft of RECIPE with one test user,
    sends its test pushes, shows how late each step was and how long it took, and removes the draft, even after
    Ctrl-C.
    """
    send = _sending(context, sends=sends, recipe=recipe, test_user=test_user, yes=yes)
    found, api = _examined(project, region, expected, google_apis, quiet=as_json)
    if not as_json:
        _print(found)
    if send:
        tested = send(api, quiet=as_json)
        found += tested
        if not as_json:
            _print(tested)
    wrong = [each for each in found if each.state is not State.OK]
    if as_json:
        print_json({"project": project, "region": region, "sound": not wrong, "findings": [*map(asdict, found)]})
    else:
        _print_total(found, wrong)
    sys.exit(_FOUND if wrong else 0)


def _examined(
    project: str, region: str, expected: Path | None, google_apis: str, *, quiet: bool
) -> tuple[list[Finding], str]:
    """Return the findings, and the address of the API."""
    from local.doctor.examine import examine  # noqa: PLC0415 - the packages of Google are optional
    from local.doctor.expected import deployment_in, stored_deployment  # noqa: PLC0415
    from local.doctor.google import Google  # noqa: PLC0415

    told = deployment_in(expected, project, region) if expected else None
    google = Google(project, google_apis)
    with spinner("reading what Terraform has made", quiet=quiet) as update:
        deployment = told or stored_deployment(google, project, region)
        return [*examine(google, deployment, RealClock(), update)], deployment.api


def _sending(
    context: click.Context, *, sends: bool, recipe: str | None, test_user: str | None, yes: bool
) -> Send | None:
    """Return what sends the test, once the user has agreed; None if it was not asked for."""
    if not sends:
        return None
    if not recipe or not test_user:
        raise BadInput("--send-test needs --recipe ID, what to send, and --test-user ID, the one user who gets it")
    ask_first(f"The test pushes of {recipe} will be sent to the user {test_user}. Send them?", yes=yes)

    def send(url: str, *, quiet: bool) -> Sequence[Finding]:
        system = maybe_system(context) or _deployed(context, url)
        interrupt.let_go()  # removing the draft takes longer than other commands may take after Ctrl-C
        with spinner("sending", quiet=quiet) as update:
            return send_test(system, recipe, test_user, progress=update)

    return send


def _deployed(context: click.Context, url: str) -> ApiClient:
    token = context.find_root().params["token"]
    if not token:
        command = "gcloud auth print-identity-token --impersonate-service-account=ACCOUNT"
        raise BadInput(
            "--send-test needs the token of an account of api_callers with the role operator: "
            f"export TMINUS_TOKEN=$({command} --audiences={url} --include-email)"
        )
    return ApiClient(url=url, token=token)


def _print(found: Sequence[Finding]) -> None:
    for each in found:
        line = f"{each.state.value:<10}  {each.kind} {each.what}"
        click.echo(plain(f"{line}: {each.problem}. Fix: {each.fix}" if each.problem else line))


def _print_total(found: Sequence[Finding], wrong: Sequence[Finding]) -> None:
    checks = len({(each.kind, each.what) for each in found})
    told = f"{len(wrong)} problems" if len(wrong) != 1 else "1 problem"
    click.echo(f"{checks} checks: {told if wrong else 'all is well'}")
