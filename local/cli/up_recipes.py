"""The first recipes of `tminus up`."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from functions.domain.errors import NotPossible
from functions.domain.execution.execution import Kind
from functions.domain.recipe.read import Document
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.settings import Settings
from functions.usecases.by_hand.start import start_by_hand
from local.cli.options import RECIPES
from local.runtime.recipe_files import read_recipe_file


def read_recipes(folder: Path) -> Sequence[Document]:
    """Read the recipe files of a folder, in order of their names; BadInput names a file that cannot be read."""
    documents = [read_recipe_file(path) for path in sorted(folder.glob("*.json"))]
    if not documents:
        click.echo(f"tminus: {folder} holds no recipe; a recipe is one JSON file", err=True)
    return documents


def is_new(ports: Ports) -> bool:
    """Return whether a state never had a recipe or an execution."""
    held = ports.recipes.page(most=1) or ports.audit.newest(most=1)
    return not held and not ports.executions.count(ExecutionSearch())


def begin_now(ports: Ports, recipe_id: str) -> None:
    """Start a campaign now, unless its schedule starts it before this one could be sent."""
    with suppress(NotPossible):
        start_by_hand(ports, recipe_id, Kind.MANUAL, ports.clock.now().replace(microsecond=0))


def first_recipes(own: Sequence[Document] | None, settings: Settings) -> Sequence[Document]:
    """Return the recipes for a new state: the operator's own, else the samples.

    There are no samples where messages go to phones, nor for a workspace of the operator's own.
    """
    if own is not None:
        return own
    if settings.workspace is not None:
        way = "save those of the workspace with tminus recipes push, or name a folder by --recipes"
        click.echo(f"tminus: no recipe is saved yet; {way}", err=True)
        return ()
    if settings.fcm is not None:
        click.echo(
            "tminus: messages go to FCM, so no sample campaign is saved; name your recipes by --recipes", err=True
        )
        return ()
    samples = read_recipes(RECIPES)
    names = " and ".join(str(document["id"]) for document in samples)
    click.echo(f"tminus: new state; saved the sample campaigns {names}, which write to the outbox", err=True)
    return samples
