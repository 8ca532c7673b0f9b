"""`tminus audit`: verify the audit log."""

import sys
from pathlib import Path
from typing import Any

import click

from functions.domain.audit_chain import Problem
from functions.handlers.http.as_json import as_json as to_json
from functions.usecases.reports.verify_audit import verify_audit
from local.cli.options import folder, json_option, print_json
from local.cli.remote import maybe_system
from local.cli.state import opened


@click.group()
def audit() -> None:
    """Verify the audit log, in a state folder or of a running system (--url)."""


@audit.command()
@click.option("--state", type=folder, default=Path(".tminus/state"), show_default=True, help="Where state is kept.")
@json_option
@click.pass_context
def verify(context: click.Context, state: Path, as_json: bool) -> None:
    """Find entries of the audit log that were changed, left out or put in another order.

    Exit status: 0, 1 for such entries, 2 for bad input.
    """
    client = maybe_system(context)
    found: Any = client.call("GET", "/api/audit/verification").data if client else _verified(state)
    if as_json:
        print_json(found)
    else:
        _show(found)
    sys.exit(0 if found["sound"] else 1)


def _show(found: Any) -> None:
    for problem in found["problems"]:
        click.echo(Problem(**problem).sentence, err=True)
    counted = f"{found['entries']:,} entries of {found['subjects']:,} subjects"
    before = f", {found['beforeTheChain']:,} from before the hash chain" if found["beforeTheChain"] else ""
    outcome = "sound" if found["sound"] else f"{len(found['problems']):,} problems"
    end = f"; last checkpoint {found['end']}" if found["end"] else ""
    click.echo(f"{counted}{before}: {outcome}{end}")


def _verified(state: Path) -> Any:
    with opened(state) as ports:
        return to_json(verify_audit(ports))
