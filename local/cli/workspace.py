"""Which workspace a command works on."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from audience_jobs.workspace import is_workspace, marketplace, nearest_workspace, open_workspace
from functions.domain.errors import BadInput
from functions.settings.read import process_settings

_SAID = "tminus.workspace"
_BUILT_IN = "no tminus.toml here or above: this is the built-in workspace, marketplace"
BAD_INPUT = 2
"""The exit status of a command that is refused."""


def workspace_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --workspace."""
    return click.option(
        "--workspace",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The workspace: a folder with tminus.toml. [env: WORKSPACE; default: the nearest one above, or the "
        "built-in marketplace]",
    )(command)


def check_workspace(folder: Path | None) -> None:
    """Refuse a folder of --workspace that is not a workspace."""
    if folder is not None and not is_workspace(folder):
        raise BadInput(f"--workspace {folder}: there is no tminus.toml in it; give the folder of a workspace")


def chosen_workspace() -> Path | None:
    """Return the folder of --workspace, or of WORKSPACE, or the nearest workspace above the current directory.

    None is the built-in workspace: standard error says so when the command ends, unless it was refused. Raises
    BadWorkspace for a workspace whose files are wrong.
    """
    context = click.get_current_context().find_root()
    folder = workspace_folder()
    if folder is None and _SAID not in context.meta:
        context.meta[_SAID] = False
        context.call_on_close(lambda: None if _refused() else say_built_in(context))
    if folder is not None and folder.resolve() == marketplace().folder.resolve():
        return None
    open_workspace(folder)
    return folder


def workspace_folder() -> Path | None:
    """Return the folder of --workspace, or of WORKSPACE, or the nearest workspace above the current directory."""
    context = click.get_current_context().find_root()
    folder: Path | None = context.params["workspace"]
    return folder or process_settings().workspace or nearest_workspace(Path())


def own_workspace() -> Path:
    """Return the folder of the workspace, which is not the built-in one; BadInput where there is none."""
    folder = workspace_folder()
    if folder is None:
        raise BadInput("there is no tminus.toml here or above: tminus init DIR makes a workspace")
    return folder


def say_built_in(context: click.Context) -> None:
    """Say once that the built-in workspace is used, where it is because there is no other."""
    if context.meta.get(_SAID) is False:
        context.meta[_SAID] = True
        click.echo(f"tminus: {_BUILT_IN}", err=True)


@contextmanager
def naming_built_in() -> Iterator[None]:
    """Add to a refusal that the built-in workspace is used, where it is because there is no other."""
    try:
        yield
    except BadInput as error:
        if type(error) is not BadInput or workspace_folder() is not None:
            raise
        raise BadInput(f"{error}; {_BUILT_IN}") from None


def _refused() -> bool:
    """Whether the command that ends now ends with an error, or with the exit status of bad input."""
    error = sys.exc_info()[1]
    return error is not None and not (isinstance(error, SystemExit) and error.code != BAD_INPUT)
