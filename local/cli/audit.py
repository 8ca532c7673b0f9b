"""`tminus audit`: list what people did, and verify the audit log."""

import sys
from pathlib import Path
from typing import Any

import click

from functions.domain.audit import Action
from functions.domain.audit_chain import Problem
from functions.handlers.http.as_json import as_json as to_json
from functions.usecases.reports.verify_audit import verify_audit
from local.cli.options import folder, json_option, print_json
from local.cli.remote import maybe_system, show, system
from local.cli.state import opened

_ACTIONS = [each.value for each in Action if each is not Action.CHANGED]
_LISTED = {
    "at": "at",
    "by": "by",
    "action": "action",
    "of": "subject",
    "execution": "after.executionId",
    "violation": "after.violationId",
    "reason": "after.reason",
    "note": "after.note",
}


@click.group()
def audit() -> None:
    """List what people did in a running system (--url), or verify the audit log, there or in a state folder."""


@audit.command("list")
@click.option(
    "--of", "subject", default="", help="Only what was done to this recipe, or to one-off, test.people, ..."
)
@click.option("--by", default="", help="Only what this person did; a part of the name is enough.")
@click.option("--action", type=click.Choice(_ACTIONS), help="Only this action.")
@click.option("--since", default="", help="Only from this instant or UTC day on.")
@click.option("--until", default="", help="Only before this instant or UTC day.")
@click.option("--limit", type=click.IntRange(1, 50), default=20, show_default=True)
@click.option("--cursor", default="", help="Where the page begins.")
@json_option
@click.pass_context
def list_activity(context: click.Context, /, *, as_json: bool, **asked: str | int | None) -> None:
    """List what people did to recipes, sends and settings, newest first."""
    params = {name: value for name, value in asked.items() if value}
    show(system(context).call("GET", "/api/audit", params=params), as_json=as_json, columns=_LISTED)


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
