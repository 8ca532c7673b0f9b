"""`tminus why`: why a user would, or would not, get the pushes of a recipe."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from functions import bootstrap
from functions.domain.errors import BadInput
from functions.handlers.http.as_json import as_json as to_json
from functions.ports import Ports
from functions.settings import Settings
from functions.usecases.dry_run.why import why as explain
from local.cli.options import data_option, folder, json_option, print_json, read_instant, settings_with
from local.cli.remote import maybe_system
from local.embedded.clock import RealClock, VirtualClock
from local.runtime.recipe_files import read_recipe_file

_STATE = Path(".tminus/state")
_MARKS = {True: "yes", False: "no ", None: "?  "}


@click.command()
@click.argument("user_id", metavar="USER_ID")
@click.option("--recipe", required=True, metavar="FILE", help="The recipe; with --url also the id of a stored one.")
@data_option
@click.option("--state", type=folder, help=f"Where the cadence ledger is kept. [default: {_STATE}, if it is there]")
@click.option("--at", help="The time at which the audience is built, such as 2026-11-23T18:00:00Z. [default: now]")
@json_option
@click.pass_context
def why(
    context: click.Context,
    user_id: str,
    recipe: str,
    data: Path | str | None,
    state: Path | None,
    at: str | None,
    as_json: bool,
) -> None:
    """Say why USER_ID would, or would not, get the pushes of a recipe.

    It shows each condition of audienceCriteria.where with the value of this user, and then each step in which Tminus
    may leave a user out. Sends nothing. Exit status: 0 for any answer, 2 for bad input.
    """
    client = maybe_system(context)
    if client is not None:
        if data is not None or state is not None or at is not None:
            raise BadInput(
                "--url asks a running system, now and over its own data: leave out --data, --state and --at"
            )
        found = client.call("POST", "/api/people/why", json={"userId": user_id, "recipe": _stored(recipe)}).data
    else:
        path = Path(recipe)
        document = read_recipe_file(path)
        document.setdefault("id", path.stem)
        settings = settings_with(data)
        with _ports(settings, state, read_instant(at, "--at")) as (ports, ledger_known):
            found = to_json(explain(ports, document, user_id, ledger_known=ledger_known))
    if as_json:
        print_json(found)
        return
    for line in _lines(found):
        click.echo(line)


def _stored(recipe: str) -> str:
    """Return the id of a stored recipe, which a file may have."""
    path = Path(recipe)
    return str(read_recipe_file(path).get("id") or path.stem) if path.is_file() else recipe


@contextmanager
def _ports(settings: Settings, state: Path | None, at: datetime | None) -> Iterator[tuple[Ports, bool]]:
    """Open the system of a folder with state, if there is any, and say whether there is."""
    there = ((state or _STATE) / "tminus.db").is_file()
    if state is not None and not there:
        raise BadInput(f"--state {state}: no Tminus state is there; run a recipe first, or leave the option out")
    clock = VirtualClock(at) if at else RealClock()
    with TemporaryDirectory(prefix="tminus-") as aside:
        chosen = replace(settings, state_dir=(state or _STATE) if there else Path(aside))
        with closing(bootstrap.embedded(chosen, clock)) as opened:
            yield opened.ports, there


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield found["answer"]
    yield f"{found['recipeId']} at {found['at']}: {found['description']}"
    for each in found["conditions"]:
        actual = f": {each['actual']}" if each["actual"] else ""
        yield f"  {_MARKS[each['holds']]}{'  ' * each['depth']} {each['expected']}{actual}"
    for each in found["rows"]:
        optional = " (optional)" if each["optional"] else ""
        yield f"  {_MARKS[each['found']]} {each['part']}{optional}"
    for push in found["pushes"]:
        yield f"push {push['order']}, layer {push['layer']}"
        for step in push["steps"]:
            reason = f" ({step['reason']})" if step["reason"] else ""
            yield f"  {_MARKS[step['passes']]} {step['message']}{reason}"
