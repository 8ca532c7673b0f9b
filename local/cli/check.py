"""`tminus check`: everything in a workspace, without sending."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from functions.settings import Settings
from local.cli.options import data_option, json_option, print_json
from local.cli.progress import spinner
from local.cli.recipe_check import check_files
from local.cli.tables import source_settings
from local.cli.workspace import BAD_INPUT, own_workspace
from local.embedded.clock import RealClock
from local.runtime.json_lines import line_of
from local.runtime.workspace_check import Checked, check_workspace_at, documents


@click.command()
@data_option
@json_option
def check(data: Path | str | None, as_json: bool) -> None:
    """Check the whole workspace: its files, its tables against the source, its models, jobs and recipes.

    It reads the source and sends nothing. Each problem is one line with file, line and the way out. A warning does
    not fail: it names a layer of a recipe that no cadence rule limits. New tables and columns of the source are no
    problem; tminus tables --check names those too. Exit status: 0, or 2 for problems.
    """
    folder = own_workspace()
    with spinner("checking", quiet=as_json) as update:
        checked = check_workspace_at(
            folder,
            lambda: source_settings(folder, data),
            _recipe_problems,
            now=RealClock().now(),
            progress=lambda name: update(f"checking {name}"),
        )
    if as_json:
        print_json({"workspace": str(folder), "valid": not checked.problems, **_document(checked)})
    else:
        for found in checked.problems:
            click.echo(f"tminus: {' '.join(found.line.split())}", err=True)
        for warning in checked.warnings:
            click.echo(f"tminus: warning: {warning}", err=True)
        if not checked.problems:
            click.echo(f"{folder}: {_summary(checked)}")
    sys.exit(BAD_INPUT if checked.problems else 0)


def _recipe_problems(paths: Sequence[Path], settings: Settings) -> Iterator[str]:
    for path, result in zip(paths, check_files(paths, settings), strict=True):
        yield from (_line(path, error["field"], error["reason"]) for error in result.get("errors", ()))


def _line(path: Path, field: str, reason: str) -> str:
    if not field:
        return f"{path}: {reason}"
    return f"{path}:{line_of(path.read_text(encoding='utf-8-sig'), field)}: {field}: {reason}"


def _summary(checked: Checked) -> str:
    found = {"table": checked.tables, "model": checked.models, "recipe": checked.recipes}
    parts = [f"{count:,} {what}{'s' * (count != 1)}" for what, count in found.items()]
    people = "" if checked.people is None else f"; {checked.people:,} people, {checked.reachable:,} with a device"
    return f"no problems in {', '.join(parts)}{people}"


def _document(checked: Checked) -> dict[str, object]:
    return {
        "tables": checked.tables,
        "models": checked.models,
        "recipes": checked.recipes,
        "people": checked.people,
        "reachable": checked.reachable,
        "warnings": checked.warnings,
        "problems": list(documents(checked.problems)),
    }
