"""`tminus devices`: device tokens that count as dead."""

from pathlib import Path
from typing import Any

import click

from functions.usecases.cadence.lift_graves import Graves, lift_graves
from local.cli.api_client import ApiClient
from local.cli.options import data_option, folder, json_option, print_json
from local.cli.remote import ask_first, maybe_system, yes_option
from local.cli.state import opened


@click.group()
def devices() -> None:
    """Manage device tokens, in a state folder or of a running system (--url)."""


@devices.command()
@click.option("--user", "user_id", default="", help="All device tokens of this user, as the user data have them.")
@click.option("--token", default="", help="This device token.")
@click.option("--since", default="", help="All tokens buried at this instant or later, as 2026-11-23T18:00:00Z.")
@click.option("--state", type=folder, default=Path(".tminus/state"), show_default=True, help="Where state is kept.")
@data_option
@click.option("--dry-run", is_flag=True, help="Count, and lift nothing.")
@yes_option
@json_option
@click.pass_context
def lift(
    context: click.Context,
    user_id: str,
    token: str,
    since: str,
    state: Path,
    data: Path | str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Send again to tokens that FCM reported as dead, selected by --user, --token or --since.

    Counts them first, and asks. The audit log records who did it. The next send records a token that is really dead
    again.
    """
    graves = Graves(user_id=user_id, token=token, buried_since=since)
    client = maybe_system(context)

    def do(*, trial: bool) -> int:
        if client is not None:
            return _over_http(client, graves, dry_run=trial)
        return _on_state(state, data, graves, dry_run=trial)

    tokens = do(trial=True)
    if tokens and not dry_run:
        ask_first(f"{tokens:,} device tokens would be sent to again. Lift their graves?", yes=yes)
        tokens = do(trial=False)
    if as_json:
        print_json({"tokens": tokens, "dryRun": dry_run})
    else:
        click.echo(f"{tokens:,} device tokens {'would' if dry_run else 'will'} be sent to again")


def _over_http(client: ApiClient, graves: Graves, *, dry_run: bool) -> int:
    named = {"userId": graves.user_id, "token": graves.token, "buriedSince": graves.buried_since}
    answer: Any = client.call("POST", "/api/devices/lift-graves", json={**named, "dryRun": dry_run}).data
    return int(answer["tokens"])


def _on_state(state: Path, data: Path | str | None, graves: Graves, *, dry_run: bool) -> int:
    with opened(state, data) as ports:
        return lift_graves(ports, graves, by="cli", dry_run=dry_run)
