"""`tminus recipes`: check recipe files."""

import sys
from itertools import islice
from pathlib import Path
from typing import Any

import click

from audience_jobs.registry import find
from functions.domain.errors import BadInput, BadRecipe
from functions.domain.instants import stamp
from functions.domain.recipe import parse
from functions.domain.schedule import sends_from
from functions.settings import process_settings
from functions.usecases.check_recipe import check_recipe
from functions.usecases.recipe_audience import describe_audience
from local.cli.options import json_option, print_json
from local.documents import read_recipe_file
from local.embedded.clock import RealClock

_SENDS_SHOWN = 3


@click.group()
def recipes() -> None:
    """Check recipe files."""


@recipes.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@json_option
def validate(files: tuple[Path, ...], as_json: bool) -> None:
    """Check recipe FILEs: fields, limits, audience job, columns in templates, links.

    Prints one line for each thing that is wrong, or the next sends. Exit status 2 where any file is at fault.
    """
    results = [_check(path) for path in files]
    if as_json:
        print_json(results)
    else:
        for result in results:
            _print(result)
    sys.exit(0 if all(result["valid"] for result in results) else 2)


def _check(path: Path) -> dict[str, Any]:
    try:
        recipe = parse(read_recipe_file(path), default_id=path.stem)
        check_recipe(recipe, policy=process_settings().policy, find_job=find)
    except BadRecipe as error:
        errors = [{"field": field.field, "reason": field.reason} for field in error.errors]
        return {"file": str(path), "valid": False, "errors": errors}
    except BadInput as error:
        reason = str(error).removeprefix(f"{path}: ")
        return {"file": str(path), "valid": False, "errors": [{"field": "", "reason": reason}]}
    sends = islice(sends_from(recipe.schedule, RealClock().now()), _SENDS_SHOWN) if recipe.is_active else ()
    return {
        "file": str(path),
        "valid": True,
        "id": recipe.id,
        "status": recipe.status.value,
        "notices": list(recipe.notices),
        "nextSends": [stamp(send) for send in sends],
        "audience": describe_audience(recipe),
    }


def _print(result: dict[str, Any]) -> None:
    for error in result.get("errors", ()):
        click.echo(": ".join(part for part in (result["file"], error["field"], error["reason"]) if part), err=True)
    if not result["valid"]:
        return
    sends = ", ".join(result["nextSends"]) or ("none is left" if result["status"] == "active" else "none")
    click.echo(f"{result['file']}: valid; {result['id']} is {result['status']}; next sends: {sends}")
    click.echo(f"{result['file']}: for {result['audience']}")
    for notice in result["notices"]:
        click.echo(f"{result['file']}: note: {notice}")
