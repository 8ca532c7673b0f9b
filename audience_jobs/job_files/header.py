"""Reads what an SQL file declares in the TOML comment above its SELECT; job.schema.json says the same to editors."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard, TypeVar, get_args

from audience_jobs.contract import LAYERS, Check, Freshness, Parameter, Value
from audience_jobs.errors import BadWorkspace
from audience_jobs.workspace.toml_file import Keys, Problem, TomlFile, shown, suggestion

_KEYS = ("title", "layer", "parameters", "audiences", "columns", "checks", "freshness")
_PARAMETER = ("type", "default", "minimum", "maximum", "meaning")
_BOUNDS = ("minimum", "maximum")
_AUDIENCE = ("meaning", "columns")
_CHECK = ("failing_sql", "meaning")
_FRESHNESS = ("table", "column", "hours")
_LAYER = 3
_Type = Literal["integer", "boolean", "text"]
_TYPES: tuple[str, ...] = get_args(_Type)
_PARAMETER_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_AUDIENCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_WAYS = {str: "write a text in quotes", int: "write a whole number", dict: "write a table", list: "write a list"}
_T = TypeVar("_T", str, int, dict[str, Any], list[Any])


@dataclass(frozen=True, kw_only=True)
class DeclaredAudience:
    """An audience; without `columns` it has all that the SELECT yields."""

    name: str
    meaning: str
    columns: Sequence[str] | None


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a job declares beside its SELECT. `columns` are the meanings of columns."""

    title: str
    layer: int
    parameters: tuple[Parameter, ...]
    audiences: tuple[DeclaredAudience, ...]
    columns: Mapping[str, str]
    checks: tuple[Check, ...]
    freshness: Freshness | None


def read_header(file: TomlFile, job_id: str) -> Header:
    """Read a declaration; the id gives what it leaves out. Raises BadWorkspace with all that is wrong in it."""
    reading = _Reading(file)
    header = reading.header(job_id)
    if reading.problems:
        raise BadWorkspace(map(str, sorted(reading.problems)))
    return header


class _Reading:
    """Reads key by key, and notes in `problems` what is wrong; that is then read as empty."""

    def __init__(self, file: TomlFile) -> None:
        self._file = file
        self.problems = [*_unknown_keys(file, (), file.content, _KEYS)]

    def header(self, job_id: str) -> Header:
        """Read all of it."""
        top = self._file.content
        layer = self._read(top, ("layer",), int, _LAYER)
        if layer not in LAYERS:
            self._note(("layer",), f"is {layer}: layers go from {LAYERS[0]} to {LAYERS[-1]}")
        return Header(
            title=self._text(top, ("title",), job_id.replace("_", " ").capitalize()),
            layer=layer,
            parameters=tuple(self._parameters()),
            audiences=tuple(self._audiences(job_id)),
            columns=dict(self._columns()),
            checks=tuple(self._checks()),
            freshness=self._freshness(),
        )

    def _parameters(self) -> Iterator[Parameter]:
        for keys, table in self._tables("parameters", _PARAMETER):
            name, type_ = keys[-1], self._read(table, (*keys, "type"), str)
            meaning = self._text(table, (*keys, "meaning"))
            if not _PARAMETER_NAME.fullmatch(name):
                self._note(keys, "is not a name: write lower case letters, digits and _, a letter first")
            elif name == "now":
                self._note(keys, "is the time, which every job may read: give it another name")
            elif not _is_type(type_):
                if type_:
                    self._note((*keys, "type"), f"unknown type {shown(type_)}{suggestion(type_, _TYPES)}")
            else:
                bounds = {key: self._read(table, (*keys, key), int) for key in _BOUNDS if key in table}
                declared = {"name": name, "type": type_, "meaning": meaning, **bounds}
                yield from self._parameter(keys, table.get("default"), declared)

    def _parameter(self, keys: Keys, default: object, declared: dict[str, Any]) -> Iterator[Parameter]:
        parameter = Parameter(**declared)
        if default is None:
            yield parameter
        elif isinstance(default, Value) and parameter.accepts(default):
            yield Parameter(**declared, default=default)
        else:
            what = default if isinstance(default, int) and not isinstance(default, bool) else shown(default)
            self._note((*keys, "default"), f"is {what}: write {parameter.expected}")

    def _audiences(self, job_id: str) -> Iterator[DeclaredAudience]:
        for keys, table in self._tables("audiences", _AUDIENCE):
            if not _AUDIENCE_NAME.fullmatch(keys[-1]):
                self._note(keys, "is not a name: write letters, digits, - and _, a letter or digit first")
            columns = self._read(table, (*keys, "columns"), list) if "columns" in table else None
            if not all(isinstance(name, str) for name in columns or ()):
                self._note((*keys, "columns"), "has other things than names of columns: write each in quotes")
                columns = None
            meaning = self._text(table, (*keys, "meaning"), f"users that {job_id} finds")
            yield DeclaredAudience(name=keys[-1], meaning=meaning, columns=columns)

    def _columns(self) -> Iterator[tuple[str, str]]:
        table = self._read(self._file.content, ("columns",), dict, {})
        for name in table:
            yield name, self._text(table, ("columns", name))

    def _checks(self) -> Iterator[Check]:
        for keys, table in self._tables("checks", _CHECK):
            sql = self._read(table, (*keys, "failing_sql"), str)
            yield Check(name=keys[-1], failing_sql=sql, meaning=self._text(table, (*keys, "meaning")))

    def _freshness(self) -> Freshness | None:
        table = self._read(self._file.content, ("freshness",), dict, {})
        if not isinstance(self._file.content.get("freshness"), dict):
            return None
        self.problems += _unknown_keys(self._file, ("freshness",), table, _FRESHNESS)
        # SQL ignores capitals in names.
        name, column = (self._read(table, ("freshness", key), str).lower() for key in ("table", "column"))
        hours = self._read(table, ("freshness", "hours"), int)
        if hours < 1 and table.get("hours") is hours:
            self._note(("freshness", "hours"), "has to be 1 or more")
        return Freshness(table=name, column=column, hours=hours)

    def _tables(self, what: str, known: Sequence[str]) -> Iterator[tuple[Keys, Mapping[str, Any]]]:
        """Yield the tables below a key, each with its keys."""
        named = self._read(self._file.content, (what,), dict, {})
        for name in named:
            keys = (what, name)
            table = self._read(named, keys, dict, {})
            if table is named[name]:
                self.problems += _unknown_keys(self._file, keys, table, known)
                yield keys, table

    def _text(self, table: Mapping[str, Any], keys: Keys, missing: str | None = None) -> str:
        """Read a text for people, as one line."""
        text = " ".join(self._read(table, keys, str, missing).split())
        if not text and isinstance(table.get(keys[-1]), str):
            self._note(keys, "is empty: say what it is, or leave it out")
        return text

    def _read(self, table: Mapping[str, Any], keys: Keys, kind: type[_T], missing: _T | None = None) -> _T:
        """Return what a table has below the last key, or else `missing`; None means that it has to be there."""
        value = table.get(keys[-1])
        if value is None:
            if missing is None:
                self._note(keys[:-1], f"lacks {keys[-1]}: {_WAYS[kind]}")
        elif isinstance(value, kind) and not isinstance(value, bool):
            return value
        else:
            self._note(keys, f"is {shown(value)}: {_WAYS[kind]}")
        return kind() if missing is None else missing

    def _note(self, keys: Keys, reason: str) -> None:
        self.problems.append(self._file.problem(keys, reason))


def _unknown_keys(file: TomlFile, above: Keys, table: Mapping[str, Any], known: Sequence[str]) -> Iterator[Problem]:
    for key in table:
        if key not in known:
            yield file.problem((*above, key), f"unknown key{suggestion(key, known)}")


def _is_type(value: str) -> TypeGuard[_Type]:
    return value in _TYPES
