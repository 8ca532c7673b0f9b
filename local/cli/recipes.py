"""`tminus recipes`: check recipe files, and see and change the recipes of a running system."""

import sys
from pathlib import Path

import click

from functions.domain.recipe.read import parse
from local.cli.api_client import NotThere
from local.cli.options import json_option, print_json, settings_with
from local.cli.recipe_check import check_files, print_check
from local.cli.recipes_compared import AT, place_of
from local.cli.recipes_diff import diff_recipes
from local.cli.recipes_pull import pull_recipes
from local.cli.recipes_push import push_recipes
from local.cli.remote import ask_first, show, system, underway_option, yes_option
from local.runtime.recipe_files import read_recipe_file


@click.group()
def recipes() -> None:
    """Check recipe files; push, pull, compare, list, show, save and remove the recipes of a running system."""


for command in (push_recipes, pull_recipes, diff_recipes):
    recipes.add_command(command)


@recipes.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@json_option
def validate(files: tuple[Path, ...], as_json: bool) -> None:
    """Check recipe FILEs as saving does: fields, limits, audience job, texts, links, and that a send is left.

    Two of the FILEs must not have the same id.
    Prints one line for each error, or the next sends. Exit status 2 if any file is invalid.
    """
    results = list(check_files(files, settings_with(None)))
    if as_json:
        print_json(results)
    else:
        for result in results:
            print_check(result)
    sys.exit(0 if all(result["valid"] for result in results) else 2)


@recipes.command("list")
@click.option("--status", help="Only those of this status.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@click.option("--cursor", default="", help="Where the page begins.")
@json_option
@click.pass_context
def list_recipes(context: click.Context, status: str | None, limit: int, cursor: str, as_json: bool) -> None:
    """List the recipes of a running system."""
    params = {"limit": limit, "cursor": cursor, **({"status": status} if status else {})}
    answer = system(context).call("GET", AT, params=params)
    columns = {
        "recipe": "id",
        "name": "name",
        "status": "status",
        "frequency": "schedule.frequency",
        "at": "schedule.executionTime",
        "zone": "schedule.timezone",
        "problem": "problem",
    }
    show(answer, as_json=as_json, columns=columns)


@recipes.command("show")
@click.argument("recipe")
@click.pass_context
def show_recipe(context: click.Context, recipe: str) -> None:
    """Print RECIPE of a running system, as JSON."""
    show(system(context).call("GET", place_of(recipe)), as_json=True)


@recipes.command("save")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@underway_option
@yes_option
@json_option
@click.pass_context
def save_recipe(context: click.Context, file: Path, underway: str | None, yes: bool, as_json: bool) -> None:
    """Create the recipe of FILE on a running system, or change the recipe with its id."""
    client, recipe = system(context), parse(read_recipe_file(file), default_id=file.stem)
    if recipe.is_active:
        ask_first(f"{recipe.id} is active and will send to real users at its times. Save it?", yes=yes)
    place, document = place_of(recipe.id), recipe.document()
    try:
        stored = client.call("GET", place)
    except NotThere:
        show(client.call("POST", AT, json=document), as_json=as_json)
    else:
        chosen = {"underway": underway} if underway else {}
        headers = {"If-Match": stored.etag}
        show(client.call("PUT", place, json=document, headers=headers, params=chosen), as_json=as_json)


@recipes.command("remove")
@click.argument("recipe")
@yes_option
@json_option
@click.pass_context
def remove_recipe(context: click.Context, recipe: str, yes: bool, as_json: bool) -> None:
    """Remove RECIPE and its schedule from a running system."""
    ask_first(f"Remove {recipe}?", yes=yes)
    show(system(context).call("DELETE", place_of(recipe)), as_json=as_json)
