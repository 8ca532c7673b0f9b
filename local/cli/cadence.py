"""`tminus cadence`: what the ledger knows of a user, and what it is to know of the past."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import click

from functions import bootstrap
from functions.domain.errors import BadInput
from functions.domain.instants import stamp
from functions.ports import Ports
from functions.settings import process_settings
from functions.usecases.import_history import ImportReport, import_history
from functions.usecases.user_history import MOST_DAYS, user_history
from local.cli.options import folder, json_option, print_json, read_instant
from local.embedded.clock import RealClock


@click.group()
def cadence() -> None:
    """Look into the cadence ledger, and import what was sent before."""


_state = click.option(
    "--state", type=folder, default=Path(".tminus/state"), show_default=True, help="Where state is kept."
)


@cadence.command()
@click.argument("user_id")
@_state
@click.option(
    "--days", type=click.IntRange(1, MOST_DAYS), default=14, show_default=True, help="How far to look back."
)
@click.option("--until", help="Look back from this instant, as 2026-11-23T18:00:00Z. [default: now]")
@json_option
def user(user_id: str, state: Path, days: int, until: str | None, as_json: bool) -> None:
    """Show the pushes that USER_ID was reserved, oldest first.

    Pushes of layers 1 and 4 count against nothing and are not in the ledger; what failed for good was given back.
    """
    with _ports(state) as ports:
        at = read_instant(until, "--until") or ports.clock.now()
        found = user_history(ports, user_id, until=at, days=days)
    if as_json:
        print_json([{"push": push.push, "layer": push.layer, "dueAt": stamp(push.at)} for push in found])
        return
    for push in found:
        click.echo(f"{push.at:%Y-%m-%d %H:%M} UTC  layer {push.layer}  {push.push}")
    if not found:
        click.echo(f"nothing in the {days} days before {stamp(at)}")


@cadence.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_state
@click.option("--dry-run", is_flag=True, help="Check every row and count, but write nothing.")
@json_option
def import_file(file: Path, state: Path, dry_run: bool, as_json: bool) -> None:
    """Import what another system has sent from FILE, a CSV with user_id, layer and sent_at.

    Rows that are there already are skipped, so an import that broke off is finished by running it again. Exit
    status 2 where a row cannot be used; the others are imported all the same.
    """
    with _ports(state, new=True) as ports, file.open("rb") as source:
        report = import_history(ports, source, dry_run=dry_run)
    if as_json:
        print_json(report.document())
    else:
        _tell(file, report)
    sys.exit(2 if report.refused else 0)


def _tell(file: Path, report: ImportReport) -> None:
    done = "would be imported" if report.dry_run else "imported"
    skipped = "".join(f", {count:,} skipped: {reason.value}" for reason, count in report.skipped.items())
    counted = f"{report.imported:,} {done}, {report.duplicates:,} duplicates{skipped}, {report.refused:,} refused"
    click.echo(f"{report.rows:,} rows: {counted}")
    for row in report.errors:
        for error in row.errors:
            click.echo(f"{file}: line {row.line}: {error}", err=True)
    if report.refused > len(report.errors):
        click.echo(f"{file}: and {report.refused - len(report.errors):,} rows more", err=True)


@contextmanager
def _ports(state: Path, *, new: bool = False) -> Iterator[Ports]:
    """Open the state of a folder, be it a new one."""
    if not new and not (state / "tminus.db").is_file():
        raise BadInput(f"--state {state}: no Tminus state is there; run a recipe first")
    settings = replace(process_settings(), state_dir=state)
    with closing(bootstrap.embedded(settings, RealClock())) as system:
        yield system.ports
