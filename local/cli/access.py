"""`tminus access`: who read or exported personal data in a running system."""

import click

from local.cli.options import json_option
from local.cli.remote import show, system

_LISTED = {"at": "at", "by": "by", "route": "route", "of": "kind", "subject": "subject"}


@click.group()
def access() -> None:
    """Show who read or exported personal data in a running system (--url)."""


@access.command("list")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--cursor", default="", help="Where the page begins.")
@json_option
@click.pass_context
def list_accesses(context: click.Context, limit: int, cursor: str, as_json: bool) -> None:
    """List reads and exports of personal data, newest first; needs the role admin. Users are keyed hashes."""
    answer = system(context).call("GET", "/api/access-log", params={"limit": limit, "cursor": cursor})
    show(answer, as_json=as_json, columns=_LISTED)
