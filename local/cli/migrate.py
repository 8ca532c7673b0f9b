"""`tminus migrate`: migrate a folder of the system that Tminus replaces."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from functions import bootstrap
from functions.domain.errors import BadInput, FieldError
from functions.domain.recipe.old_push import is_old_push
from functions.handlers.http.as_json import as_json as to_json
from functions.usecases.moving_in.migrate import OldDocument, Outcome, refused
from functions.usecases.moving_in.migrate import migrate as migrate_documents
from local.cli.api_client import ApiClient
from local.cli.options import existing_folder, folder, json_option, print_json, settings_with
from local.cli.remote import maybe_system
from local.embedded.clock import RealClock
from local.runtime.recipe_files import read_json_file

_MOST_BYTES = 100_000_000
_SENT_AT_ONCE = 30
"""Recipes can have 500 KB each, and the API reads at most 20 MB."""


@click.command()
@click.argument("directory", type=existing_folder, metavar="DIR")
@click.option("--state", type=folder, default=Path(".tminus/state"), show_default=True, help="Where state is kept.")
@click.option("--apply", is_flag=True, help="Create the recipes; without it nothing is changed.")
@json_option
@click.pass_context
def migrate(context: click.Context, directory: Path, state: Path, apply: bool, as_json: bool) -> None:
    """Migrate the recipes and scheduled pushes in the JSON files of DIR and the folders below it.

    A file has one document or a list of them. Prints the result for each. Repeating the command creates nothing. Exit
    status 2 if a document is invalid; the valid ones are migrated.
    """
    client, documents = maybe_system(context), read_folder(directory)
    if client is not None:
        found = _migrate_afar(client, list(documents), apply=apply)
    else:
        found = _migrate_here(state, documents, apply=apply)
    if as_json:
        print_json({"dryRun": not apply, "documents": found})
    else:
        _show(found, apply=apply)
    sys.exit(2 if any(each["outcome"] == Outcome.REFUSED for each in found) else 0)


def _migrate_here(state: Path, documents: Iterator[OldDocument], *, apply: bool) -> list[dict[str, Any]]:
    """Migrate documents into a state folder. Without `apply` the folder is not created."""
    with TemporaryDirectory(prefix="tminus-") as aside:
        there = apply or (state / "tminus.db").is_file()
        settings = settings_with(None, state_dir=state if there else Path(aside))
        with closing(bootstrap.embedded(settings, RealClock())) as system:
            made = migrate_documents(system.ports, documents, by="cli", dry_run=not apply)
            return [to_json(each) for each in made]


def _migrate_afar(client: ApiClient, documents: Sequence[OldDocument], *, apply: bool) -> list[dict[str, Any]]:
    """Send documents to a running system, some at a time, and return the results."""
    found = [to_json(refused(old, [FieldError("", old.unreadable)])) for old in documents if old.unreadable]
    readable = [old for old in documents if not old.unreadable]
    for first in range(0, len(readable), _SENT_AT_ONCE):
        some = readable[first : first + _SENT_AT_ONCE]
        body = {"recipes": [_named(old) for old in some], "dryRun": not apply}
        answered = client.call("POST", "/api/automation/migrate", json=body).data["documents"]
        found += [{**each, "document": old.name} for old, each in zip(some, answered, strict=True)]
    return found


def _named(old: OldDocument) -> object:
    """Return a document with the id from its file's name, which the system does not know."""
    if (
        isinstance(old.content, dict)
        and old.default_id
        and not old.content.get("id")
        and not is_old_push(old.content)
    ):
        return {**old.content, "id": old.default_id}
    return old.content


def read_folder(directory: Path) -> Iterator[OldDocument]:
    """Yield the documents in the JSON files of a folder, in order of the files' names, including broken ones."""
    paths = sorted(path for path in directory.rglob("*.json") if path.is_file())
    if not paths:
        raise BadInput(f"{directory}: holds no .json file")
    for path in paths:
        name = path.relative_to(directory).as_posix()
        try:
            content = read_json_file(path, most_bytes=_MOST_BYTES)
        except BadInput as error:
            yield OldDocument(name=name, unreadable=str(error).removeprefix(f"{path}: "))
            continue
        if isinstance(content, list):
            yield from (OldDocument(name=f"{name}[{n}]", content=each) for n, each in enumerate(content))
        else:
            yield OldDocument(name=name, content=content)


def _show(found: Sequence[Mapping[str, Any]], *, apply: bool) -> None:
    for each in found:
        name, outcome = each["document"], each["outcome"]
        if outcome != Outcome.REFUSED:
            said = outcome if apply or outcome == Outcome.UNCHANGED else "would be created"
            click.echo(f"{name}: {said}: {each['recipeId']} is {each['status']}")
        for notice in each["notices"]:
            click.echo(f"{name}: note: {notice}")
        for error in each["errors"]:
            click.echo(": ".join(part for part in (name, error["field"], error["reason"]) if part), err=True)
    counts = {outcome: sum(each["outcome"] == outcome for each in found) for outcome in Outcome}
    total = ", ".join(f"{count:,} {outcome.value}" for outcome, count in counts.items())
    click.echo(f"{len(found):,} documents: {total}" + ("" if apply else "; nothing was changed, --apply does it"))
