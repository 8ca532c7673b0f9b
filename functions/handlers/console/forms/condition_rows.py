"""Conditions on people as fields of a form, and back: rows on columns, events and segments, in groups.

The fields of a row begin with its name: `where` is the outermost group, `where.0` its first row. A condition that the
rows cannot show exactly is a row of JSON, so that a form that nobody changes means what the document meant.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.handlers.console.forms.widgets import Kind, read_json, read_text, show_json
from functions.usecases.recipes.criteria_parts import OPERATORS, Columns, Traits

Fields = dict[str, str]
WHERE = "where"
SEGMENT_NAME = "segment.name"
"""The field with the name under which the rows are saved as a segment."""
SAVE_SEGMENT = "save-segment"
"""The button that saves them."""
DEEPEST = 4
"""How many groups lie in each other at most; what is deeper is JSON."""
_YES_OR_NO = {"true": True, "false": False}
_NONE = "none"


@dataclass(frozen=True, kw_only=True)
class RowsRead:
    """The condition that rows mean, and the name of the row at each path of it, such as `where.all[0]`."""

    condition: Any
    rows: Mapping[str, str]


def blank_rows() -> Fields:
    """Return the fields of a group with one row without a column."""
    return {f"{WHERE}.match": "all", **new_row(f"{WHERE}.0")}


def new_row(name: str) -> Fields:
    """Return the fields of a row without a column."""
    return {f"{name}.column": "", f"{name}.op": "", f"{name}.value": ""}


def show_rows(condition: Any, traits: Traits) -> Fields:
    """Return the fields that show a condition."""
    shown = _Shown(traits)
    return shown.group(condition, WHERE, "", 0)


def read_rows(fields: Mapping[str, str], traits: Traits) -> RowsRead:
    """Return what rows mean; a value that cannot be read stays a text, which `read_condition` refuses."""
    reader = _Reader(fields, traits)
    condition = reader.group(WHERE, WHERE, "")
    if not children(fields, WHERE):
        condition = {"all": []}
    return RowsRead(condition=condition, rows=reader.rows)


def is_blank(fields: Mapping[str, str]) -> bool:
    """Return whether no row has a column, events or JSON yet."""
    last = ("column", "did", "json", "segment")
    return not any(text for name, text in fields.items() if name.rpartition(".")[2] in last)


def rows_of(values: Mapping[str, str]) -> Fields:
    """Return the fields of rows among all fields of a form."""
    return {name: text for name, text in values.items() if name.startswith(f"{WHERE}.")}


def uses_segment(fields: Mapping[str, str]) -> bool:
    """Return whether a row names a segment, or asks for one."""
    return any(name.endswith(".segment") for name in rows_of(fields))


def children(fields: Mapping[str, str], group: str) -> list[str]:
    """Return the names of the rows in a group, in order."""
    pattern = re.compile(re.escape(group) + r"\.(\d{1,3})\.")
    numbers = {int(found[1]) for name in fields if (found := pattern.match(name))}
    return [f"{group}.{number}" for number in sorted(numbers)]


def columns_for(traits: Traits, event: str) -> Columns:
    """Return the columns of people, or of a model of events."""
    return traits.events.get(event, {}) if event else traits.people


@dataclass
class _Reader:
    fields: Mapping[str, str]
    traits: Traits
    rows: dict[str, str] = field(default_factory=dict)

    def group(self, name: str, path: str, event: str) -> Any:
        match, rows = self.fields.get(f"{name}.match", "all"), children(self.fields, name)
        self.rows[path] = name
        if match == _NONE and len(rows) == 1:
            return {"not": self.row(rows[0], f"{path}.not", event)}
        key = "all" if match not in ("any", _NONE) else "any"
        inner = f"{path}.not.{key}" if match == _NONE else f"{path}.{key}"
        self.rows[inner] = name
        found = {key: [self.row(row, f"{inner}[{at}]", event) for at, row in enumerate(rows)]}
        return {"not": found} if match == _NONE else found

    def row(self, name: str, path: str, event: str) -> Any:
        self.rows[path] = name
        if f"{name}.match" in self.fields:
            return self.group(name, path, event)
        if f"{name}.json" in self.fields:
            return _json(self.fields[f"{name}.json"])
        if f"{name}.segment" in self.fields:
            self.rows[f"{path}.not"] = name
            member = {"segment": self._text(f"{name}.segment")}
            return {"not": member} if self._text(f"{name}.is") == "not_in" else member
        return self._happened(name, path) if f"{name}.did" in self.fields else self._compared(name, event)

    def _happened(self, name: str, path: str) -> Any:
        kind = "did_not" if self._text(f"{name}.did") == "did_not" else "did"
        model = self._text(f"{name}.model")
        found: dict[str, Any] = {kind: model}
        bounds = {key: self._whole(f"{name}.{key}") for key in ("at_least", "at_most")} if kind == "did" else {}
        if times := {key: value for key, value in bounds.items() if value is not None}:
            found["times"] = times
        if (days := self._whole(f"{name}.within_days")) is not None:
            found["within_days"] = days
        inner = children(self.fields, f"{name}.where")
        if len(inner) == 1 and self.fields.get(f"{name}.where.match") != _NONE:
            found["where"] = self.row(inner[0], f"{path}.where", model)
        elif inner:
            found["where"] = self.group(f"{name}.where", f"{path}.where", model)
        return found

    def _compared(self, name: str, event: str) -> Any:
        column, op = self._text(f"{name}.column"), self._text(f"{name}.op")
        type_ = columns_for(self.traits, event).get(column)
        operators = OPERATORS.get(type_, {}) if type_ else {}
        op = op if op in operators else next(iter(operators), op)
        value = self._value(name, type_ or "text", operators.get(op, "one"))
        return {"column": column, "op": op, **({} if value is None else {"value": value})}

    def _value(self, name: str, type_: str, takes: str) -> Any:
        text = self._text(f"{name}.value")
        if takes == "nothing":
            return None
        if takes in ("days", "days ahead"):
            return read_text(Kind.NUMBER, text)
        if takes == "several":
            return [_one(type_, line) for line in text.split("\n") if line.strip()] or None
        if takes == "two":
            pair = [_one(type_, text), _one(type_, self._text(f"{name}.to"))]
            return pair if any(value is not None for value in pair) else None
        return _one(type_, text)

    def _whole(self, name: str) -> Any:
        return read_text(Kind.NUMBER, self._text(name))

    def _text(self, name: str) -> str:
        return self.fields.get(name, "")


def _one(type_: str, text: str) -> Any:
    if type_ in ("integer", "number"):
        return read_text(Kind.NUMBER, text)
    if type_ == "boolean":
        return _YES_OR_NO.get(text, text or None)
    return text.strip() or None


def _json(text: str) -> Any:
    try:
        return read_json(text)
    except (ValueError, RecursionError):
        return text


@dataclass(frozen=True)
class _Shown:
    traits: Traits

    def group(self, condition: Any, name: str, event: str, depth: int) -> Fields:
        """Show a condition as a group; one that is no group is its only row."""
        match, inside = _taken_apart(condition) or ("all", [condition])
        found = {f"{name}.match": match}
        for at, each in enumerate(inside):
            found |= self._row(each, f"{name}.{at}", event, depth)
        return found

    def _row(self, condition: Any, name: str, event: str, depth: int) -> Fields:
        if not event and (member := _member(condition, name)):
            return member
        group = _taken_apart(condition)
        if group and depth < DEEPEST - 1:
            return self.group(condition, name, event, depth + 1)
        shown = {} if group else self._leaf(condition, name, event, depth)
        return shown or {f"{name}.json": show_json(condition)}

    def _leaf(self, condition: Any, name: str, event: str, depth: int) -> Fields:
        """Return the fields of a condition that is no group; empty if they would not mean exactly the same."""
        if not isinstance(condition, Mapping):
            return {}
        happened = not event and ("did" in condition or "did_not" in condition)
        fields = _happened(condition, name) if happened else _compared(condition, name)
        plain = {key: value for key, value in condition.items() if key != "where"} if happened else condition
        readable = all(_fits_in_line(line) for text in fields.values() for line in text.split("\n"))
        reader = _Reader(fields, self.traits)
        if not readable or show_json(_sorted(reader.row(name, WHERE, event))) != show_json(_sorted(plain)):
            return {}
        if "where" in condition and happened:
            model = fields[f"{name}.model"]
            return fields | self.group(condition["where"], f"{name}.where", model, depth + 1)
        return fields


def _taken_apart(condition: Any) -> tuple[str, list[Any]] | None:
    """Return how a group matches, and what is in it; None for what is no group."""
    if not isinstance(condition, Mapping) or len(condition) != 1:
        return None
    [(key, inside)] = condition.items()
    if key == "not":
        inner = _taken_apart(inside)
        return (_NONE, inner[1]) if inner and inner[0] == "any" else (_NONE, [inside])
    if key in ("all", "any") and isinstance(inside, list) and (inside or key == "all"):
        return key, inside
    return None


def _member(condition: Any, name: str) -> Fields:
    """Return the fields of a condition on a segment; empty for another one. The segment has the conditions."""
    is_negated = isinstance(condition, Mapping) and set(condition) == {"not"}
    inner = condition["not"] if is_negated else condition
    if not isinstance(inner, Mapping) or not {"segment"} <= set(inner) <= {"segment", "where"}:
        return {}
    segment = inner["segment"]
    if not isinstance(segment, str) or not _fits_in_line(segment):
        return {}
    return {f"{name}.is": "not_in" if is_negated else "in", f"{name}.segment": segment}


def _compared(condition: Mapping[str, Any], name: str) -> Fields:
    value = condition.get("value")
    first, to = value, None
    if condition.get("op") == "between" and isinstance(value, list) and len(value) == 2:
        first, to = value
    texts = "\n".join(map(_shown, first)) if isinstance(first, list) else _shown(first)
    found = {f"{name}.column": _shown(condition.get("column")), f"{name}.op": _shown(condition.get("op"))}
    return {**found, f"{name}.value": texts, **({f"{name}.to": _shown(to)} if to is not None else {})}


def _happened(condition: Mapping[str, Any], name: str) -> Fields:
    kind = "did" if "did" in condition else "did_not"
    times = condition.get("times")
    bounds = times if isinstance(times, Mapping) else {}
    return {
        f"{name}.did": kind,
        f"{name}.model": _shown(condition[kind]),
        f"{name}.at_least": _shown(bounds.get("at_least")),
        f"{name}.at_most": _shown(bounds.get("at_most")),
        f"{name}.within_days": _shown(condition.get("within_days")),
    }


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _fits_in_line(text: str) -> bool:
    return text.isprintable()


def _sorted(value: Any) -> Any:
    """Return a condition with its keys in order, to compare two."""
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value, key=str)}
    return value


def reshaped_rows(values: Mapping[str, str], action: str) -> dict[str, str]:
    """Return the values of a form after a button of the rows was pressed; as they are, if none was."""
    rows = rows_of(values)
    return {**{name: text for name, text in values.items() if name not in rows}, **changed_rows(rows, action)}


def changed_rows(fields: Fields, action: str) -> Fields:
    """Return the fields after a button was pressed.

    An action is `add-column`, `add-event`, `add-segment`, `add-group` or `remove`, a colon and the name of a group or
    a row. What is added takes the place of an empty row, except for another such row. Fields that are no rows stay.
    """
    kind, _, name = action.partition(":")
    if kind == "remove":
        return _without(fields, name)
    if kind in ("add-event", "add-segment", "add-group"):
        fields = _without_empty_row(fields, name)
    rows = children(fields, name)
    added = f"{name}.{int(rows[-1].rpartition('.')[2]) + 1 if rows else 0}"
    fresh = {
        "add-column": new_row(added),
        "add-event": {f"{added}.did": "did", f"{added}.model": "", f"{added}.at_least": "1"},
        "add-segment": {f"{added}.is": "in", f"{added}.segment": ""},
        "add-group": {f"{added}.match": "any", **new_row(f"{added}.0")},
    }.get(kind, {})
    return {f"{name}.match": "all", **fields, **fresh} if fresh else fields


def one_segment(segment: str) -> Fields:
    """Return the fields of rows for the people in a segment."""
    return {f"{WHERE}.match": "all", f"{WHERE}.0.is": "in", f"{WHERE}.0.segment": segment}


def place_to_go(fields: Mapping[str, str], action: str) -> str:
    """Return the field to go to after a button was pressed: the first of a new row, or the button of its group."""
    kind, _, name = action.partition(":")
    if kind == SAVE_SEGMENT:
        return SEGMENT_NAME if SEGMENT_NAME in fields else f"{WHERE}.0.segment"
    if not name:
        return ""
    rows = children(fields, name) if kind.startswith("add-") else []
    if not rows:
        return f"{name.rpartition('.')[0] if kind == 'remove' else name}.add"
    names = (f"{rows[-1]}.{each}" for each in ("column", "model", "segment", "0.column"))
    return next((each for each in names if each in fields), "")


def _without_empty_row(fields: Fields, group: str) -> Fields:
    """Return the fields without the last row of a group that says nothing yet; all of them if every row does."""
    empty = [row for row in children(fields, group) if _says_nothing(fields, row)]
    return _without(fields, empty[-1]) if empty else fields


def _says_nothing(fields: Fields, row: str) -> bool:
    is_other_kind = any(f"{row}.{each}" in fields for each in ("match", "json", "segment", "did"))
    return not is_other_kind and not fields.get(f"{row}.column") and not fields.get(f"{row}.value")


def _without(fields: Fields, name: str) -> Fields:
    group, _, number = name.rpartition(".")
    return dict(_moved(fields, group, int(number))) if number.isdecimal() else fields


def _moved(fields: Fields, group: str, gone: int) -> Iterator[tuple[str, str]]:
    pattern = re.compile(re.escape(group) + r"\.(\d{1,3})\.")
    for name, text in fields.items():
        found = pattern.match(name)
        if not found or int(found[1]) < gone:
            yield name, text
        elif int(found[1]) > gone:
            yield f"{group}.{int(found[1]) - 1}.{name[found.end() :]}", text
