"""`tminus recipes`: check recipe files, and see and change the recipes of a running system."""

import sys
from itertools import islice
from pathlib import Path
from typing import Any

import click

from functions import bootstrap
from functions.domain.errors import BadInput, BadRecipe, FieldError
from functions.domain.instants import stamp
from functions.domain.recipe.first_send import Underway
from functions.domain.recipe.read import parse
from functions.domain.recipe.schedule import sends_from
from functions.settings import Settings
from functions.usecases.recipes.audience import describe_audience
from functions.usecases.recipes.check_saved import checked_recipe
from local.cli.api_client import NotThere, part
from local.cli.options import json_option, print_json, settings_with
from local.cli.remote import ask_first, show, system, yes_option
from local.embedded.clock import RealClock
from local.runtime.recipe_files import read_recipe_file

_SENDS_SHOWN = 3
_AT = "/api/automation/recipes"


@click.group()
def recipes() -> None:
    """Check recipe files; list, show, save and remove the recipes of a running system (--url)."""


@recipes.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@json_option
def validate(files: tuple[Path, ...], as_json: bool) -> None:
    """Check recipe FILEs as saving does: fields, limits, audience job, texts, links, and that a send is left.

    Prints one line for each error, or the next sends. Exit status 2 if any file is invalid.
    """
    settings = settings_with(None)
    results = [check_file(path, settings) for path in files]
    if as_json:
        print_json(results)
    else:
        for result in results:
            _print(result)
    sys.exit(0 if all(result["valid"] for result in results) else 2)


def check_file(path: Path, settings: Settings) -> dict[str, Any]:
    """Return what saving the recipe of a file would say: its next sends, or its `errors`."""
    now = RealClock().now()
    workspace = bootstrap.workspace(settings)
    try:
        recipe = checked_recipe(
            read_recipe_file(path),
            policy=settings.policy,
            find_job=bootstrap.job_finder(settings),
            workspace=workspace,
            now=now,
            default_id=path.stem,
        )
    except BadRecipe as error:
        errors = [field.document() for field in error.errors]
        return {"file": str(path), "valid": False, "errors": errors}
    except BadInput as error:
        reason = str(error).removeprefix(f"{path}: ")
        return {"file": str(path), "valid": False, "errors": [FieldError("", reason).document()]}
    sends = islice(sends_from(recipe.schedule, now), _SENDS_SHOWN) if recipe.is_active else ()
    return {
        "file": str(path),
        "valid": True,
        "id": recipe.id,
        "status": recipe.status.value,
        "notices": list(recipe.notices),
        "nextSends": [stamp(send) for send in sends],
        "audience": describe_audience(recipe, workspace),
    }


def _print(result: dict[str, Any]) -> None:
    for error in result.get("errors", ()):
        click.echo(": ".join(part for part in (result["file"], error["field"], error["reason"]) if part), err=True)
    if not result["valid"]:
        return
    sends = ", ".join(result["nextSends"]) or "none"
    click.echo(f"{result['file']}: valid; {result['id']} is {result['status']}; next sends: {sends}")
    click.echo(f"{result['file']}: for {result['audience']}")
    for notice in result["notices"]:
        click.echo(f"{result['file']}: note: {notice}")


@recipes.command("list")
@click.option("--status", help="Only those of this status.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@click.option("--cursor", default="", help="Where the page begins.")
@json_option
@click.pass_context
def list_recipes(context: click.Context, status: str | None, limit: int, cursor: str, as_json: bool) -> None:
    """List the recipes of a running system."""
    params = {"limit": limit, "cursor": cursor, **({"status": status} if status else {})}
    answer = system(context).call("GET", _AT, params=params)
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
    show(system(context).call("GET", f"{_AT}/{part(recipe)}"), as_json=True)


@recipes.command("save")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--underway",
    type=click.Choice([each.value for each in Underway]),
    help="Where an execution under way would be moved: keep it and start tomorrow, or cancel and replace it.",
)
@yes_option
@json_option
@click.pass_context
def save_recipe(context: click.Context, file: Path, underway: str | None, yes: bool, as_json: bool) -> None:
    """Create the recipe of FILE on a running system, or change the recipe with its id."""
    client, recipe = system(context), parse(read_recipe_file(file), default_id=file.stem)
    if recipe.is_active:
        ask_first(f"{recipe.id} is active and will send to real users at its times. Save it?", yes=yes)
    place, document = f"{_AT}/{part(recipe.id)}", recipe.document()
    try:
        stored = client.call("GET", place)
    except NotThere:
        show(client.call("POST", _AT, json=document), as_json=as_json)
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
    show(system(context).call("DELETE", f"{_AT}/{part(recipe)}"), as_json=as_json)
