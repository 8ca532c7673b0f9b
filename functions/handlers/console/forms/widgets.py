"""Widgets of forms: convert a value of a document to text, and back."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from functions.domain.json_objects import RepeatedKey, parse_json
from functions.domain.recipe.field_types import Widget
from functions.domain.recipe.fields import RecipeField

_LARGEST_DIGITS = 18
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)T00:00(:00(\.0+)?)?(Z|\+00:00)?")
"""A date that an old form wrote as an instant."""
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class Kind(StrEnum):
    """The kinds of widgets."""

    TEXT = "text"
    AREA = "area"
    ZONE = "zone"
    CHOICE = "choice"
    NUMBER = "number"
    CHECK = "check"
    LINES = "lines"
    JSON = "json"
    PAIRS = "pairs"
    WEEKDAYS = "weekdays"


class Unreadable(ValueError):
    """A text that a widget cannot read; the message says how to write it."""


class _Way(NamedTuple):
    """There and back.

    `read` returns None for an empty value. It raises Unreadable, or an error of the JSON parser.
    """

    read: Callable[[str], Any]
    show: Callable[[Any], str]


ROWS: Mapping[Kind, int] = {Kind.AREA: 2, Kind.LINES: 2, Kind.JSON: 4, Kind.PAIRS: 3}
"""The rows of widgets with several lines. Others have one line."""
HINTS: Mapping[Kind, str] = {
    Kind.LINES: "One per line, or separated by commas or spaces.",
    Kind.PAIRS: "One key=value per line.",
}
"""How to write a value, by kind."""


def kind_of(field: RecipeField) -> Kind:
    """Return the kind of a field's widget: the one that the field names, else the one for its type."""
    if field.widget is not None:
        return _NAMED[field.widget]
    if field.schema.get("additionalProperties") == {"type": "string"}:
        return Kind.PAIRS
    return Kind.CHOICE if "enum" in field.schema else _BY_TYPE[field.schema["type"]]


def read_text(kind: Kind, text: str) -> Any:
    """Return the value for a widget's text; ValueError if the text is invalid."""
    return _WAYS[kind].read(text)


def show_value(kind: Kind, value: Any) -> str:
    """Return a value as a widget's text. Reading the text returns the value, unless its type is wrong."""
    return "" if value is None else _WAYS[kind].show(value)


def show_json(value: Any) -> str:
    """Return a value as readable JSON."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def read_json(text: str) -> Any:
    """Return the value of a JSON text, with whole numbers as integers; None for an empty text.

    Unreadable names a key that an object has twice.
    """
    try:
        return parse_json(text) if text.strip() else None
    except RepeatedKey as error:
        raise Unreadable(f"cannot be used: {error}") from None


def day_only(text: str) -> str:
    """Return the date of an instant at midnight UTC; any other text unchanged."""
    midnight = _MIDNIGHT.fullmatch(text)
    return midnight[1] if midnight else text


_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(?:[\s,'\u2019]\d{3})+")
"""A number such as 1 200 or 1,200. A point begins the fraction."""


def _read_number(written: str) -> Any:
    text = written.strip()
    if _THOUSANDS.fullmatch(text):
        text = re.sub(r"[^-\d]", "", text)
    if re.fullmatch(r"-?\d+", text) and len(text) <= _LARGEST_DIGITS:
        return int(text)
    return float(text) if re.fullmatch(r"-?\d*\.\d+", text) else text or None


def _show_text(value: Any) -> str:
    return value if isinstance(value, str) else show_json(value)


def _show_lines(value: Any) -> str:
    if not isinstance(value, list):
        return _show_text(value)
    return "\n".join(_show_text(each) for each in value if each is not None)


def _read_pairs(text: str) -> Any:
    """Read lines of key=value, or JSON for values that lines cannot express."""
    if text.lstrip().startswith("{"):
        try:
            return read_json(text)
        except Unreadable:
            raise
        except (ValueError, RecursionError):
            raise Unreadable("is not valid JSON; write one key=value per line instead") from None
    pairs: dict[str, str] = {}
    for line in filter(str.strip, text.split("\n")):
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or key in pairs:
            reason = "repeats a key" if equals else "has no ="
            raise Unreadable(f"the line {line.strip()!r} {reason}: write one key=value per line")
        pairs[key] = value
    return pairs or None


def _show_pairs(value: Any) -> str:
    if not isinstance(value, dict) or not value:
        return show_json(value) if value != {} else ""
    lines = "\n".join(f"{key}={each}" for key, each in value.items())
    try:
        return lines if _read_pairs(lines) == value else show_json(value)
    except Unreadable:
        return show_json(value)


def _show_check(value: Any) -> str:
    return "yes" if value is True else ""


def _read_weekdays(text: str) -> Any:
    return [int(day) for day in text.split(",") if day.isdecimal()] or None


def _show_weekdays(value: Any) -> str:
    return ",".join(_weekdays(value))


def _weekdays(written: Any) -> Iterator[str]:
    for day in written if isinstance(written, list) else []:
        if isinstance(day, (int, float)) and not isinstance(day, bool) and day in range(len(_DAYS) + 1):
            yield str(int(day) % len(_DAYS))
        elif isinstance(day, str) and day[:3].lower() in _DAYS:
            yield str(_DAYS.index(day[:3].lower()))


_TEXT = _Way(lambda text: text.strip() or None, _show_text)
_WAYS: Mapping[Kind, _Way] = {
    Kind.TEXT: _TEXT,
    Kind.AREA: _TEXT,
    Kind.ZONE: _TEXT,
    Kind.CHOICE: _TEXT,
    Kind.NUMBER: _Way(_read_number, _show_text),
    Kind.CHECK: _Way(lambda text: text == "yes", _show_check),
    Kind.LINES: _Way(lambda text: [word for word in re.split(r"[\s,]+", text) if word] or None, _show_lines),
    Kind.JSON: _Way(read_json, show_json),
    Kind.PAIRS: _Way(_read_pairs, _show_pairs),
    Kind.WEEKDAYS: _Way(_read_weekdays, _show_weekdays),
}
_NAMED: Mapping[Widget, Kind] = {
    Widget.AREA: Kind.AREA,
    Widget.DAY: Kind.TEXT,
    Widget.ZONE: Kind.ZONE,
    Widget.WEEKDAYS: Kind.WEEKDAYS,
    Widget.LAYER: Kind.NUMBER,
    Widget.TOPIC: Kind.TEXT,
    Widget.JOB: Kind.CHOICE,
    Widget.OBJECTS: Kind.JSON,
}
_BY_TYPE: Mapping[str, Kind] = {
    "string": Kind.TEXT,
    "integer": Kind.NUMBER,
    "number": Kind.NUMBER,
    "boolean": Kind.CHECK,
    "array": Kind.LINES,
    "object": Kind.JSON,
}
