"""A recipe as a form, there and back: fields are named by their paths in the document.

What the form does not know stays in the document as it was, at any depth.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from functions.domain.errors import FieldError

Values = dict[str, str]
"""What stands in the form's fields, by their names."""

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PUSH = re.compile(r"pushSequence\[(\d+)\]")
_LARGEST_DIGITS = 18
QUERY = "audienceCriteria.query"
"""The field for everything that asks for an audience by query."""
QUERY_KEYS = ("filters", "dataPacks", "manualUserIds", "customQuery")


def _text(written: str) -> Any:
    return written.strip() or None


def _number(written: str) -> Any:
    text = written.strip()
    if re.fullmatch(r"-?\d+", text) and len(text) <= _LARGEST_DIGITS:
        return int(text)
    return _decimal(text) if re.fullmatch(r"-?\d*\.\d+", text) else text or None


def _decimal(text: str) -> float:
    return float(text)


def _lines(written: str) -> Any:
    return [word for word in re.split(r"[\s,]+", written) if word]


def _yes(written: str) -> Any:
    return written == "yes"


def _yes_or_nothing(written: str) -> Any:
    return True if written == "yes" else None


def _object(written: str) -> Any:
    return json.loads(written) if written.strip() else None


def _not_json(example: str) -> str:
    return f"is not valid JSON: put names and texts in double quotes, as in {example}"


_FIELDS: Mapping[str, Callable[[str], Any]] = {
    "name": _text,
    "description": _text,
    "status": _text,
    "schedule.timezone": _text,
    "schedule.frequency": _text,
    "schedule.executionTime": _text,
    "schedule.startDate": _text,
    "schedule.endDate": _text,
    "schedule.leadTimeMinutes": _number,
    "schedule.dayOfMonth": _number,
    "schedule.cronExpression": _text,
    "audienceCriteria.customScript.scriptId": _text,
    "audienceCriteria.customScript.parameters": _object,
    "audienceCriteria.testMode": _yes,
    "settings.testUserIds": _lines,
    "settings.cancellationWindowMinutes": _number,
    "settings.maxLatenessMinutes": _number,
    "settings.onUnknown": _text,
    "settings.safeguards.maxAudienceSize": _number,
    "settings.safeguards.requireTestFirst": _yes,
    "settings.safeguards.alertThresholds.audienceSize": _number,
    "settings.safeguards.alertThresholds.failureRate": _number,
}
_PUSH_FIELDS: Mapping[str, Callable[[str], Any]] = {
    "title": _text,
    "body": _text,
    "deepLink": _text,
    "layerId": _number,
    "audienceName": _text,
    "timing.delayAfterPrevious": _number,
    "timing.absoluteTime": _text,
    "literalText": _yes_or_nothing,
}
_NEEDED = ("title", "body")
"""Of a push: what is missing here is empty, so that the error says what to write."""
_WEEKDAYS = "schedule.daysOfWeek"
_DEFAULTS = {
    "status": "draft",
    "schedule.timezone": "UTC",
    "schedule.frequency": "daily",
    "settings.safeguards.requireTestFirst": "yes",
}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What somebody sent: the document that it makes, and what could not even be read."""

    document: dict[str, Any]
    errors: Sequence[FieldError]
    values: Values
    pushes: int


@dataclass
class _Reader:
    values: Values
    errors: list[FieldError] = field(default_factory=list)

    def put(self, document: dict[str, Any], path: str, name: str, read: Callable[[str], Any]) -> None:
        """Write the value of the field `name` at a path; an empty one takes what is there away."""
        try:
            value = read(self.values.get(name, ""))
        except (ValueError, RecursionError):
            self.errors.append(FieldError(name, _not_json('{"lookback_hours": 48}')))
            return
        *parents, last = path.split(".")
        place = document
        for parent in parents:
            if not isinstance(place.get(parent), dict):
                if value is None:
                    return
                place[parent] = {}
            place = place[parent]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value


def read_recipe(form: MultiDict[str, str], stored: Mapping[str, Any]) -> Sent:
    """Return the document that the form makes of a stored one."""
    values = {name: text.replace("\r\n", "\n") for name, text in form.items()}
    values[_WEEKDAYS] = ",".join(form.getlist(_WEEKDAYS))
    reader, document = _Reader(values), deepcopy(dict(stored))
    for path, read in _FIELDS.items():
        reader.put(document, path, path, read)
    schedule = document.setdefault("schedule", {})
    days = [int(day) for day in form.getlist(_WEEKDAYS) if day.isdecimal()]
    schedule["daysOfWeek"] = days
    if not days:
        del schedule["daysOfWeek"]
    _put_query(reader, document)
    reader.errors += _missing(document)
    pushes = _count(values)
    document["pushSequence"] = [_push(reader, position, stored) for position in range(pushes)]
    return Sent(document=document, errors=reader.errors, values=values, pushes=pushes)


def _missing(document: Mapping[str, Any]) -> list[FieldError]:
    """Return what a person has to choose, though a document may leave it out."""
    schedule, frequency = document["schedule"], document["schedule"].get("frequency")
    errors = [] if document.get("name") else [FieldError("name", "is missing: write a name")]
    if frequency == "weekly" and not schedule.get("daysOfWeek"):
        errors.append(FieldError(_WEEKDAYS, "is missing: choose at least one day of the week"))
    if frequency == "monthly" and schedule.get("dayOfMonth") is None:
        errors.append(FieldError("schedule.dayOfMonth", "is missing: write a day of the month, 1 to 31"))
    return errors


def _put_query(reader: _Reader, document: dict[str, Any]) -> None:
    criteria = document.setdefault("audienceCriteria", {})
    try:
        query = _object(reader.values.get(QUERY, "")) or {}
    except (ValueError, RecursionError):
        reader.errors.append(FieldError(QUERY, _not_json('{"filters": {"lastActiveDays": 30}}')))
        return
    if not isinstance(query, dict) or not set(query) <= set(QUERY_KEYS):
        reader.errors.append(FieldError(QUERY, f"must be an object of {', '.join(QUERY_KEYS)}"))
        return
    for key in QUERY_KEYS:
        criteria.pop(key, None)
    criteria.update(query)


def _push(reader: _Reader, position: int, stored: Mapping[str, Any]) -> dict[str, Any]:
    base = f"pushSequence[{position}]"
    before, origin = stored.get("pushSequence") or [], reader.values.get(f"{base}.from", "")
    known = origin.isdecimal() and int(origin) < len(before) and isinstance(before[int(origin)], dict)
    push: dict[str, Any] = deepcopy(before[int(origin)]) if known else {}
    for path, read in _PUSH_FIELDS.items():
        reader.put(push, path, f"{base}.{path}", read)
    for name in _NEEDED:
        push.setdefault(name, "")
    return {**push, "sequenceOrder": position + 1}


def values_of(document: Mapping[str, Any]) -> tuple[Values, int]:
    """Return what a document's form shows at first, and its number of pushes."""
    values = dict(_DEFAULTS)
    for path in _FIELDS:
        found = _find(document, path)
        if found is not None:
            values[path] = _shown(path, found)
    values[_WEEKDAYS] = ",".join(_weekdays(_find(document, _WEEKDAYS)))
    criteria = document.get("audienceCriteria") or {}
    query = {key: criteria[key] for key in QUERY_KEYS if criteria.get(key)}
    values[QUERY] = json.dumps(query, ensure_ascii=False, indent=2) if query else ""
    pushes = list(_in_order(document.get("pushSequence") or []))
    for position, (origin, push) in enumerate(pushes):
        values[f"pushSequence[{position}].from"] = str(origin)
        for path in _PUSH_FIELDS:
            found = _find(push, path)
            values[f"pushSequence[{position}].{path}"] = "" if found is None else _shown(path, found)
    return values, max(len(pushes), 1)


def without_push(values: Values, position: int) -> Values:
    """Return the fields without those of one push; those behind it move up."""
    kept = {name: text for name, text in values.items() if not _PUSH.match(name)}
    for name, text in values.items():
        found = _PUSH.match(name)
        if found and int(found[1]) != position:
            number = int(found[1]) - (int(found[1]) > position)
            kept[f"pushSequence[{number}]{name[found.end() :]}"] = text
    return kept


def errors_by_field(errors: Sequence[FieldError], names: Sequence[str]) -> dict[str, list[str]]:
    """Return the reasons by the field that they stand beside: the one of that name, or the nearest around it."""
    found: dict[str, list[str]] = {}
    for error in errors:
        found.setdefault(_nearest(error.field, names), []).append(error.reason)
    return found


def field_names(pushes: int) -> list[str]:
    """Return the names of all fields of a form with so many pushes."""
    own = [f"pushSequence[{position}].{path}" for position in range(pushes) for path in _PUSH_FIELDS]
    return ["id", *_FIELDS, _WEEKDAYS, QUERY, *own]


def _nearest(path: str, names: Sequence[str]) -> str:
    for key in QUERY_KEYS:
        if path.startswith(f"audienceCriteria.{key}"):
            return QUERY
    fitting = [name for name in names if path == name or re.match(re.escape(name) + r"[.\[]", path)]
    return max(fitting, key=len, default=path)


def _find(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _shown(path: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if path.endswith("testUserIds") and isinstance(value, list):
        return "\n".join(map(str, value))
    if path in ("schedule.startDate", "schedule.endDate"):
        return str(value)[:10]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _weekdays(written: Any) -> Iterator[str]:
    for day in written if isinstance(written, list) else []:
        if isinstance(day, int):
            yield str(day % 7)
        elif isinstance(day, str) and day[:3].lower() in _DAYS:
            yield str(_DAYS.index(day[:3].lower()))


def _in_order(pushes: Sequence[Any]) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the pushes with their places in the document, in the order in which they are sent."""
    numbered = [(place, push) for place, push in enumerate(pushes) if isinstance(push, Mapping)]

    def order(entry: tuple[int, Mapping[str, Any]]) -> int:
        written = entry[1].get("sequenceOrder")
        return written if isinstance(written, int) else entry[0] + 1

    return sorted(numbered, key=order)


def _count(values: Values) -> int:
    numbers = [int(found[1]) for name in values if (found := _PUSH.match(name)) and len(found[1]) < 4]
    return max(numbers, default=-1) + 1
