"""Convert a recipe to a form and back. Fields are named by their paths in the document.

Values that the form does not show stay in the document unchanged, at any depth.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from functions.domain.errors import BadRecipe, FieldError
from functions.domain.recipe.field_types import Widget
from functions.domain.recipe.read import Document
from functions.domain.recipe.status import read_status
from functions.handlers.console.forms.form_fields import (
    NEEDED,
    QUERY,
    QUERY_FIELD,
    FormField,
    QueryField,
    push_fields,
    recipe_fields,
)
from functions.handlers.console.forms.push_origins import find_origin, origin_of
from functions.handlers.console.forms.push_rows import read_rows, row_names, rows_of
from functions.handlers.console.forms.widgets import Kind, Unreadable, day_only, read_json, show_json, show_value

Values = dict[str, str]
"""The values of the form's fields, by name."""

_PUSH = re.compile(r"pushSequence\[(\d+)\]")
_EMPTY: tuple[Any, ...] = (None, {}, [], "")
"""Values of criteria that the form does not show."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A submitted form: the document that it makes, and the values that could not be read."""

    document: Document
    errors: Sequence[FieldError]
    values: Values
    pushes: int


@dataclass
class _Reader:
    values: Values
    errors: list[FieldError] = dataclasses.field(default_factory=list)

    def put(self, document: Document, field: FormField, name: str) -> None:
        """Write the value of the field `name` at the field's path. An empty value removes the field.

        A null that a person wrote stays, as it switches off a default of the workspace. So does false for a box.
        A box shows a null as its initial value.
        """
        try:
            rows = read_rows(field.path, self.values, name)
            value = field.read(self.values.get(name, "")) if rows is None else rows
        except (ValueError, RecursionError) as error:
            self.errors.append(FieldError(name, _unread(error, field)))
            return
        *parents, last = field.path.split(".")
        place = document
        for parent in parents:
            if value is None and place.get(parent) is None:
                return
            if not isinstance(place.get(parent), dict):
                place.pop(parent, None)  # a value broken by hand: the form replaces it
                if value is None:
                    return
                place[parent] = {}
            place = place[parent]
        box, written = field.kind is Kind.CHECK, place.get(last)
        if box and last in place and written is None and self.values.get(name, "") == field.initial:
            return
        if value is not None:
            place[last] = value
        elif written is not None and not (box and written is False):
            del place[last]


def typed_values(form: MultiDict[str, str]) -> Values:
    """Return the values of a submitted form. A browser sends line ends of Windows."""
    return {name: text.replace("\r\n", "\n") for name, text in form.items()}


def read_recipe(form: MultiDict[str, str], stored: Mapping[str, Any], query: QueryField = QUERY_FIELD) -> Sent:
    """Return the document made from a stored one and the form, which has the field `query` for criteria."""
    values = typed_values(form)
    values |= {path: ",".join(form.getlist(path)) for path, field in _fields() if field.kind is Kind.WEEKDAYS}
    reader, document = _Reader(values), deepcopy(dict(stored))
    for path, field in _fields():
        reader.put(document, field, path)
    _put_query(reader, document, query)
    reader.errors += _missing(document)
    pushes = _count(values)
    document["pushSequence"] = [_push(reader, position, stored) for position in range(pushes)]
    return Sent(document=document, errors=reader.errors, values=values, pushes=pushes)


def _fields() -> list[tuple[str, FormField]]:
    """Return the fields of a recipe without its id, which does not change. The page of a new recipe reads the id."""
    return [(path, field) for path, field in recipe_fields().items() if path != "id"]


def _unread(error: Exception, field: FormField) -> str:
    """Say why a text of the form cannot be read, and how to write it."""
    if isinstance(error, Unreadable):
        return str(error)
    return f"This isn't valid JSON. Example: {field.example or '{}'}"


def _missing(document: Mapping[str, Any]) -> list[FieldError]:
    """Return the errors of fields that the form requires, although a document can omit them."""
    schedule = document.get("schedule") or {}
    frequency = schedule.get("frequency")
    errors = [FieldError(name, f"is missing: write a {name}") for name in NEEDED if not document.get(name)]
    if frequency == "weekly" and not schedule.get("daysOfWeek"):
        errors.append(FieldError("schedule.daysOfWeek", "is missing: choose at least one day of the week"))
    if frequency == "monthly" and schedule.get("dayOfMonth") is None:
        errors.append(FieldError("schedule.dayOfMonth", "is missing: write a day of the month, 1 to 31"))
    return errors


def _put_query(reader: _Reader, document: Document, field: QueryField) -> None:
    criteria = document.setdefault("audienceCriteria", {})
    try:
        query = read_json(reader.values.get(QUERY, "")) or {}
    except (ValueError, RecursionError) as error:
        reader.errors.append(FieldError(QUERY, _unread(error, field)))
        return
    if not isinstance(query, dict) or not set(query) <= set(field.keys):
        known = "where, with, filters, dataPacks, manualUserIds, customQuery"
        reader.errors.append(FieldError(QUERY, f"must be an object of {known}"))
        return
    for key in field.keys:
        if criteria.get(key) not in _EMPTY:
            del criteria[key]
    criteria.update(query)


def _push(reader: _Reader, position: int, stored: Mapping[str, Any]) -> Document:
    base = f"pushSequence[{position}]"
    push = find_origin(reader.values.get(f"{base}.from", ""), stored.get("pushSequence"), tuple(push_fields()))
    for path, field in push_fields().items():
        reader.put(push, field, f"{base}.{path}")
        if field.required and not field.options:
            push.setdefault(path, "")  # the error says what to write
    return {**push, "sequenceOrder": position + 1}


def values_of(document: Mapping[str, Any], query: QueryField = QUERY_FIELD) -> tuple[Values, int]:
    """Return the initial values of a document's form, and its number of pushes. A broken document may lack some."""
    values = {path: _shown(field, _find(document, path)) for path, field in _fields()}
    values["status"] = _status(document)
    written = {key: _find(document, f"audienceCriteria.{key}") for key in query.keys}
    filled = {key: found for key, found in written.items() if found not in _EMPTY}
    values[QUERY] = show_json(filled) if filled else ""
    pushes = _in_order(document.get("pushSequence"))
    for position, (_, push) in enumerate(pushes):
        base = f"pushSequence[{position}]"
        values[f"{base}.from"] = origin_of(push, tuple(push_fields()))
        for path, field in push_fields().items():
            value, name = _find(push, path), f"{base}.{path}"
            rows = rows_of(path, value, name)
            values |= {name: _shown(field, value)} if rows is None else rows
    return values, max(len(pushes), 1)


def default_values(defaults: Mapping[str, Any]) -> Values:
    """Return what a push has in each field that the form leaves empty, by path in the push; from the workspace."""
    found = {path: show_value(field.kind, _find(defaults, path)) for path, field in push_fields().items()}
    return {path: text for path, text in found.items() if text}


def as_shown(errors: Sequence[FieldError], document: Mapping[str, Any]) -> list[FieldError]:
    """Return the errors of a stored document by the positions of its pushes in the form.

    An entry of `pushSequence` that is not an object has no position: saving the form removes it.
    """
    places = {place: position for position, (place, _) in enumerate(_in_order(document.get("pushSequence")))}

    def moved(error: FieldError) -> FieldError:
        found = _PUSH.match(error.field)
        if not found:
            return error
        place, rest = int(found[1]), error.field[found.end() :]
        if place in places:
            return FieldError(f"pushSequence[{places[place]}]{rest}", error.reason)
        return FieldError("pushSequence", f"entry {place + 1} {error.reason}; saving removes it")

    return [moved(error) for error in errors]


def errors_by_field(errors: Sequence[FieldError], names: Sequence[str], query: QueryField) -> dict[str, list[str]]:
    """Return the reasons by the field to show them at: the field itself, or the nearest one around it."""
    found: dict[str, list[str]] = {}
    for error in errors:
        found.setdefault(_nearest(error.field, names, query), []).append(error.reason)
    return found


def field_names(pushes: int, values: Values) -> list[str]:
    """Return the names of all fields of a form with `pushes` pushes and these values."""
    bases = [f"pushSequence[{position}]" for position in range(pushes)]
    own = [f"{base}.{path}" for base in bases for path in push_fields()]
    rows = [name for base in bases for name in row_names(values, base)]
    return [*recipe_fields(), QUERY, *own, *rows]


def _nearest(path: str, names: Sequence[str], query: QueryField) -> str:
    for key in query.keys:
        if path.startswith(f"audienceCriteria.{key}"):
            return QUERY
    fitting = [name for name in names if path == name or re.match(re.escape(name) + r"[.\[]", path)]
    return max(fitting, key=len, default=path)


def _find(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _status(document: Mapping[str, Any]) -> str:
    """Return the effective status, which `isActive` may change. A status that cannot be read stays as written."""
    try:
        return read_status(document)[0].value
    except BadRecipe:
        written = document.get("status")
        return written if isinstance(written, str) else show_json(written)


def _shown(field: FormField, value: Any) -> str:
    """Return the text of a field; the initial value for a missing value, and for a box without a boolean."""
    if value is None or (field.kind is Kind.CHECK and not isinstance(value, bool)):
        return field.initial
    text = show_value(field.kind, value)
    return day_only(text) if field.widget is Widget.DAY else text


def _in_order(pushes: Any) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the pushes with their positions in the document, in the order of sending."""
    listed = pushes if isinstance(pushes, list) else []
    numbered = [(place, push) for place, push in enumerate(listed) if isinstance(push, Mapping)]

    def order(entry: tuple[int, Mapping[str, Any]]) -> int:
        written = entry[1].get("sequenceOrder")
        return written if isinstance(written, int) else entry[0] + 1

    return sorted(numbered, key=order)


def _count(values: Values) -> int:
    numbers = [int(found[1]) for name in values if (found := _PUSH.match(name)) and len(found[1]) < 4]
    return max(numbers, default=-1) + 1
