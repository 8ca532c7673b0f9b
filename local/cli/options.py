"""Options and values that several commands share."""

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from functions import bootstrap
from functions.domain.errors import BadInput
from functions.domain.instants import instant
from functions.handlers.http.as_json import as_json
from functions.settings import Settings
from local.cli.workspace import chosen_workspace

UNLIMITED = 10_000
"""The line length in a pipe or a file: long enough to keep ids and names whole."""
_LINES = 25
RECIPES = Path(__file__).parent.parent / "recipes"
"""The sample campaigns."""

_BUCKETS = "gs://"
folder = click.Path(file_okay=False, path_type=Path)


def size_of(console: Console) -> tuple[int, int]:
    """Return the columns and lines to print. Lines in a pipe or a file are not wrapped, even with FORCE_COLOR."""
    return (console.size.width, console.size.height) if sys.stdout.isatty() else (UNLIMITED, _LINES)


class UserData(click.Path):
    """A folder of this machine as a Path, or of a bucket as text: a Path would lose a slash of gs://."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value of the option."""
        if isinstance(value, str) and value.startswith(_BUCKETS):
            return value
        return super().convert(value, param, ctx)


data_option = click.option(
    "--data",
    type=UserData(),
    metavar="DIR",
    help="The user data: CSV or Parquet files, in a folder or at gs://bucket/folder. [default: what USER_DATA names]",
)
existing_folder = click.Path(exists=True, file_okay=False, path_type=Path)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")

no_image_check_option = click.option(
    "--no-image-check",
    is_flag=True,
    help="Do not load the images of pushes at T-30, as on a machine without internet; IMAGE_CHECK=off does the same.",
)


def settings_with(data: Path | str | None, **changes: Any) -> Settings:
    """Return the settings of this process and the chosen workspace, with the user data of --data, and changes."""
    settings = replace(bootstrap.settings_of(chosen_workspace()), **changes)
    return settings if data is None else settings.on_files(data)


def with_image_check(settings: Settings, *, off: bool) -> Settings:
    """Return the settings; `off` with --no-image-check."""
    return replace(settings, image_check=settings.image_check and not off)


def read_instant(text: str | None, option: str) -> datetime | None:
    """Read an ISO 8601 instant with a zone."""
    if text is None:
        return None
    try:
        return instant(text)
    except ValueError:
        raise BadInput(f"{option} {text!r}: write an instant with its zone, such as 2026-11-23T18:00:00Z") from None


def read_day(text: str | None, option: str) -> date | None:
    """Read a day, such as 2026-11-23."""
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise BadInput(f"{option} {text!r}: write a day, such as 2026-11-23") from None


def print_json(value: Any) -> None:
    """Print a report, or a document, as JSON."""
    click.echo(json.dumps(as_json(value), ensure_ascii=False, indent=2))


def force_option(words: str) -> Callable[..., Any]:
    """Return the option --force of a command that may overwrite files."""
    return click.option("--force", is_flag=True, help=words)


def check_new(path: Path, *, force: bool) -> None:
    """Refuse to overwrite an existing file without `force`; BadInput also names a missing folder."""
    if path.exists() and not force:
        raise BadInput(f"{path} already exists; give another name, or --force to replace it")
    if not path.parent.is_dir():
        raise BadInput(f"{path.parent}: no such folder; make it first")


def check_free(directory: Path, names: Iterable[str], *, force: bool) -> None:
    """Refuse to overwrite files of a folder without `force`; BadInput names the first."""
    taken = [directory / name for name in names if (directory / name).exists()]
    if taken and not force:
        raise BadInput(f"{taken[0]} already exists; give another folder, or --force to replace it")
