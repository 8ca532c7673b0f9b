"""The `tminus` command."""

import sys

import click

from audience_jobs.errors import AudienceJobError, Unavailable
from functions.domain.errors import BadFields, BadInput, Misconfigured, NotPossible, Transient
from local.api_client import ApiClient
from local.cli.audience import audience
from local.cli.backup import backup, restore
from local.cli.cadence import cadence
from local.cli.control import control
from local.cli.data import data
from local.cli.demo import demo
from local.cli.devices import devices
from local.cli.executions import executions
from local.cli.jobs import jobs
from local.cli.migrate import migrate_folder
from local.cli.recipes import recipes
from local.cli.remote import remote_options
from local.cli.run import run
from local.cli.send import send
from local.cli.simulate import simulate
from local.cli.up import up

BAD_INPUT = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tminus")
@remote_options
@click.pass_context
def cli(context: click.Context, url: str, token: str) -> None:
    """Push campaigns that nobody gets twice, too often, or after a cancel.

    Everything runs on this machine: recipes and their state in a folder, messages into an outbox. With --url the
    commands recipes, executions, control, cadence, devices and send speak to a system that runs elsewhere.
    """
    context.obj = ApiClient(url=url, token=token) if url else None


for command in (
    demo,
    up,
    run,
    simulate,
    recipes,
    audience,
    jobs,
    cadence,
    migrate_folder,
    data,
    backup,
    restore,
    executions,
    control,
    devices,
    send,
):
    cli.add_command(command)


def main() -> None:
    """Run the command; bad input ends with status 2 and one line for each thing that is wrong."""
    try:
        cli(prog_name="tminus")
    except BadFields as error:
        _refuse(*(str(field) for field in error.errors))
    except (BadInput, Misconfigured, NotPossible, Transient, AudienceJobError, Unavailable) as error:
        _refuse(str(error))
    except OSError as error:
        _refuse(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def _refuse(*lines: str) -> None:
    for line in lines:
        click.echo(f"tminus: {' '.join(line.split())}", err=True)
    sys.exit(BAD_INPUT)
