"""Differences between two documents, field by field, for people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from functions.domain.documents import shown
from functions.domain.recipe.moved import MOVED_FROM
from functions.domain.recipe.read import FIRST_SEND_AT

_TOLD_ELSEWHERE = ("updatedAt", "updatedBy", "createdAt", "isActive", FIRST_SEND_AT, MOVED_FROM)


@dataclass(frozen=True, kw_only=True)
class FieldChange:
    """A field with its value before and after; empty if it was missing."""

    field: str
    before: str
    after: str


def changes_between(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[FieldChange]:
    """Return the fields that differ, except those that Tminus maintains."""
    old, new = dict(_flat(before or {}, "")), dict(_flat(after or {}, ""))
    names = dict.fromkeys([*old, *new])
    return [
        FieldChange(field=name, before=old.get(name, ""), after=new.get(name, ""))
        for name in names
        if old.get(name) != new.get(name) and name not in _TOLD_ELSEWHERE
    ]


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and (value or not path):
        for name, item in value.items():
            yield from _flat(item, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list) and value and any(isinstance(item, (Mapping, list)) for item in value):
        for position, item in enumerate(value):
            yield from _flat(item, f"{path}[{position}]")
    else:
        yield path, value if isinstance(value, str) else shown(value)
