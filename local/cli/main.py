"""The `tminus` command."""

import sys
from pathlib import Path
from typing import NoReturn

import click

from audience_jobs.errors import AudienceJobError, BadWorkspace, Unavailable
from functions.bootstrap import running_version
from functions.domain.errors import BadFields, BadInput, Misconfigured, NotPossible, Transient
from functions.version import VERSION
from local.cli.api_client import ApiClient
from local.cli.interrupt import STATUS as INTERRUPTED
from local.cli.lazy_commands import LazyCommands
from local.cli.remote import remote_options
from local.cli.workspace import BAD_INPUT, check_workspace, workspace_option

_COMMANDS = LazyCommands(
    {
        "access": "local.cli.access",
        "audience": "local.cli.audience",
        "audit": "local.cli.audit",
        "backup": "local.cli.backup",
        "cadence": "local.cli.cadence",
        "check": "local.cli.check",
        "control": "local.cli.control",
        "data": "local.cli.data",
        "demo": "local.cli.demo",
        "devices": "local.cli.devices",
        "doctor": "local.cli.doctor",
        "executions": "local.cli.executions",
        "init": "local.cli.init",
        "jobs": "local.cli.jobs",
        "migrate": "local.cli.migrate",
        "recipes": "local.cli.recipes",
        "restore": "local.cli.backup",
        "run": "local.cli.run",
        "segments": "local.cli.segments",
        "send": "local.cli.send",
        "simulate": "local.cli.simulate",
        "tables": "local.cli.tables",
        "test-people": "local.cli.test_people",
        "up": "local.cli.up",
        "users": "local.cli.users",
        "violations": "local.cli.violations",
        "why": "local.cli.why",
    }
)
_OURS = ("audience_jobs", "functions", "local", "main", "tminus")


def _version_line() -> str:
    """Return the answer of `GET /api/version` as one line."""
    known = running_version()
    commit = f"commit {known.commit}" if known.commit else "commit unknown"
    return f"tminus {known.version} ({commit}, Python {known.python})"


@click.group(commands=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, message=_version_line())
@workspace_option
@remote_options
@click.pass_context
def cli(context: click.Context, workspace: Path | None, url: str, token: str) -> None:
    """Push campaigns: no user gets a push twice, too often, or after a cancel.

    Everything runs on this machine: recipes and their state are in a folder, messages go to an outbox. With --url the
    commands recipes, executions, control, cadence, segments, devices, access, audit, users, test-people and send call
    a remote system.
    """
    check_workspace(workspace)
    context.obj = ApiClient(url=url, token=token) if url else None


def main() -> None:
    """Run the command, and end with its exit status.

    Bad input and unreachable systems end with status 2 and one line for each problem, Ctrl-C with 130.
    """
    try:
        status = cli.main(prog_name="tminus", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort as error:
        _leave(error)
    except BadFields as error:
        _refuse(*(str(field) for field in error.errors))
    except BadWorkspace as error:
        _refuse(*error.problems)
    except (BadInput, Misconfigured, NotPossible, Transient, AudienceJobError, Unavailable) as error:
        _refuse(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in _OURS:
            raise
        way = "run make setup in a checkout, or pip install 'tminus[cloud]'"
        _refuse(f"this needs the Python package of {error.name}: {way}")
    except OSError as error:
        _refuse(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    sys.exit(status if isinstance(status, int) else 0)


def _refuse(*lines: str) -> NoReturn:
    for line in lines:
        click.echo(f"tminus: {' '.join(line.split())}", err=True)
    sys.exit(BAD_INPUT)


def _leave(error: click.Abort) -> NoReturn:
    """End after Ctrl-C, or after the answer no to a question."""
    if isinstance(error.__cause__, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    click.echo("Aborted!", err=True)
    sys.exit(1)
