"""`tminus recipes pull`: the recipes of a running system as files of the workspace."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from functions.domain.errors import BadInput, BadRecipe
from functions.domain.recipe.read import Document
from local.cli.options import force_option, json_option
from local.cli.recipes_compared import (
    REFUSED,
    Found,
    names_of,
    print_found,
    recipes_folder,
    refused,
    say,
    say_total,
    stored_recipes,
    unusable,
)
from local.cli.remote import system_or_up
from local.cli.workspace import BAD_INPUT
from local.runtime.recipe_differences import differences, saved_form
from local.runtime.recipe_folder import RecipeFile, new_path, read_recipes, recipe_paths, write_recipe

_CREATED, _REPLACED, _SAME = "created", "replaced", "same"


@click.command("pull")
@click.argument("recipes", nargs=-1, metavar="[RECIPE]...")
@force_option("Replace files that differ.")
@json_option
@click.pass_context
def pull_recipes(context: click.Context, recipes: tuple[str, ...], force: bool, as_json: bool) -> None:
    """Write the recipes of a running system into files.

    Takes those with the ids RECIPE, or all, and writes them into recipes/ of the workspace. A new file is named
    after the id of its recipe. A file that differs from the system is left as it is, unless you say --force;
    other files are never changed. The system is tminus --url, or else tminus up on this machine. Exit status 2
    if a recipe was refused.
    """
    folder = recipes_folder()
    with system_or_up(context).patient() as client:
        stored = stored_recipes(client)
    missing = [recipe_id for recipe_id in recipes if recipe_id not in stored]
    if missing:
        raise BadInput(f"there is no recipe {missing[0]!r}; tminus recipes list shows those that there are")
    folder.mkdir(exist_ok=True)
    found = []
    for each in _pulled(folder, [stored[recipe_id] for recipe_id in sorted(recipes or stored)], force=force):
        found.append(each)
        if not as_json:
            say(each)
    if as_json:
        print_found(found, folder=str(folder))
    else:
        say_total(found, (_CREATED, _REPLACED, _SAME, REFUSED))
    sys.exit(BAD_INPUT if any(each.refused for each in found) else 0)


def _pulled(folder: Path, documents: Sequence[Document], *, force: bool) -> Iterator[Found]:
    """Write each recipe, where it may be written, and yield what happened."""
    read = sorted(read_recipes(recipe_paths(folder)), key=lambda file: file.document is not None)
    files = {file.id: file for file in read}  # of two, the one that can be read
    taken = {path.name for path in folder.iterdir()}
    for stored in documents:
        recipe_id = str(stored["id"])
        file = files.get(recipe_id)
        try:
            document = saved_form(stored)
        except BadRecipe as error:
            reason = f"the system cannot run it, so there is no file of it: {error}"
            yield refused(recipe_id, None if file is None else file.path, reason)
            continue
        if file is None:
            path = new_path(folder, document["id"], taken)
            taken.add(path.name)
            write_recipe(path, document)
            yield Found(recipe_id=recipe_id, file=str(path), outcome=_CREATED)
        else:
            yield _onto(file, document, force=force)


def _onto(file: RecipeFile, document: Document, *, force: bool) -> Found:
    """Replace the file of a recipe, if it differs and may be replaced."""
    fields = [] if file.document is None else differences(document, file.document)
    if file.path.is_dir() or (file.document is not None and file.errors):
        return unusable(file)
    if file.document is not None and not fields:
        return Found(recipe_id=file.id, file=str(file.path), outcome=_SAME)
    if not force:
        way = f"differs in {names_of(fields)}; tminus recipes diff shows how, --force replaces the file"
        unread = (*file.errors, "--force replaces the file by the system's recipe")
        return refused(file.id, file.path, *([way] if fields else unread), fields=fields)
    write_recipe(file.path, document, like=file.document)
    return Found(recipe_id=file.id, file=str(file.path), outcome=_REPLACED, fields=fields)
