"""Shared by `tminus recipes push`, `pull` and `diff`: the recipes of both sides, and the lines about each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from functions.domain.documents import shown
from functions.domain.errors import FieldError
from functions.domain.recipe.read import Document
from local.cli.api_client import ApiClient, part
from local.cli.options import print_json
from local.cli.remote import plain
from local.cli.workspace import own_workspace
from local.runtime.recipe_differences import NULL, Difference
from local.runtime.recipe_folder import RecipeFile, recipe_paths

AT = "/api/automation/recipes"
REFUSED = "refused"
_A_PAGE = 100
_MOST_NAMED = 5
files_argument = click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")


@dataclass(frozen=True, kw_only=True)
class Found:
    """What happened to a recipe, or how its two sides compare, as `outcome` says in a word."""

    recipe_id: str
    file: str | None
    outcome: str
    message: str = ""
    fields: Sequence[Difference] = ()
    errors: Sequence[Mapping[str, str]] = field(default=())

    @property
    def refused(self) -> bool:
        """Whether this was not done."""
        return self.outcome == REFUSED


def recipes_folder() -> Path:
    """Return the folder of the workspace's recipes; BadInput without a workspace."""
    return own_workspace() / "recipes"


def chosen_paths(files: Sequence[Path]) -> Sequence[Path]:
    """Return the named files, or else those of the workspace; a line of standard error says if it has none."""
    if files:
        return files
    folder = recipes_folder()
    paths = recipe_paths(folder)
    if not paths:
        click.echo(f"tminus: {folder} holds no recipe; a recipe is one JSON file", err=True)
    return paths


def stored_recipes(client: ApiClient) -> dict[str, Document]:
    """Return all recipes of a system by their ids, read page by page."""
    found: dict[str, Document] = {}
    cursor: str | None = ""
    while cursor is not None:
        answer = client.call("GET", AT, params={"limit": _A_PAGE, "cursor": cursor})
        found |= {str(document["id"]): document for document in answer.data}
        cursor = answer.next
    return found


def place_of(recipe_id: str) -> str:
    """Return the address of a recipe."""
    return f"{AT}/{part(recipe_id)}"


def refused(
    recipe_id: str, file: Path | None, *reasons: str | FieldError, fields: Sequence[Difference] = ()
) -> Found:
    """Return what is said of a recipe for which nothing was done."""
    errors = [each if isinstance(each, FieldError) else FieldError("", each) for each in reasons]
    return Found(
        recipe_id=recipe_id,
        file=None if file is None else str(file),
        outcome=REFUSED,
        fields=fields,
        errors=[error.document() for error in errors],
    )


def unusable(file: RecipeFile) -> Found:
    """Return what is said of a file that cannot be used."""
    return refused(file.id, file.path, *file.errors)


def names_of(fields: Sequence[Difference]) -> str:
    """Return the names of fields that differ."""
    return shortened([each.field for each in fields])


def shortened(names: Sequence[str]) -> str:
    """Return some of the names, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def say(found: Found, *, verb: str = "", details: bool = False) -> None:
    """Print the line of a recipe, or one for each error on standard error. `details` adds what differs."""
    name = plain(found.file or found.recipe_id)
    for error in found.errors:
        words = (name, found.outcome, error["field"], error["reason"])
        click.echo(plain(": ".join(word for word in words if word)), err=True)
    if found.refused:
        return
    click.echo(plain(": ".join(word for word in (name, verb + found.outcome, found.message) if word)))
    for each in found.fields if details else ():
        click.echo(plain(f"  {each.field}: {_value(each.system)} -> {_value(each.workspace)}"))


def say_total(found: Sequence[Found], outcomes: Iterable[str], *, planned: Collection[str] = ()) -> None:
    """Print how many recipes had each outcome, or would have one that is only `planned`."""
    counts = ", ".join(
        f"{sum(each.outcome == outcome for each in found):,} {'would be ' * (outcome in planned)}{outcome}"
        for outcome in outcomes
    )
    note = "; nothing was changed" if planned else ""
    click.echo(f"{len(found):,} recipe{'s' * (len(found) != 1)}: {counts}{note}")


def print_found(found: Sequence[Found], **more: object) -> None:
    """Print the results as one JSON document."""
    print_json({**more, "recipes": found})


def _value(value: Any) -> str:
    return "missing" if value is None else "null" if value is NULL else shown(value)
