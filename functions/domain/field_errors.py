"""What pydantic finds wrong with a recipe document, in our words."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from functions.domain.documents import shown
from functions.domain.errors import FieldError

_FIELD_MARK = "\x00"


def at(name: str, reason: str) -> ValueError:
    """Return an error of a whole object that names one of its fields."""
    return ValueError(f"{name}{_FIELD_MARK}{reason}")


def field_errors(error: ValidationError) -> Sequence[FieldError]:
    """Turn pydantic's errors into ours: the field's path as in the document, and a plain reason."""
    details = error.errors(include_url=False)
    # pydantic counts valid entries only, so that one bad push makes a list of one "too short" as well
    return [_field_error(detail) for detail in details if not (detail["type"] == "too_short" and detail["input"])]


_REASONS = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "enum": "must be one of {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def _field_error(detail: Any) -> FieldError:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
    context = detail.get("ctx", {})
    if detail["type"] == "missing":
        return FieldError(path, "is missing")
    if detail["type"] == "too_short":
        return FieldError(path, "must hold at least one entry")
    if detail["type"] == "value_error":
        name, mark, reason = str(context["error"]).rpartition(_FIELD_MARK)
        if mark:
            return FieldError(f"{path}.{name}".lstrip("."), reason)
        return FieldError(path, f"{reason}, got {shown(detail['input'])}")
    reason = _REASONS.get(detail["type"], detail["msg"]).format(**context)
    return FieldError(path, f"{reason}, got {shown(detail['input'])}")
