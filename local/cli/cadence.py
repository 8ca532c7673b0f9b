"""`tminus cadence`: what the ledger knows of a user."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import click

from functions import bootstrap
from functions.domain.errors import BadInput
from functions.domain.instants import stamp
from functions.settings import process_settings
from functions.usecases.user_history import MOST_DAYS, user_history
from local.cli.options import folder, json_option, print_json, read_instant
from local.embedded.clock import RealClock


@click.group()
def cadence() -> None:
    """Look into the cadence ledger."""


@cadence.command()
@click.argument("user_id")
@click.option("--state", type=folder, default=Path(".tminus/state"), show_default=True, help="Where state is kept.")
@click.option(
    "--days", type=click.IntRange(1, MOST_DAYS), default=14, show_default=True, help="How far to look back."
)
@click.option("--until", help="Look back from this instant, as 2026-11-23T18:00:00Z. [default: now]")
@json_option
def user(user_id: str, state: Path, days: int, until: str | None, as_json: bool) -> None:
    """Show the pushes that USER_ID was reserved, oldest first.

    Pushes of layers 1 and 4 count against nothing and are not in the ledger; what failed for good was given back.
    """
    if not (state / "tminus.db").is_file():
        raise BadInput(f"--state {state}: no Tminus state is there; run a recipe first")
    settings = replace(process_settings(), state_dir=state)
    with closing(bootstrap.embedded(settings, RealClock())) as system:
        at = read_instant(until, "--until") or system.ports.clock.now()
        found = user_history(system.ports, user_id, until=at, days=days)
    if as_json:
        print_json([{"push": push.push, "layer": push.layer, "dueAt": stamp(push.at)} for push in found])
        return
    for push in found:
        click.echo(f"{push.at:%Y-%m-%d %H:%M} UTC  layer {push.layer}  {push.push}")
    if not found:
        click.echo(f"nothing in the {days} days before {stamp(at)}")
