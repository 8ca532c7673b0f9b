"""`tminus audience`: look at a query-based audience."""

import csv
import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from audience_jobs.query_based import AUDIENCE
from functions import bootstrap
from functions.domain.errors import BadInput
from functions.domain.json_objects import RepeatedKey, distinct_keys
from functions.domain.recipe.read import parse
from functions.usecases.dry_run.query_audience import QueriedAudience, find_audience, query_audience
from functions.usecases.dry_run.run_job import FoundAudience
from functions.usecases.recipes.audience import recipe_criteria
from local.cli.jobs_run import lines_of
from local.cli.options import (
    check_free,
    data_option,
    folder,
    force_option,
    json_option,
    print_json,
    read_instant,
    settings_with,
)
from local.embedded.clock import RealClock
from local.runtime.recipe_files import read_recipe_file

_FILE = click.Path(dir_okay=False, path_type=Path)
_ASKED = ("--filters JSON", "--pack NAME", "--ids FILE", "--query FILE", "--where JSON", "--with MODEL")


@click.command()
@click.option("--recipe", type=_FILE, help="The recipe whose audience it is.")
@click.option("--filters", metavar="JSON", help='Filters instead, such as {"lastActiveDays": 30}.')
@click.option("--pack", "packs", multiple=True, metavar="NAME", help="A data pack besides the filters; repeatable.")
@click.option("--ids", type=_FILE, help="A file of user ids, in addition to the filters.")
@click.option("--query", type=_FILE, help="A file with one SELECT that yields user_id, with or without filters.")
@click.option("--where", metavar="JSON", help='Conditions, such as {"column": "plan", "op": "is", "value": "pro"}.')
@click.option("--with", "joined", multiple=True, metavar="MODEL", help="A model whose columns to add; repeatable.")
@data_option
@click.option("--preview", type=click.IntRange(min=0), default=5, show_default=True, help="How many rows to show.")
@click.option("--parts", type=click.IntRange(min=1), help="Split it into this many equal parts; needs --out.")
@click.option("--out", type=folder, help="Write the CSV, and its parts, to this folder.")
@force_option("Replace existing files of --out.")
@click.option("--at", help="The time at which the query runs, such as 2026-11-23T18:00:00Z. [default: now]")
@json_option
def audience(
    recipe: Path | None,
    data: Path | str | None,
    preview: int,
    parts: int | None,
    out: Path | None,
    force: bool,
    at: str | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Find a query-based audience, and show its number of users, its description, and some rows.

    Sends nothing. docs/how-to-write-a-recipe.md lists conditions and filters.
    """
    if parts is not None and out is None:
        raise BadInput("--parts: give a folder for the parts with --out")
    given = {name: value for name, value in asked.items() if value not in (None, ())}
    if recipe is None and not given:
        raise BadInput(f"say what to find: --recipe FILE, or {', '.join(_ASKED)}")
    if recipe is not None and given:
        raise BadInput(f"--recipe selects the users: leave out {', '.join(option.split()[0] for option in _ASKED)}")
    settings = settings_with(data)
    (engine, _), workspace = bootstrap.user_data(settings), bootstrap.workspace(settings)
    now = read_instant(at, "--at") or RealClock().now()
    if out is not None:
        names = [f"{AUDIENCE}-{number}-of-{parts}.csv" for number in range(1, (parts or 0) + 1)]
        check_free(out, [f"{AUDIENCE}.csv", *names], force=force)
        out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="tminus-") as temporary:
        into = out or Path(temporary)
        if recipe is not None:
            criteria = recipe_criteria(_query_based(recipe), workspace)
            found = find_audience(engine, criteria, workspace, now=now, folder=into, parts=parts or 0)
        else:
            found = query_audience(engine, _written(**asked), workspace, now=now, folder=into, parts=parts or 0)
        _show(found, _rows(found, preview), kept=out is not None, as_json=as_json)


def _query_based(path: Path) -> Any:
    recipe = parse(read_recipe_file(path), default_id=path.stem)
    if recipe.criteria.job_id:
        raise BadInput(f"{path}: its audiences are those of a job: try tminus jobs run {recipe.criteria.job_id}")
    return recipe


def _written(
    *,
    filters: str | None,
    packs: Sequence[str],
    ids: Path | None,
    query: Path | None,
    where: str | None,
    joined: Sequence[str],
) -> dict[str, Any]:
    """Return the options as `audienceCriteria`."""
    return {
        "where": _json("--where", where),
        "with": list(joined) or None,
        "filters": _json("--filters", filters),
        "dataPacks": list(packs),
        "manualUserIds": ids.read_text(encoding="utf-8-sig").split() if ids else None,
        "customQuery": query.read_text(encoding="utf-8-sig") if query else None,
    }


def _json(option: str, text: str | None) -> Any:
    try:
        return json.loads(text, object_pairs_hook=distinct_keys) if text is not None else None
    except RepeatedKey as error:
        raise BadInput(f"{option}: {error}") from None
    except ValueError as error:
        raise BadInput(f"{option} is not JSON: {error}") from None


def _rows(found: QueriedAudience, preview: int) -> FoundAudience:
    with found.csv.open(encoding="utf-8", newline="") as file:
        columns, *rows = islice(csv.reader(file), preview + 1)
    return FoundAudience(name=AUDIENCE, users=found.count, columns=columns, rows=rows)


def _show(found: QueriedAudience, shown: FoundAudience, *, kept: bool, as_json: bool) -> None:
    parts = [{"count": part.count, "csv": str(part.csv)} for part in found.parts]
    if as_json:
        about = {"count": found.count, "description": found.description, "columns": shown.columns, "rows": shown.rows}
        print_json({**about, **({"csv": str(found.csv), "parts": parts} if kept else {})})
        return
    click.echo(f"{found.count:,} users: {found.description}")
    for line in lines_of(shown):
        click.echo(f"  {line}")
    for part in parts:
        click.echo(f"{part['csv']}: {part['count']:,} users")
