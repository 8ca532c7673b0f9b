"""`tminus tables`: tables.toml, written from the source of user data or compared with it."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from audience_jobs.schema import Tables
from audience_jobs.workspace import FILE, TABLES_FILE
from audience_jobs.workspace.catalog import Catalog
from audience_jobs.workspace.differences import Difference, differences
from audience_jobs.workspace.files import read_identity
from audience_jobs.workspace.tables_file import read_tables
from audience_jobs.workspace.tables_text import tables_text
from audience_jobs.workspace.toml_file import read_toml
from functions.settings import Settings
from functions.settings.read import process_settings
from local.cli.options import data_option, json_option, print_json
from local.cli.progress import spinner
from local.cli.workspace import BAD_INPUT, own_workspace
from local.runtime.user_catalog import read_catalog

_DONE = {
    "new_table": "added",
    "new_column": "added",
    "table_vanished": "removed",
    "column_vanished": "removed",
}
_WAS_PRIVATE = ", which was private: mark it again if it comes back"


@click.command()
@click.option("--check", is_flag=True, help="Write nothing: name each difference.")
@data_option
@json_option
def tables(check: bool, data: Path | str | None, as_json: bool) -> None:
    """Bring tables.toml of the workspace up to date with the source of its user data.

    The source is what tminus.toml names below [source], or --data: a folder of CSV or Parquet files, here or in
    a bucket, a schema of PostgreSQL or a dataset of BigQuery. New columns get a type from the source or from their
    values, and e-mail addresses, phone numbers and tokens become private. What you have changed in the file stays.

    --check compares instead. Exit status: 0, or 2 if a table or column has vanished, has another type, or is new,
    or if a file cannot be read; each is one line.
    """
    folder = own_workspace()
    path = folder / TABLES_FILE
    file = read_toml(path) if path.exists() or check else None
    known = read_tables(file) if file else Tables([])
    catalog = look_at(source_settings(folder, data), known, quiet=as_json)
    found = differences(file, known, catalog) if file else ()
    text = "" if check or catalog.problems else tables_text(catalog, known, file)
    changed = bool(text) and (file is None or text != file.text)
    if changed:
        path.write_text(text, encoding="utf-8")
    if as_json:
        print_json(_document(path, catalog, found, changed=changed))
    else:
        _show(path, catalog, found, check=check, changed=changed)
    if catalog.problems or (check and found):
        sys.exit(BAD_INPUT)


def source_settings(folder: Path, data: Path | str | None) -> Settings:
    """Return the settings with the source that tminus.toml of a folder names, or --data; reads no other file."""
    said = read_identity(read_toml(folder / FILE)).settings(folder)
    settings = replace(process_settings(said), workspace=folder)
    return settings if data is None else settings.on_files(data)


def look_at(settings: Settings, known: Tables, *, quiet: bool) -> Catalog:
    """Return what the source holds, with progress on a terminal."""
    with spinner("looking at the user data", quiet=quiet) as update:
        return read_catalog(settings, known, lambda table: update(f"looking at {table}"))


def _show(path: Path, catalog: Catalog, found: Sequence[Difference], *, check: bool, changed: bool) -> None:
    for left_out in catalog.left_out:
        click.echo(f"left out: {left_out}", err=True)
    refused = check or catalog.problems
    for difference in found if refused else _remaining(path, catalog):
        click.echo(f"tminus: {difference.line}", err=True)
    if not found:
        for problem in catalog.problems:
            click.echo(f"tminus: {problem}", err=True)
    if refused and (found or catalog.problems):
        return
    for difference in found:
        if difference.kind in _DONE:
            name = ".".join(filter(None, (difference.table, difference.column)))
            was = _WAS_PRIVATE if difference.private else ""
            click.echo(f"{_DONE[difference.kind]} {name}{was}")
    for name, unsure in _unsure(catalog, found, new=not found and changed):
        click.echo(f"unsure about {name}: {unsure}")
    columns = sum(len(table.columns) for table in catalog.tables)
    state = "brought up to date" if changed else "is up to date"
    click.echo(f"{path}: {state}: {len(catalog.tables):,} tables with {columns:,} columns in {catalog.where}")


def _remaining(path: Path, catalog: Catalog) -> Sequence[Difference]:
    """Return the types that the file keeps although the source has others."""
    file = read_toml(path)
    return [each for each in differences(file, read_tables(file), catalog) if each.harms]


def _unsure(catalog: Catalog, found: Sequence[Difference], *, new: bool) -> Iterator[tuple[str, str]]:
    """Yield what a person should look at, of the columns that were added."""
    added = {(each.table, each.column) for each in found if not each.harms}
    for table in catalog.tables:
        for column in table.columns:
            if column.guess.unsure and (new or {(table.name, ""), (table.name, column.name)} & added):
                kept = f", so it is {column.type}" if column.guess.broken else ""
                yield f"{table.name}.{column.name}", f"{column.guess.unsure}{kept}"


def _document(path: Path, catalog: Catalog, found: Sequence[Difference], *, changed: bool) -> dict[str, object]:
    tables = {
        table.name: [
            {"name": column.name, "type": column.type, "private": column.guess.private, "unsure": column.guess.unsure}
            for column in table.columns
        ]
        for table in catalog.tables
    }
    problems = [
        {"kind": each.kind, "table": each.table, "column": each.column, "problem": each.line} for each in found
    ]
    return {
        "file": str(path),
        "source": catalog.where,
        "changed": changed,
        "tables": tables,
        "differences": problems,
        "leftOut": list(catalog.left_out),
        "problems": list(catalog.problems),
    }
