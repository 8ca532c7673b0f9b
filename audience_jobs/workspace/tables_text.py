"""Writes tables.toml: what the source holds, with what a person has written in the file before."""

import re
from collections.abc import Iterator, Mapping, Sequence

from audience_jobs.schema import DEVICES, SourceColumn, SourceTable, Tables
from audience_jobs.workspace.catalog import Catalog, FoundColumn, FoundTable
from audience_jobs.workspace.toml_file import Keys, TomlFile

_HEAD = """# The source tables of the workspace: columns, types, and what is private.
# `tminus tables` brings the file up to date and keeps what you change. docs/workspace.md says what it can hold.
"""
_REMARK = re.compile(r"""^[^#"]*("[^"]*"[^#"]*)*(?P<remark>#.*)$""")


def tables_text(catalog: Catalog, known: Tables, file: TomlFile | None) -> str:
    """Return the text of tables.toml for a source, tables in the order of their names and columns in the source's.

    Types, `private` and the comments of `file`, which holds `known`, are kept.
    """
    remarks = _Remarks(file)
    tables = (_table(found, known.get(found.name.lower()), remarks) for found in catalog.tables)
    return (remarks.head + "".join(tables)).lstrip("\n")


def _table(found: FoundTable, known: SourceTable | None, remarks: "_Remarks") -> str:
    name = known.name if known else found.name
    lines = ["", *remarks.above((name,))]
    if known.private if known else found.name.lower() == DEVICES:
        lines += [f"[{found.name}]", "private = true", ""]
    lines += [*remarks.above((name, "columns"), below=(name,)), f"[{found.name}.columns]"]
    for column in found.columns:
        was = known.columns.get(column.name.lower()) if known else None
        keys = (name, "columns", was.name if was else column.name)
        lines += [*remarks.above(keys), f"{keys[-1]} = {_written(column, was)}{remarks.beside(keys)}"]
    return "\n".join(lines) + "\n"


def _written(found: FoundColumn, known: SourceColumn | None) -> str:
    type_, private = (known.type, known.private) if known else (found.type, found.guess.private)
    return f'{{ type = "{type_}", private = true }}' if private else f'"{type_}"'


class _Remarks:
    """The comments of a file, by the keys that they stand above or beside."""

    def __init__(self, file: TomlFile | None) -> None:
        self._file = file
        self._lines: Sequence[str] = file.text.splitlines() if file else []
        self.head = "\n".join([*self._head(), ""]) if file else _HEAD

    def above(self, keys: Keys, *, below: Keys = ()) -> list[str]:
        """Return the comment lines right above a key; none where it stands in the line of `below`."""
        line = self._line(keys)
        return [] if line is None or (below and line == self._line(below)) else list(self._above(line))

    def beside(self, keys: Keys) -> str:
        """Return the comment behind a key's value, with a blank before it."""
        line = self._line(keys)
        found = None if line is None else _REMARK.match(self._lines[line])
        return f"  {found['remark']}" if found else ""

    def _head(self) -> Iterator[str]:
        """Yield the first comment of the file, if an empty line parts it from the first table."""
        first = next((place for place, line in enumerate(self._lines) if not line.startswith("#")), len(self._lines))
        if first < len(self._lines) and not self._lines[first].strip():
            yield from self._lines[:first]

    def _above(self, line: int) -> Iterator[str]:
        first = line
        while first and self._lines[first - 1].lstrip().startswith("#"):
            first -= 1
        yield from self._lines[first:line]

    def _line(self, keys: Keys) -> int | None:
        """Return the place of the line of a key; None where the file does not have the key."""
        if self._file is None or not keys or not _has(self._file.content, keys):
            return None
        return self._file.line(keys) - 1


def _has(content: Mapping[str, object], keys: Keys) -> bool:
    for key in keys:
        if not isinstance(content, dict) or key not in content:
            return False
        content = content[key]
    return True
