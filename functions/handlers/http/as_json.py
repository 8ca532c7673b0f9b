"""Reports as JSON: what use cases return, with the keys that clients know."""

import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any

from functions.domain.instants import stamp


def as_json(value: Any) -> Any:
    """Return a report, a document, or a list of them, as JSON values.

    The fields of a dataclass become keys in camelCase, in their order. A field whose default is None is left out
    while it is None. Instants become ISO 8601 in UTC, enumerations their values. The keys of a document stay as they
    are. A document edited by hand in Firestore may contain values that JSON lacks: NaN becomes null, bytes become
    Base64.

    >>> as_json(Progress(reached=3, audience_size=4, percent=75.0))
    {'reached': 3, 'audienceSize': 4, 'percent': 75.0}
    """
    if is_dataclass(value):
        return _object(value)
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [as_json(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _object(report: Any) -> dict[str, object]:
    found = ((key, optional, getattr(report, name)) for name, key, optional in _keys(report.__class__))
    return {key: as_json(value) for key, optional, value in found if value is not None or not optional}


@cache
def _keys(kind: Any) -> Sequence[tuple[str, str, bool]]:
    """Return the name of each field, its key, and whether the key is left out while the value is None."""
    return [(field.name, camel(field.name), _is_optional(field)) for field in fields(kind)]


def _is_optional(field: Field[Any]) -> bool:
    return field.default is not MISSING and field.default is None


def camel(name: str) -> str:
    """Return the key of a field: audience_size is audienceSize."""
    first, *others = name.split("_")
    return "".join([first, *(word.capitalize() for word in others)])
