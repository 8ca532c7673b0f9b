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

from functions.domain.errors import BadRecipe, FieldError
from functions.domain.recipe.status import read_status
from functions.domain.whole_numbers import json_number
from functions.handlers.console.forms.push_origins import find_origin, origin_of

Values = dict[str, str]
"""What stands in the form's fields, by their names."""

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PUSH = re.compile(r"pushSequence\[(\d+)\]")
_LARGEST_DIGITS = 18
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)T00:00(:00(\.0+)?)?(Z|\+00:00)?")
"""A date that an old form wrote out as an instant."""
QUERY = "audienceCriteria.query"
"""The field for everything that asks for an audience by query."""
QUERY_KEYS = ("filters", "dataPacks", "manualUserIds", "customQuery")
_OLD_QUERY_KEYS = ("trustedTraderStatus", "trustedTraderCandidate", "activityDays", "tradingDays", "minTrades")
"""What old recipes ask by; the field shows and takes them, too."""
_ALL_QUERY_KEYS = (*QUERY_KEYS, *_OLD_QUERY_KEYS)


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


def _lines_if_any(written: str) -> Any:
    return _lines(written) or None


def _yes(written: str) -> Any:
    return written == "yes"


def _yes_or_nothing(written: str) -> Any:
    return True if written == "yes" else None


def _object(written: str) -> Any:
    return json.loads(written, parse_float=json_number) if written.strip() else None


def _not_json(example: str) -> str:
    return f"is not valid JSON: put names and texts in double quotes, as in {example}"


_FIELDS: Mapping[str, Callable[[str], Any]] = {
    "name": _text,
    "description": _text,
    "type": _text,
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
    "settings.alertChannels": _lines_if_any,
    "settings.safeguards.emergencyContacts": _lines_if_any,
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
_EMPTY: tuple[Any, ...] = (None, {}, [], "")
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
        """Write the value of the field `name` at a path; an empty value removes what is there."""
        try:
            value = read(self.values.get(name, ""))
        except (ValueError, RecursionError):
            self.errors.append(FieldError(name, _not_json('{"lookback_hours": 48}')))
            return
        *parents, last = path.split(".")
        place = document
        for parent in parents:
            if not isinstance(place.get(parent), dict):
                place.pop(parent, None)  # it was broken by hand: the form's own takes its place
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
    reader.put(document, _WEEKDAYS, _WEEKDAYS, _days)
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


def _days(written: str) -> Any:
    return [int(day) for day in written.split(",") if day.isdecimal()] or None


def _put_query(reader: _Reader, document: dict[str, Any]) -> None:
    criteria = document.setdefault("audienceCriteria", {})
    try:
        query = _object(reader.values.get(QUERY, "")) or {}
    except (ValueError, RecursionError):
        reader.errors.append(FieldError(QUERY, _not_json('{"filters": {"lastActiveDays": 30}}')))
        return
    if not isinstance(query, dict) or not set(query) <= set(_ALL_QUERY_KEYS):
        reader.errors.append(FieldError(QUERY, f"must be an object of {', '.join(QUERY_KEYS)}"))
        return
    for key in _ALL_QUERY_KEYS:
        criteria.pop(key, None)
    criteria.update(query)


def _push(reader: _Reader, position: int, stored: Mapping[str, Any]) -> dict[str, Any]:
    base = f"pushSequence[{position}]"
    push = find_origin(reader.values.get(f"{base}.from", ""), stored.get("pushSequence"))
    for path, read in _PUSH_FIELDS.items():
        reader.put(push, path, f"{base}.{path}", read)
    for name in _NEEDED:
        push.setdefault(name, "")
    return {**push, "sequenceOrder": position + 1}


def values_of(document: Mapping[str, Any]) -> tuple[Values, int]:
    """Return what a document's form shows at first, and its number of pushes; a broken document shows what it can."""
    values = dict(_DEFAULTS)
    for path, read in _FIELDS.items():
        found = _find(document, path)
        if found is not None:
            values[path] = _shown(path, read, found)
    values["status"] = _status(document)
    values[_WEEKDAYS] = ",".join(_weekdays(_find(document, _WEEKDAYS)))
    written = {key: _find(document, f"audienceCriteria.{key}") for key in _ALL_QUERY_KEYS}
    query = {key: found for key, found in written.items() if found not in _EMPTY}
    values[QUERY] = _json(query) if query else ""
    pushes = _in_order(document.get("pushSequence"))
    for position, (_, push) in enumerate(pushes):
        base = f"pushSequence[{position}]"
        values[f"{base}.from"] = origin_of(push, tuple(_PUSH_FIELDS))
        for path, read in _PUSH_FIELDS.items():
            found = _find(push, path)
            values[f"{base}.{path}"] = "" if found is None else _shown(path, read, found)
    return values, max(len(pushes), 1)


def as_shown(errors: Sequence[FieldError], document: Mapping[str, Any]) -> list[FieldError]:
    """Return the errors of a stored document by the places that its pushes have in the form.

    An entry of `pushSequence` that is not an object has no place there: saving the form removes it.
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
    for key in _ALL_QUERY_KEYS:
        if path.startswith(f"audienceCriteria.{key}"):
            return QUERY
    fitting = [name for name in names if path == name or re.match(re.escape(name) + r"[.\[]", path)]
    return max(fitting, key=len, default=path)


def _find(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _status(document: Mapping[str, Any]) -> str:
    """Return the status that counts, as `isActive` may say another; one that cannot be read stays as written."""
    try:
        return read_status(document)[0].value
    except BadRecipe:
        written = document.get("status")
        return written if isinstance(written, str) else _json(written)


def _shown(path: str, read: Callable[[str], Any], value: Any) -> str:
    """Return the text of a field: what `read` makes of it again is the value, unless that has a wrong type."""
    if read in (_yes, _yes_or_nothing):
        return ("yes" if value else "") if isinstance(value, bool) else _DEFAULTS.get(path, "")
    if read is _object:
        return _json(value)
    if read in (_lines, _lines_if_any) and isinstance(value, list):
        return "\n".join(each if isinstance(each, str) else _json(each) for each in value if each is not None)
    if isinstance(value, str):
        midnight = _MIDNIGHT.fullmatch(value) if path in ("schedule.startDate", "schedule.endDate") else None
        return midnight[1] if midnight else value
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def _weekdays(written: Any) -> Iterator[str]:
    for day in written if isinstance(written, list) else []:
        if isinstance(day, (int, float)) and not isinstance(day, bool) and day in range(len(_DAYS) + 1):
            yield str(int(day) % len(_DAYS))
        elif isinstance(day, str) and day[:3].lower() in _DAYS:
            yield str(_DAYS.index(day[:3].lower()))


def _in_order(pushes: Any) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the pushes with their places in the document, in the order in which they are sent."""
    listed = pushes if isinstance(pushes, list) else []
    numbered = [(place, push) for place, push in enumerate(listed) if isinstance(push, Mapping)]

    def order(entry: tuple[int, Mapping[str, Any]]) -> int:
        written = entry[1].get("sequenceOrder")
        return written if isinstance(written, int) else entry[0] + 1

    return sorted(numbered, key=order)


def _count(values: Values) -> int:
    numbers = [int(found[1]) for name in values if (found := _PUSH.match(name)) and len(found[1]) < 4]
    return max(numbers, default=-1) + 1
