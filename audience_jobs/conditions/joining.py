"""Reads `audienceCriteria.with`: models with one row for each user, whose columns an audience gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audience_jobs import criteria_values as values
from audience_jobs.conditions.traits import columns_of
from audience_jobs.contract import Column
from audience_jobs.errors import BadCriteria, choices

if TYPE_CHECKING:
    from audience_jobs.workspace.models import Models

_MOST = 20
_KEYS = {"model", "optional"}
_NOT_ABOUT_USERS = ("people", "devices", "opt_outs")


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A model that is joined to people, and its columns. Users without a row stay only if it is `optional`."""

    model: str
    optional: bool = False
    columns: tuple[Column, ...]


def joinable(models: "Models") -> list[str]:
    """Return the names of models that can be joined: their rows say of which user they are."""
    return [name for name, model in models.items() if model.has_users and name not in _NOT_ABOUT_USERS]


def read_joined(written: object, models: "Models") -> tuple[Joined, ...]:
    """Read the list of models; BadCriteria names the place and the reason of everything that is wrong."""
    if not isinstance(written, list) or len(written) > _MOST:
        raise BadCriteria([("with", f"must be a list of at most {_MOST} models, got {values.shown(written)}")])
    errors: list[tuple[str, str]] = []
    found: dict[str, Joined] = {}
    for at, entry in enumerate(written):
        try:
            joined = _joined(entry, models)
            if found.setdefault(joined.model, joined) is not joined:
                raise ValueError(f"names the model {joined.model} again: leave it out")
        except ValueError as error:
            errors.append((f"with[{at}]", str(error)))
    if errors:
        raise BadCriteria(errors)
    return tuple(found.values())


def _joined(entry: object, models: "Models") -> Joined:
    written: Mapping[str, Any] = {"model": entry} if isinstance(entry, str) else entry  # type: ignore[assignment]
    if not isinstance(written, Mapping) or "model" not in written or set(written) - _KEYS:
        form = 'the name of a model, or {"model": NAME, "optional": true}'
        raise ValueError(f"must be {form}, got {values.shown(entry)}")
    name, optional = written["model"], written.get("optional", False)
    known = joinable(models)
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"names {values.shown(name)}, which is not a model with user_id{choices(str(name), known)}")
    if not isinstance(optional, bool):
        raise ValueError(f"says {values.shown(optional)} to optional: write true or false")
    return Joined(model=name, optional=optional, columns=columns_of(models[name]))
