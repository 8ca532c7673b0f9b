"""The `tminus` command."""

import sys

import click

from audience_jobs.errors import AudienceJobError
from functions.domain.errors import BadFields, BadInput, Misconfigured, NotPossible, Transient
from local.cli.audience import audience
from local.cli.cadence import cadence
from local.cli.data import data
from local.cli.demo import demo
from local.cli.jobs import jobs
from local.cli.migrate import migrate_folder
from local.cli.recipes import recipes
from local.cli.run import run
from local.cli.simulate import simulate
from local.cli.up import up

BAD_INPUT = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tminus")
def cli() -> None:
    """Push campaigns that nobody gets twice, too often, or after a cancel.

    Everything runs on this machine: recipes and their state in a folder, messages into an outbox.
    """


for command in (demo, up, run, simulate, recipes, audience, jobs, cadence, migrate_folder, data):
    cli.add_command(command)


def main() -> None:
    """Run the command; bad input ends with status 2 and one line for each thing that is wrong."""
    try:
        cli(prog_name="tminus")
    except BadFields as error:
        _refuse(*(str(field) for field in error.errors))
    except (BadInput, Misconfigured, NotPossible, Transient, AudienceJobError) as error:
        _refuse(str(error))
    except OSError as error:
        _refuse(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def _refuse(*lines: str) -> None:
    for line in lines:
        click.echo(f"tminus: {' '.join(line.split())}", err=True)
    sys.exit(BAD_INPUT)
