"""Reads tables.toml: the source tables of a workspace, their columns with types, and what of them is private."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard, get_args

from audience_jobs.errors import BadWorkspace
from audience_jobs.schema import DEVICES, ColumnType, SourceColumn, SourceTable, Tables
from audience_jobs.workspace.toml_file import Keys, Problem, TomlFile, shown, suggestion

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_TYPES: tuple[str, ...] = get_args(ColumnType)
_TABLE_KEYS, _COLUMN_KEYS = ("private", "columns"), ("type", "private")
_OURS = re.compile(r"tminus_.*|job_rows", re.IGNORECASE)
"""The names that Tminus gives to parts of its own queries."""


def read_tables(file: TomlFile) -> Tables:
    """Return the tables of a file. Raises BadWorkspace with everything that is wrong in it."""
    reading = _Reading(file)
    tables = [reading.table(name, value) for name, value in file.content.items()]
    reading.check_twins(file.content)
    if not tables:
        reading.problems.append(Problem(file.path, 1, "names no table: write one, as in [users.columns]"))
    if reading.problems:
        raise BadWorkspace(map(str, sorted(reading.problems)))
    return Tables(tables)


def is_name(name: str) -> bool:
    """Whether a table or column can have a name."""
    return _NAME.fullmatch(name) is not None


def is_ours(name: str) -> bool:
    """Whether a name is one that Tminus gives to parts of its own queries."""
    return _OURS.fullmatch(name) is not None


class _Reading:
    """Reads tables one by one and notes in `problems` what is wrong; a table or column at fault is read as empty."""

    def __init__(self, file: TomlFile) -> None:
        self._file = file
        self.problems: list[Problem] = []

    def table(self, name: str, value: object) -> SourceTable:
        """Read one table."""
        keys = (name,)
        self._check_name(keys, name)
        if is_ours(name):
            self._note(keys, "is a name that Tminus uses itself: rename the table, or read it through a view")
        if not isinstance(value, dict):
            self._note(keys, f"is {shown(value)}: write its columns below [{name}.columns]")
            return SourceTable(name=name, columns={})
        self._check_keys(keys, value, _TABLE_KEYS, f"columns stand below [{name}.columns]")
        private = self._yes_or_no((name, "private"), value.get("private", name.lower() == DEVICES))
        if name.lower() == DEVICES and value.get("private") is False:
            self._note((name, "private"), "cannot be false: device tokens are private")
        return SourceTable(name=name, columns=self._columns(name, value.get("columns")), private=private)

    def check_twins(self, names: Iterable[str], above: Keys = ()) -> None:
        """Note names that differ in capitals only."""
        seen: dict[str, str] = {}
        for name in names:
            if (other := seen.setdefault(name.lower(), name)) != name:
                reason = f'differs from "{other}" in capitals only, which SQL ignores: leave one out'
                self._note((*above, name), reason)

    def _columns(self, table: str, value: object) -> Mapping[str, SourceColumn]:
        above = (table, "columns")
        if not isinstance(value, dict) or not value:
            self._note(above, f"has no columns: write them below [{table}.columns]", label=table)
            return {}
        self.check_twins(value, above)
        columns = (self._column((*above, name), written) for name, written in value.items())
        return {column.name.lower(): column for column in columns if column}

    def _column(self, keys: Keys, value: object) -> SourceColumn | None:
        self._check_name(keys, keys[-1])
        written: dict[str, Any] = {"type": value} if isinstance(value, str) else value  # type: ignore[assignment]
        if not isinstance(value, (str, dict)):
            self._note(keys, f'is {shown(value)}: write its type, as in "text"')
            return None
        self._check_keys(keys, written, _COLUMN_KEYS)
        private = self._yes_or_no((*keys, "private"), written.get("private", False))
        type_ = written.get("type")
        if not _is_type(type_):
            self._note(keys, _unknown_type(type_))
            return None
        return SourceColumn(name=keys[-1], type=type_, private=private)

    def _check_name(self, keys: Keys, name: str) -> None:
        if not is_name(name):
            self._note(keys, "is not a name: a name has up to 63 letters, digits and _, no digit first")

    def _check_keys(self, keys: Keys, value: Mapping[str, object], known: tuple[str, ...], way: str = "") -> None:
        for key in value:
            if key not in known:
                hint = suggestion(key, known)
                reason = f"unknown key {shown(key)}{hint}"
                self._note(
                    (*keys, key), f"{reason}; {way}" if way and "?" not in hint else reason, label=_label(keys)
                )

    def _yes_or_no(self, keys: Keys, value: object) -> bool:
        if not isinstance(value, bool):
            self._note(keys, f"is {shown(value)}: write true or false")
        return value is True

    def _note(self, keys: Keys, reason: str, *, label: str = "") -> None:
        self.problems.append(self._file.problem(keys, reason, label=label or _label(keys)))


def _label(keys: Keys) -> str:
    """Return what people call a place: `users.email` for the column, without the word `columns` in between."""
    column = keys[:1] + keys[2:] if keys[1:2] == ("columns",) else keys
    return ".".join(name if name.isprintable() else "?" for name in column)


def _is_type(value: object) -> TypeGuard[ColumnType]:
    return value in _TYPES


def _unknown_type(value: object) -> str:
    if value is None:
        return f"has no type: write one of {', '.join(_TYPES)}"
    return f"unknown type {shown(value)}{suggestion(value if isinstance(value, str) else '', _TYPES)}"
