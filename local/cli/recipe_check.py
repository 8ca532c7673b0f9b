"""Check recipe files as saving does."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import click

from functions import bootstrap
from functions.domain.errors import BadInput, BadRecipe, FieldError
from functions.domain.instants import stamp
from functions.domain.recipe.schedule import sends_from
from functions.settings import Settings
from functions.usecases.recipes.audience import describe_audience
from functions.usecases.recipes.check_saved import checked_recipe
from local.embedded.clock import RealClock
from local.runtime.recipe_files import read_recipe_file
from local.runtime.recipe_folder import read_recipes

_SENDS_SHOWN = 3


def check_files(paths: Sequence[Path], settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield for each file what saving its recipe would say. Those of which two have the same id are invalid."""
    twins = {file.path: file.errors for file in read_recipes(paths) if file.document is not None}
    for path in paths:
        result = check_file(path, settings)
        if errors := [error.document() for error in twins.get(path, ())]:
            result = {"file": str(path), "valid": False, "errors": [*result.get("errors", ()), *errors]}
        yield result


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


def print_check(result: dict[str, Any]) -> None:
    """Print what `check_file` found: each error as a line of standard error, or the next sends."""
    for error in result.get("errors", ()):
        click.echo(": ".join(part for part in (result["file"], error["field"], error["reason"]) if part), err=True)
    if not result["valid"]:
        return
    sends = ", ".join(result["nextSends"]) or "none"
    click.echo(f"{result['file']}: valid; {result['id']} is {result['status']}; next sends: {sends}")
    click.echo(f"{result['file']}: for {result['audience']}")
    for notice in result["notices"]:
        click.echo(f"{result['file']}: note: {notice}")
