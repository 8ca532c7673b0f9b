"""`tminus init`: a workspace for a team's own user data."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from audience_jobs.schema import Tables
from audience_jobs.workspace import FILE, TABLES_FILE, is_workspace
from audience_jobs.workspace.catalog import Catalog
from audience_jobs.workspace.source import Source, source_fault, without_password
from functions.domain.errors import BadInput
from functions.settings import Settings, UserDatabaseSettings, UserDatasetSettings
from functions.settings.read import process_settings
from local.cli.options import UserData, json_option, print_json
from local.cli.progress import spinner
from local.cli.tables import look_at
from local.embedded.clock import RealClock
from local.runtime.first_workspace import (
    CADENCE_IN_WORDS,
    RECIPE,
    FirstWorkspace,
    check_catalog,
    first_workspace,
    shortened,
)
from local.sample.small import write_small_world

_FILES = (FILE, TABLES_FILE, "models/people.sql", "models/devices.sql", RECIPE)
_EXAMPLE = "data"
_NO_NAME = re.compile(r"^[^A-Za-z0-9]+|[^A-Za-z0-9 _.-]")
_PASSWORD = "the password of --postgres is not written: give it as PGPASSWORD, or the address as USER_DATABASE_URL"


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A source: what tminus.toml says of it, and the settings that reach it now."""

    source: Source
    settings: Settings
    notes: tuple[str, ...] = ()


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--data", type=UserData(), metavar="DIR", help="CSV or Parquet files: a folder, or gs://bucket/folder.")
@click.option("--postgres", metavar="URL", help="A database: postgresql://role@host/database, or a variable with it.")
@click.option("--schema", default="", help="The schema of its tables. [default: public]")
@click.option("--bigquery", metavar="DATASET", help="A dataset: project.dataset.")
@click.option("--bucket", default="", help="The bucket through which results leave BigQuery.")
@json_option
def init(
    folder: Path,
    data: Path | str | None,
    postgres: str | None,
    schema: str,
    bigquery: str | None,
    bucket: str,
    as_json: bool,
) -> None:
    """Make a workspace in DIR for your own user data.

    The command looks at the tables, and guesses which hold the people, their devices, who has opted out and what
    users did, and what columns mean. It writes tminus.toml with a first cadence rule, tables.toml, the models
    people, devices, opt_outs and one for each table of events, and a first recipe. It prints what it has guessed,
    what it is unsure of and what is missing. E-mail addresses, phone numbers, tokens and passwords become private.
    It reads the source, and changes nothing there.

    Without --data, --postgres and --bigquery it writes a small example, with data of its own. It refuses a folder
    that is a workspace already.
    """
    if sum(each is not None for each in (data, postgres, bigquery)) > 1:
        raise BadInput("give one of --data, --postgres and --bigquery")
    if is_workspace(folder):
        raise BadInput(f"{folder} is a workspace already: tminus tables brings its tables.toml up to date")
    example = data is None and postgres is None and bigquery is None
    _check_free(folder, [*_FILES, *([_EXAMPLE] if example else [])])
    if example:
        write_small_world(folder / _EXAMPLE)
        data = folder / _EXAMPLE
    place = _place(folder, data, postgres, schema, bigquery, bucket)
    catalog = look_at(place.settings, Tables([]), quiet=as_json)
    check_catalog(catalog)
    with spinner("looking for people and devices", quiet=as_json):
        made = first_workspace(catalog, place.source, place.settings, name=_name(folder), now=RealClock().now())
    _check_free(folder, list(made.files))
    made.write(folder)
    if as_json:
        print_json(_document(folder, made, catalog, place))
    else:
        _show(folder, made, catalog, place)


def _check_free(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        if (folder / name).exists():
            raise BadInput(f"{folder / name} already exists: give another folder, or move it away")


def _place(
    folder: Path, data: Path | str | None, postgres: str | None, schema: str, bigquery: str | None, bucket: str
) -> _Place:
    """Return the source that the options name; BadInput says what is wrong with them."""
    if schema and postgres is None:
        raise BadInput("--schema belongs to --postgres")
    if bucket and bigquery is None:
        raise BadInput("--bucket belongs to --bigquery")
    if postgres is not None:
        return _in_postgres(folder, postgres, schema)
    if bigquery is not None:
        source = _sound(Source(bigquery=bigquery, bucket=bucket))
        project = process_settings().policy.firebase_project or bigquery.rpartition(".")[0]
        dataset = UserDatasetSettings(dataset=bigquery, project=project, bucket=bucket)
        notes = () if bucket else ("source.bucket is missing: name the bucket through which results leave BigQuery",)
        return _Place(
            source=source, settings=replace(process_settings(), user_database=None, user_dataset=dataset), notes=notes
        )
    source = _sound(Source(data=_from(folder, data) if isinstance(data, Path) else str(data)))
    return _Place(source=source, settings=process_settings().on_files(data or ""))


def _in_postgres(folder: Path, postgres: str, schema: str) -> _Place:
    source = _sound(Source(postgres=without_password(postgres), schema=schema))
    notes = (_PASSWORD,) if source.postgres != postgres else ()
    if source.variable:
        settings = process_settings(source.settings(folder))
        if settings.user_database is None:
            raise BadInput("USER_DATA or USER_DATA_DIR is set, and names another source: unset it")
        return _Place(source=source, settings=settings)
    database = UserDatabaseSettings(url=postgres, schema=schema or "public")
    return _Place(source=source, settings=replace(process_settings(), user_database=database), notes=notes)


def _sound(source: Source) -> Source:
    """Return a source that tminus.toml can hold; BadInput says which option is wrong."""
    for key, value in vars(source).items():
        if value and (reason := source_fault(key, value)):
            raise BadInput(f"--{key}: {reason}")
    return source


def _from(folder: Path, data: Path) -> str:
    """Return the path of the data as tminus.toml has it: relative to the workspace, unless it is absolute."""
    return str(data) if data.is_absolute() else os.path.relpath(data, folder)


def _name(folder: Path) -> str:
    return _NO_NAME.sub("", folder.resolve().name)[:63] or "workspace"


def _show(folder: Path, made: FirstWorkspace, catalog: Catalog, place: _Place) -> None:
    for line in made.models.guessed:
        click.echo(f"guessed: {line}")
    click.echo(f"guessed: user ids: {made.user_ids}")
    click.echo(CADENCE_IN_WORDS)
    for line in catalog.left_out:
        click.echo(f"left out: {line}")
    for line in made.models.unsure:
        click.echo(f"unsure: {line}")
    for line in (*made.models.missing, *place.notes):
        click.echo(f"missing: {line}")
    for line in shortened(made.models.no_events, "tables are no events"):
        click.echo(f"no events: {line}")
    if sizes := made.sizes:
        opted_out = f"; {sizes.opted_out:,} have opted out of all pushes" if made.models.opt_outs else ""
        click.echo(f"{sizes.people:,} people, {sizes.reachable:,} of them with a device{opted_out}")
    for name in made.files:
        click.echo(f"wrote {folder / name}")
    click.echo(f"next: tminus --workspace {folder} check")
    click.echo(f"      tminus --workspace {folder} run {folder / RECIPE}")


def _document(folder: Path, made: FirstWorkspace, catalog: Catalog, place: _Place) -> dict[str, object]:
    sizes = made.sizes
    return {
        "workspace": str(folder),
        "source": catalog.where,
        "userIds": made.user_ids,
        "people": sizes and sizes.people,
        "reachable": sizes and sizes.reachable,
        "optedOut": sizes and sizes.opted_out,
        "files": [str(folder / name) for name in made.files],
        "guessed": made.models.guessed,
        "unsure": made.models.unsure,
        "missing": [*made.models.missing, *place.notes],
        "events": list(made.models.events),
        "noEvents": made.models.no_events,
        "cadence": CADENCE_IN_WORDS.removeprefix("cadence: "),
        "leftOut": list(catalog.left_out),
    }
