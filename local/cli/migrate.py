"""`tminus migrate`: take over a folder of the system that Tminus replaces."""

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import click

from functions import bootstrap
from functions.domain.errors import BadInput
from functions.settings import process_settings
from functions.usecases.migrate import Migrated, OldDocument, Outcome, migrate
from local.cli.options import folder, json_option, print_json
from local.documents import read_json_file
from local.embedded.clock import RealClock

_MOST_BYTES = 100_000_000


@click.command("migrate")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@click.option("--state", type=folder, default=Path(".tminus/state"), show_default=True, help="Where state is kept.")
@click.option("--apply", is_flag=True, help="Create the recipes; without it nothing is changed.")
@json_option
def migrate_folder(directory: Path, state: Path, apply: bool, as_json: bool) -> None:
    """Take over the recipes and scheduled pushes in the JSON files of DIR and the folders below it.

    A file holds one document or a list of them. Says of each what becomes of it; doing it again creates nothing.
    Exit status 2 where a document cannot be used; the others are taken over all the same.
    """
    settings = replace(process_settings(), state_dir=state)
    with closing(bootstrap.embedded(settings, RealClock())) as system:
        found = list(migrate(system.ports, read_folder(directory), by="cli", dry_run=not apply))
    if as_json:
        print_json({"dryRun": not apply, "documents": [each.document() for each in found]})
    else:
        _tell(found, apply=apply)
    sys.exit(2 if any(each.outcome is Outcome.REFUSED for each in found) else 0)


def read_folder(directory: Path) -> Iterator[OldDocument]:
    """Yield the documents in the JSON files of a folder, in order of the files' names; also those that are broken."""
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


def _tell(found: list[Migrated], *, apply: bool) -> None:
    for each in found:
        if each.outcome is not Outcome.REFUSED:
            said = each.outcome.value if apply or each.outcome is Outcome.UNCHANGED else "would be created"
            click.echo(f"{each.name}: {said}: {each.recipe_id} is {each.status}")
        for notice in each.notices:
            click.echo(f"{each.name}: note: {notice}")
        for error in each.errors:
            told = ": ".join(part for part in (each.name, error.field, error.reason) if part)
            click.echo(told, err=True)
    counts = {outcome: sum(each.outcome is outcome for each in found) for outcome in Outcome}
    total = ", ".join(f"{count:,} {outcome.value}" for outcome, count in counts.items())
    click.echo(f"{len(found):,} documents: {total}" + ("" if apply else "; nothing was changed, --apply does it"))
