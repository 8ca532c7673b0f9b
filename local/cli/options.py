"""Options and values that several commands share."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from functions.domain.errors import BadInput
from functions.domain.instants import instant
from functions.settings import Settings, process_settings

RECIPES = Path(__file__).parent.parent / "recipes"
"""The sample campaigns."""

_BUCKETS = "gs://"
folder = click.Path(file_okay=False, path_type=Path)


class _UserData(click.Path):
    """A folder of this machine as a Path, or one of a bucket as text: a Path would lose a slash of gs://."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and value.startswith(_BUCKETS):
            return value
        return super().convert(value, param, ctx)


data_option = click.option(
    "--data",
    type=_UserData(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The user data: CSV or Parquet files, in a folder or at gs://bucket/folder. [default: what USER_DATA names]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")


def settings_with(data: Path | str | None, **changes: Any) -> Settings:
    """Return the settings of this process, with the user data of --data where it is given, and other changes."""
    settings = replace(process_settings(), **changes)
    return settings if data is None else settings.on_files(data)


def read_instant(text: str | None, option: str) -> datetime | None:
    """Read an ISO 8601 instant with a zone."""
    if text is None:
        return None
    try:
        return instant(text)
    except ValueError:
        raise BadInput(f"{option} {text!r}: write an instant with its zone, such as 2026-11-23T18:00:00Z") from None


def print_json(value: Any) -> None:
    """Print a value as one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
