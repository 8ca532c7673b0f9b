"""Edits of the cadence rules: what people can change, and within which bounds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from functions.domain.cadence.rules import CadenceRule
from functions.domain.documents import shown
from functions.domain.errors import BadFields, FieldError

SUBJECT = "cadence.rules"
"""The subject of rule changes in the audit log. The id of a recipe cannot contain a dot."""
MOST_HOURS = 30 * 24
"""A limit because a shard reads one document per partition for each day that a rule looks back."""
MOST_COUNT = 100
_RULES_BEFORE_WORKSPACES = ("layer_3_cooldown", "layer_5_cooldown", "combined_l2_l3_limit")
_FIXED = ("name", "layers")
_BOUNDS = {"hours": MOST_HOURS, "count": MOST_COUNT}


def rule_document(rule: CadenceRule) -> dict[str, Any]:
    """Return a rule as people read and edit it: name, layers, hours, count, active."""
    return {
        "name": rule.name,
        "layers": sorted(rule.layers),
        "hours": rule.hours,
        "count": rule.count,
        "active": rule.active,
    }


def rules_document(rules: Sequence[CadenceRule]) -> dict[str, Any]:
    """Return rules as the audit log keeps them."""
    return {"rules": [rule_document(rule) for rule in rules]}


def edited(rules: Sequence[CadenceRule], written: object) -> tuple[CadenceRule, ...]:
    """Return the rules in force with the changes that a person wrote. Everything else stays.

    `written` is a list of objects with the name of a rule, and new `hours`, `count` or `active`. BadFields names
    every field at fault.
    """
    if not isinstance(written, list) or not written:
        reason = f"must be a list of rules, such as {_example(rules)}, got {shown(written)}"
        raise BadFields([FieldError("rules", reason)])
    in_force = {rule.name: rule for rule in rules}
    errors: list[FieldError] = []
    changed: dict[str, CadenceRule] = {}
    for position, entry in enumerate(written):
        path = f"rules[{position}]"
        found = _entry_errors(path, entry, in_force, changed)
        errors += found
        if not found:
            news = {name: entry[name] for name in (*_BOUNDS, "active") if entry.get(name) is not None}
            changed[entry["name"]] = replace(in_force[entry["name"]], **news)
    if errors:
        raise BadFields(errors)
    return tuple((in_force | changed).values())


def _entry_errors(
    path: str, entry: object, in_force: Mapping[str, CadenceRule], seen: Mapping[str, CadenceRule]
) -> list[FieldError]:
    if not isinstance(entry, Mapping):
        return [FieldError(path, f"must be an object such as {_example(in_force)}, got {shown(entry)}")]
    name = entry.get("name")
    if not isinstance(name, str) or name not in in_force:
        known = f"must be one of {', '.join(in_force)}" if in_force else "is no rule: tminus.toml names none"
        return [FieldError(f"{path}.name", f"{known}, got {shown(name)}")]
    if name in seen:
        return [FieldError(f"{path}.name", f"{name} is there twice")]
    errors = [
        FieldError(
            f"{path}.{key}", f"is not a field of a rule that can change; those are {', '.join(_BOUNDS)}, active"
        )
        for key in entry
        if key not in (*_FIXED, *_BOUNDS, "active")
    ]
    for key, most in _BOUNDS.items():
        value = entry.get(key)
        if value is not None and not (type(value) is int and 1 <= value <= most):
            errors.append(FieldError(f"{path}.{key}", f"must be a whole number from 1 to {most}, got {shown(value)}"))
    if not isinstance(entry.get("active"), bool | None):
        errors.append(FieldError(f"{path}.active", f"must be true or false, got {shown(entry['active'])}"))
    layers = sorted(in_force[name].layers)
    if entry.get("layers") not in (None, layers):
        errors.append(FieldError(f"{path}.layers", f"cannot be changed: {name} acts on {shown(layers)}"))
    return errors


def to_save(declared: Sequence[CadenceRule], rules: Iterable[CadenceRule]) -> tuple[CadenceRule, ...]:
    """Return which of the rules in force to store: those that differ from what the workspace declares.

    So a later change of the workspace holds for all others. Rules that were there before workspaces are always
    stored, because an older release takes the stored rules for all there are.
    """
    return tuple(rule for rule in rules if rule not in declared or rule.name in _RULES_BEFORE_WORKSPACES)


def _example(rules: Iterable[CadenceRule | str]) -> str:
    first = next(iter(rules), "weekly")
    return f'{{"name": "{first if isinstance(first, str) else first.name}", "hours": 48}}'
