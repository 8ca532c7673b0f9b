"""The paths of a recipe document's fields, as people write them: `settings.safeguards.maxAudienceSize`."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from functions.domain.errors import FieldCode, FieldError
from functions.domain.recipe.document import Recipe

_FREE = ("audienceCriteria.customScript.parameters", "audienceCriteria.filters", "metadata")
"""Objects whose keys are nobody's business here but the job's, the query's or the team's."""
_UNREAD = (
    *("status", "isActive", "description", "metadata", "template"),
    *("settings.emergencyStopEnabled", "settings.dryRunFirst"),
)
"""Fields of a recipe that are read elsewhere, or only kept."""
_WRITTEN_BY_TMINUS = ("createdAt", "updatedAt", "firstSendAt", "nextSendAt", "problem")
_NEAR = 0.85
"""How alike two names are, 0 to 1, from which on one is taken for the other, misspelled: decisions/0029."""


@cache
def field_paths() -> tuple[str, ...]:
    """Return every path that Tminus knows, objects and fields, without those inside lists."""
    return (*_UNREAD, *_paths(Recipe, ""))


def is_field(path: Sequence[str]) -> bool:
    """Say whether a path names a known field, or a key of an object whose keys are free."""
    written = ".".join(path)
    return written in field_paths() or any(written.startswith(f"{free}.") for free in _FREE)


def misspelled_keys(document: Mapping[str, Any]) -> list[FieldError]:
    """Return the keys of a recipe document, at any depth, that Tminus does not know and that are nearly one it knows.

    Any other unknown key is left alone: a newer release, or the team, may have written it.
    """
    return [*_misspelled(document, Recipe, ())]


def _misspelled(value: object, model: type[BaseModel], path: tuple[str, ...]) -> Iterator[FieldError]:
    if not isinstance(value, Mapping):
        return
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    for key, inner in value.items():
        place = (*path, str(key))
        if inner is None:
            continue
        if key not in fields:
            yield from _near_known(place, [*fields, *_also_known(path)])
        elif nested := _model_in(fields[key]):
            many = isinstance(inner, list)
            for position, item in enumerate(inner if many else [inner]):
                yield from _misspelled(item, nested, (*path, f"{key}[{position}]" if many else key))


def _model_in(annotation: object) -> type[BaseModel] | None:
    kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
    return next((kind for kind in kinds if issubclass(kind, BaseModel)), None)


def _also_known(path: tuple[str, ...]) -> Iterator[str]:
    """Yield the keys of an object that are not fields of its model."""
    prefix = ".".join((*path, ""))
    yield from (unread.removeprefix(prefix) for unread in _UNREAD if unread.startswith(prefix))
    yield from _WRITTEN_BY_TMINUS if not path else ()


def _near_known(place: tuple[str, ...], known: Sequence[str]) -> Iterator[FieldError]:
    near = _nearest(place[-1], known) if place[-1] not in known else None
    if near is not None:
        reason = f"is not a field of a recipe: did you mean {near!r}? Rename it, or remove it"
        yield FieldError(".".join(place), reason, FieldCode.MISSPELLED_KEY)


def _nearest(key: str, known: Iterable[str]) -> str | None:
    likeness, near = max((_likeness(_letters(key), _letters(name)), name) for name in known)
    return near if likeness >= _NEAR else None


def _likeness(one: str, other: str) -> float:
    return 1.0 if sorted(one) == sorted(other) else SequenceMatcher(None, one, other).ratio()


def _letters(key: str) -> str:
    return re.sub(r"[\W_]", "", key).casefold()


def _paths(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        yield path
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _paths(field.annotation, f"{path}.")
