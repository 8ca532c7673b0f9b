"""Which operators a column has, by its type, and how the values that they compare with are read.

A reader gives the value, or raises ValueError with what it has to be and the way out.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Literal

from audience_jobs import criteria_values as values
from audience_jobs.conditions.tree import ConditionType, Value
from audience_jobs.sql import UUID

Takes = Literal["nothing", "one", "two", "several", "days", "days ahead"]
MOST_VALUES = 1_000
MOST_DAYS = 36_500
_LONGEST_TEXT = 1_000
_LARGEST = 2**63
_LARGEST_NUMBER = 1e300
_UUID = re.compile(UUID)

_EMPTY: Mapping[str, Takes] = {"empty": "nothing", "not_empty": "nothing"}
_TEXT: Mapping[str, Takes] = {
    "is": "one",
    "is_not": "one",
    "one_of": "several",
    "none_of": "several",
    "starts_with": "one",
    "contains": "one",
    **_EMPTY,
}
_NUMBER: Mapping[str, Takes] = {"is": "one", "at_least": "one", "at_most": "one", "between": "two", **_EMPTY}
_TIME: Mapping[str, Takes] = {
    "within_days": "days",
    "not_within_days": "days",
    "before": "one",
    "after": "one",
    "between": "two",
    "anniversary_in_days": "days ahead",
    **_EMPTY,
}
OPERATORS: Mapping[ConditionType, Mapping[str, Takes]] = {
    "id": _TEXT,
    "text": _TEXT,
    "integer": _NUMBER,
    "number": _NUMBER,
    "boolean": {"is": "one", **_EMPTY},
    "timestamp": _TIME,
    "date": _TIME,
    "text[]": {"contains": "one", **_EMPTY},
}
"""What can be asked of a column of each type, and how many values that takes."""


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"must be a text that is not empty, got {values.shown(value)}; the empty text is op empty")
    if len(value) > _LONGEST_TEXT or "\0" in value or value != value.encode("utf-8", "replace").decode():
        raise ValueError(f"must be a Unicode text of at most {_LONGEST_TEXT:,} characters, got {values.shown(value)}")
    return value


def _id(value: object) -> str:
    written = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    return written.lower() if _UUID.fullmatch(written) else written


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -_LARGEST <= value < _LARGEST:
        raise ValueError(f"must be a whole number, got {values.shown(value)}")
    return value


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST_NUMBER:
        return float(value)
    raise ValueError(f"must be a number, got {values.shown(value)}")


def _date(value: object) -> date:
    try:
        if isinstance(value, str) and len(value) == len("YYYY-MM-DD"):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError(f"must be a date YYYY-MM-DD, got {values.shown(value)}")


def _days_ahead(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 365:
        raise ValueError(f"must be a whole number of days from 0 (today) to 365, got {values.shown(value)}")
    return value


_READERS: Mapping[ConditionType, Callable[[object], Value]] = {
    "id": _id,
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": values.yes_or_no,
    "timestamp": values.instant,
    "date": _date,
    "text[]": _text,
}


def read_values(type_: ConditionType, takes: Takes, written: object) -> tuple[Value, ...]:
    """Read what an operator compares a column of a type with; ValueError says what it has to be."""
    read = _READERS[type_]
    if takes == "nothing":
        return ()
    if takes == "days":
        return (values.days(written),)
    if takes == "days ahead":
        return (_days_ahead(written),)
    if takes == "one":
        return (read(written),)
    if not isinstance(written, list):
        raise ValueError(f"must be a list, got {values.shown(written)}")
    if takes == "several":
        if not 1 <= len(written) <= MOST_VALUES:
            raise ValueError(f"must be a list of 1 to {MOST_VALUES:,} values, has {len(written):,}")
        return tuple(dict.fromkeys(map(read, written)))
    if len(written) != 2:
        raise ValueError(f"must be a list of two values, the lowest and the highest, got {values.shown(written)}")
    first, last = (read(value) for value in written)
    if _lowest_last(first, last):
        raise ValueError(f"begins with {values.shown(written[0])}, above {values.shown(written[1])}: swap them")
    return first, last


def _lowest_last(first: Any, last: Any) -> bool:
    return bool(first > last)
