"""`tminus violations`: breaches of safeguards in a running system, and what was done about them."""

import click

from local.cli.options import json_option
from local.cli.remote import show, system

_AT = "/api/automation/monitor"
_LISTED = {
    "at": "at",
    "execution": "executionId",
    "violation": "id",
    "type": "type",
    "severity": "severity",
    "message": "message",
}


@click.group()
def violations() -> None:
    """List the open violations of a running system (--url), and resolve or reopen one."""


@violations.command("list")
@click.option("--recipe", default="", help="Only those of this recipe.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--cursor", default="", help="Where the page begins.")
@json_option
@click.pass_context
def list_violations(context: click.Context, recipe: str, limit: int, cursor: str, as_json: bool) -> None:
    """List the unresolved violations, newest first."""
    params = {"type": "violations", "recipeId": recipe, "limit": limit, "cursor": cursor}
    show(system(context).call("GET", _AT, params=params), as_json=as_json, columns=_LISTED)


@violations.command()
@click.argument("execution")
@click.argument("violation")
@click.option("--note", default="", help="What was done about it, for the log; at most 500 characters.")
@json_option
@click.pass_context
def resolve(context: click.Context, execution: str, violation: str, note: str, as_json: bool) -> None:
    """Mark VIOLATION of EXECUTION as resolved. The first resolution is kept."""
    _act(context, execution, violation, {"action": "resolve", "note": note}, as_json=as_json)


@violations.command()
@click.argument("execution")
@click.argument("violation")
@json_option
@click.pass_context
def reopen(context: click.Context, execution: str, violation: str, as_json: bool) -> None:
    """Take back the resolution of VIOLATION of EXECUTION."""
    _act(context, execution, violation, {"action": "reopen"}, as_json=as_json)


def _act(context: click.Context, execution: str, violation: str, body: dict[str, str], *, as_json: bool) -> None:
    body = {"executionId": execution, "violationId": violation, **body}
    show(system(context).call("POST", _AT, json=body), as_json=as_json)
