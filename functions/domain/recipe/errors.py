"""Pydantic's errors in a recipe document, in Tminus's words."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from functions.domain.documents import shown
from functions.domain.errors import FieldCode, FieldError


class FieldFault(ValueError):
    """An error of a whole object that names one of its fields."""

    def __init__(self, name: str, reason: str, code: FieldCode) -> None:
        self.name, self.reason, self.code = name, reason, code
        super().__init__(f"{name}: {reason}")


def at(name: str, reason: str, code: FieldCode = FieldCode.INVALID) -> ValueError:
    """Return an error of a whole object that names one of its fields."""
    return FieldFault(name, reason, code)


def field_errors(error: ValidationError) -> Sequence[FieldError]:
    """Convert pydantic's errors: each has the path of the field in the document, and a plain reason."""
    details = error.errors(include_url=False)
    # pydantic counts valid entries only, so that one bad push makes a list of one "too short" as well
    return [_field_error(detail) for detail in details if not (detail["type"] == "too_short" and detail["input"])]


_REASONS: Mapping[str, tuple[str, FieldCode]] = {
    "int_type": ("must be a whole number", FieldCode.WRONG_TYPE),
    "int_from_float": ("must be a whole number", FieldCode.WRONG_TYPE),
    "float_type": ("must be a number", FieldCode.WRONG_TYPE),
    "bool_type": ("must be true or false", FieldCode.WRONG_TYPE),
    "string_type": ("must be text", FieldCode.WRONG_TYPE),
    "tuple_type": ("must be a list", FieldCode.WRONG_TYPE),
    "dict_type": ("must be an object", FieldCode.WRONG_TYPE),
    "model_type": ("must be an object", FieldCode.WRONG_TYPE),
    "model_attributes_type": ("must be an object", FieldCode.WRONG_TYPE),
    "enum": ("must be one of {expected}", FieldCode.NOT_ONE_OF),
    "greater_than_equal": ("must be at least {ge}", FieldCode.OUT_OF_RANGE),
    "less_than_equal": ("must be at most {le}", FieldCode.OUT_OF_RANGE),
}


def _field_error(detail: Any) -> FieldError:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
    context = detail.get("ctx", {})
    if detail["type"] == "missing":
        return FieldError(path, "is missing", FieldCode.MISSING)
    if detail["type"] == "too_short":
        return FieldError(path, "must hold at least one entry", FieldCode.MISSING)
    if detail["type"] == "value_error":
        fault = context["error"]
        if isinstance(fault, FieldFault):
            return FieldError(f"{path}.{fault.name}".lstrip("."), fault.reason, fault.code)
        return FieldError(path, f"{fault}, got {shown(detail['input'])}")
    reason, code = _REASONS.get(detail["type"], (detail["msg"], FieldCode.INVALID))
    return FieldError(path, f"{reason.format(**context)}, got {shown(detail['input'])}", code)
