"""`tminus data`: sample user data."""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import click

from functions.domain.instants import stamp
from local.cli.made_files import MadeFiles
from local.cli.options import folder, force_option, json_option, print_json, read_instant
from local.cli.progress import spinner
from local.embedded.clock import RealClock
from local.sample.generate import generate as generate_tables


@click.group()
def data() -> None:
    """Make sample user data."""


@data.command()
@click.argument("directory", type=folder, metavar="DIR")
@click.option(
    "--users",
    type=click.IntRange(min=0),
    default=10_000,
    show_default=True,
    help="How many users the marketplace has.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same files.")
@click.option("--at", help="The instant around which the activity lies. [default: today, 00:00 UTC]")
@click.option("--format", "file_format", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@force_option("Write into a folder with other files, and overwrite those with the same names.")
@json_option
def generate(
    directory: Path,
    users: int,
    seed: int,
    at: str | None,
    file_format: Literal["csv", "parquet"],
    force: bool,
    as_json: bool,
) -> None:
    """Write the tables of a fictional marketplace, the sample into DIR.

    Activity continues for eight days after the instant, so a fast clock still finds users to send to. The command
    refuses a folder with files that it did not write, or that were changed since.
    """
    if not force:
        MadeFiles(directory).check()
    around = read_instant(at, "--at") or RealClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = generate_with_progress(
        directory, users=users, seed=seed, at=around, file_format=file_format, quiet=as_json
    )
    if as_json:
        print_json({"directory": str(directory), "users": users, "seed": seed, "at": stamp(around), "rows": rows})
        return
    for table, count in rows.items():
        click.echo(f"{count:>10,}  {table}")
    click.echo(f"{directory}: {sum(rows.values()):,} rows, activity around {stamp(around)}")


def make_sample_data(directory: Path, *, users: int, seed: int, at: datetime) -> None:
    """Generate sample data if the folder is missing, completely or not at all: an interrupted start leaves none."""
    if directory.exists():
        return
    directory.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{directory.name}-", dir=directory.parent) as aside:
        made = Path(aside) / directory.name
        generate_with_progress(made, users=users, seed=seed, at=at)
        made.rename(directory)


def generate_with_progress(
    directory: Path,
    *,
    users: int,
    seed: int,
    at: datetime,
    file_format: Literal["csv", "parquet"] = "csv",
    quiet: bool = False,
) -> dict[str, int]:
    """Generate sample data with progress on a terminal. A hidden file in the folder records what was made."""
    with spinner("sample data", quiet=quiet) as update:
        rows = generate_tables(
            directory,
            users=users,
            seed=seed,
            at=at,
            file_format=file_format,
            progress=lambda table, count: update(f"{table}: {count:,} rows"),
        )
    MadeFiles(directory).remember(f"{table}.{file_format}" for table in rows)
    return rows
