"""`tminus recipes diff`: how the recipes of the workspace differ from those of a running system."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from functions.domain.recipe.read import Document
from local.cli.options import json_option
from local.cli.recipes_compared import (
    REFUSED,
    Found,
    chosen_paths,
    files_argument,
    print_found,
    say,
    say_total,
    stored_recipes,
    unusable,
)
from local.cli.remote import system_or_up
from local.cli.workspace import BAD_INPUT
from local.runtime.recipe_differences import differences, stored_form
from local.runtime.recipe_folder import RecipeFile, read_recipes

_SAME, _DIFFERS = "same", "differs"
_HERE, _THERE = "only in the workspace", "only in the system"


@click.command("diff")
@files_argument
@json_option
@click.pass_context
def diff_recipes(context: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Compare the recipe files with a running system.

    Takes FILEs, or all of recipes/ in the workspace. Each field that differs is a line: the system's value,
    then that of the file. The system is tminus --url, or else tminus up on this machine. Exit status: 0 without
    differences, 1 with some, 2 if a file or the system cannot be read.
    """
    read = read_recipes(chosen_paths(files))
    with system_or_up(context).patient() as client:
        stored = stored_recipes(client)
    found = [*_compared(read, stored)]
    if not files:
        others = sorted(stored.keys() - {file.id for file in read})
        found += [Found(recipe_id=recipe_id, file=None, outcome=_THERE) for recipe_id in others]
    status = _status(found)
    if as_json:
        print_found(found, same=status == 0)
    else:
        for each in found:
            say(each, details=True)
        say_total(found, (_SAME, _DIFFERS, _HERE, _THERE, REFUSED))
    sys.exit(status)


def _compared(files: Sequence[RecipeFile], stored: Mapping[str, Document]) -> Iterator[Found]:
    for file in files:
        if file.document is None or file.errors:
            yield unusable(file)
        elif file.id not in stored:
            yield Found(recipe_id=file.id, file=str(file.path), outcome=_HERE)
        else:
            fields = differences(stored_form(stored[file.id]), file.document)
            outcome = _DIFFERS if fields else _SAME
            yield Found(recipe_id=file.id, file=str(file.path), outcome=outcome, fields=fields)


def _status(found: Sequence[Found]) -> int:
    if any(each.refused for each in found):
        return BAD_INPUT
    return int(any(each.outcome != _SAME for each in found))
