"""What is wrong with a field of a document, as people and programs read it."""

from collections.abc import Iterable
from dataclasses import dataclass

from functions.domain.errors import FieldCode, FieldError


@dataclass(frozen=True, kw_only=True)
class FieldAtFault:
    """What is wrong with a field of a document: `code` for programs, `reason` for people."""

    field: str
    code: FieldCode
    reason: str


def fields_at_fault(errors: Iterable[FieldError]) -> list[FieldAtFault]:
    """Return each field that cannot be used."""
    return [FieldAtFault(field=error.field, code=error.code, reason=error.reason) for error in errors]
