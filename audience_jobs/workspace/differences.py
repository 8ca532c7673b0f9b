"""How tables.toml differs from what the source holds."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from audience_jobs.schema import SourceTable, Tables
from audience_jobs.workspace.catalog import Catalog, FoundColumn, FoundTable
from audience_jobs.workspace.toml_file import Problem, TomlFile

Kind = Literal["table_vanished", "column_vanished", "type_changed", "new_table", "new_column", "unreadable"]
_UP_TO_DATE = "run tminus tables"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One difference: what it is about, and the line that says so with the way out.

    What is new in the source harms nothing; what has vanished from it, or changed there, does. `private` says so of
    what has vanished.
    """

    kind: Kind
    table: str = ""
    column: str = ""
    line: str
    private: bool = False

    @property
    def harms(self) -> bool:
        """Whether what reads the tables can fail."""
        return self.kind not in ("new_table", "new_column")


def differences(file: TomlFile, tables: Tables, catalog: Catalog) -> Sequence[Difference]:
    """Return how a file, which holds `tables`, differs from the source, in the order of the file; then new tables."""
    return list(_differences(file, tables, catalog))


def _differences(file: TomlFile, tables: Tables, catalog: Catalog) -> Iterator[Difference]:
    yield from (Difference(kind="unreadable", line=problem) for problem in catalog.problems)
    found = {table.name: table for table in catalog.tables}
    for table in tables.values():
        there = found.pop(table.name, None)
        if there is not None:
            yield from _of_table(file, table, there, catalog)
        elif not _cannot_be_read(table, catalog):
            reason = f"is not in {catalog.where} any more: put it back, or take it out of the file"
            line = str(file.problem([table.name], reason))
            private = table.private or bool(table.private_columns)
            yield Difference(kind="table_vanished", table=table.name, line=line, private=private)
    for name in found:
        line = str(Problem(file.path, 1, f"{name}: is a new table of {catalog.where}: {_UP_TO_DATE} to add it"))
        yield Difference(kind="new_table", table=name, line=line)


def _cannot_be_read(table: SourceTable, catalog: Catalog) -> bool:
    """Whether a table is missing because its files are at fault, which is said already."""
    begins = re.compile(rf".*/{re.escape(table.name)}\.(?i:csv|parquet): ")
    return any(begins.match(each) for each in catalog.problems)


def _of_table(file: TomlFile, table: SourceTable, there: FoundTable, catalog: Catalog) -> Iterator[Difference]:
    found = {_key(column.name, catalog): column for column in there.columns}
    for column in table.columns.values():
        keys, label = (table.name, "columns", column.name), f"{table.name}.{column.name}"
        match = found.pop(_key(column.name, catalog), None)
        if match is None:
            reason = f"is not in {catalog.where} any more: put it back, or take it out of the file"
            line = str(file.problem(keys, reason, label=label))
            private = table.private or column.private
            yield Difference(kind="column_vanished", table=table.name, column=column.name, line=line, private=private)
        elif match.misfit:
            line = str(file.problem(keys, _changed(column.type, match), label=label))
            yield Difference(kind="type_changed", table=table.name, column=column.name, line=line)
    for column_found in found.values():
        reason = f"is a new column of {catalog.where}: {_UP_TO_DATE} to add it"
        line = str(file.problem((table.name, "columns"), reason, label=f"{table.name}.{column_found.name}"))
        yield Difference(kind="new_column", table=table.name, column=column_found.name, line=line)


def _key(name: str, catalog: Catalog) -> str:
    return name.lower() if catalog.ignores_capitals else name


def _changed(type_: str, found: FoundColumn) -> str:
    return f'is {type_} here, but the source {found.misfit}: write "{found.type}", or correct the source'
