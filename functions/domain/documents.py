"""JSON documents: what a store can keep, and how values are shown to people."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from functions.domain.errors import FieldError

E = TypeVar("E", bound=Enum)

FORMAT = "_format"
"""The field of a stored document with the number of its format; without it, a document has format 1."""


@dataclass(frozen=True)
class Described:
    """Names the schema of the OpenAPI document that describes a field: `Annotated[str, Described("Phase")]`.

    Use it for fields of reports whose type is wider than their schema, because a newer release may have written them.
    """

    schema: str

    def __get_pydantic_json_schema__(self, *_: object) -> dict[str, str]:
        """Return the name, for the schema that `openapi` builds with pydantic."""
        return {"x-component": self.schema}


def shown(value: object) -> str:
    """Return a value as JSON, shortened, for an error message."""
    text = _readable(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= 60 else f"{text[:57]}..."


_DEEPEST = 18
"""Firestore allows 20 levels of fields, and the snapshot in an execution is one level deeper than the recipe."""
_LARGEST_BYTES = 500_000
"""Firestore limits a document to 1 MiB, and an execution contains the snapshot and other fields."""


def storage_errors(document: object) -> list[FieldError]:
    """Return what no store can keep: broken text, integers beyond 64 bits, too many levels, too large a document."""
    errors = []
    open_values: list[tuple[str, object, int]] = [("", document, 0)]
    while open_values:
        path, value, depth = open_values.pop()
        entries: list[tuple[str, object]] = []
        if isinstance(value, Mapping):
            errors += [
                FieldError(path or "recipe", f"{reason} in a key") for key in value if (reason := _broken(key))
            ]
            entries = [(f"{path}.{_readable(key)}".lstrip("."), item) for key, item in value.items()]
        elif isinstance(value, list):
            entries = [(f"{path}[{position}]", item) for position, item in enumerate(value)]
        elif reason := _broken(value):
            errors.append(FieldError(path or "recipe", reason))
        if depth < _DEEPEST:
            open_values += [(name, item, depth + 1) for name, item in entries]
        elif entries:
            errors.append(FieldError(path, f"is nested deeper than {_DEEPEST} levels"))
    if not errors and (size := len(json.dumps(document, default=str))) > _LARGEST_BYTES:
        errors.append(FieldError("recipe", f"is {size:,} bytes long; at most {_LARGEST_BYTES:,} can be stored"))
    return errors


def _broken(value: object) -> str:
    if isinstance(value, str) and _readable(value) != value:
        return f"must be Unicode text, got {shown(value)}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"must be a finite number, got {value}"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "must be a number of at most 64 bits"
    return ""


def _readable(text: object) -> str:
    """Escape lone surrogates, which cannot be encoded."""
    return str(text).encode("utf-8", "backslashreplace").decode()


def fingerprint(document: object) -> str:
    """Return a hash of a document, 32 characters, independent of the order of its keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def without_nulls(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document without nulls, at any depth: Tminus treats a null as a missing field."""
    return {key: _without_nulls(value) for key, value in document.items() if value is not None}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return without_nulls(value)
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def known(members: type[E], value: object, otherwise: E) -> E:
    """Return the enumeration member for a stored value; `otherwise` for a value that only another release knows."""
    try:
        return members(value)
    except ValueError:
        return otherwise


def without_nan(value: Any) -> Any:
    """Return a value with null for numbers that JSON lacks, such as NaN, which Firestore's console accepts."""
    if isinstance(value, Mapping):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
