"""The paths of a recipe document's fields, as people write them: `settings.safeguards.maxAudienceSize`."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache
from typing import Any

from functions.domain.errors import FieldCode, FieldError
from functions.domain.recipe.content_fields import AndroidContent, IosContent, PushButton, WebContent
from functions.domain.recipe.document import AudienceCriteria, RecipeDocument, SoundRecipe
from functions.domain.recipe.field_types import Fields
from functions.domain.recipe.fields import RecipeField, fields_of, paths_of
from functions.domain.recipe.push_fields import RecipePush
from functions.domain.recipe.translations import Translation

_NEAR = 0.85
"""The similarity of two names, 0 to 1, from which one counts as a misspelling of the other: decisions/0029."""
_PARTS: Mapping[type[Fields], tuple[str, str]] = {
    AndroidContent: ("android", "android."),
    IosContent: ("ios", "ios."),
    WebContent: ("web", "web."),
    PushButton: ("a button", "buttons[]."),
    Translation: ("a translation", "translations.*."),
}
"""The objects of a push in which teams keep no keys of their own, each with its name in errors and its path."""
_OF_BROWSERS = {"actions": "buttons"}
"""Keys of a message to a browser whose fields have another name here."""


@cache
def field_paths() -> tuple[str, ...]:
    """Return every path that Tminus knows, of objects and fields, except those inside lists."""
    return tuple(path for path, _ in paths_of(RecipeDocument))


def is_field(path: Sequence[str], old_filters: Collection[str] = ()) -> bool:
    """Return whether a path names a known field, or a key of an object with free keys.

    `old_filters` are the names of filters that the workspace knows in `audienceCriteria` itself.
    """
    written = ".".join(path)
    if path[0] == "audienceCriteria" and path[1:2] and path[1] in old_filters:
        return True
    return any(
        written == known or (_is_free(field) and written.startswith(f"{known}."))
        for known, field in paths_of(RecipeDocument)
    )


def misspelled_keys(document: Mapping[str, Any], old_filters: Collection[str] = ()) -> list[FieldError]:
    """Return the unknown keys of a recipe document, at any depth, that are probably meant for known ones.

    They are misspellings or, within the parts of a push, fields that belong elsewhere in it. Other unknown keys are
    ignored: a newer release, or the team, may have written them. `old_filters` are as for `is_field`.
    """
    return [*_misspelled(document, RecipeDocument, (), old_filters)]


def _is_free(field: RecipeField) -> bool:
    """Return whether the keys of an object belong to the job, to the query or to the team."""
    return field.model is None and field.schema.get("type", "object") == "object"


def _misspelled(
    value: object, model: type[Fields], path: tuple[str, ...], old_filters: Collection[str]
) -> Iterator[FieldError]:
    if not isinstance(value, Mapping):
        return
    fields = fields_of(model)
    more = old_filters if model is AudienceCriteria else ()
    known = {*(fields if path else fields_of(SoundRecipe)), *more}
    for key, inner in value.items():
        if inner is None:
            continue
        if key not in known:
            place = (*path, str(key))
            yield from _near_known(place, known) or _elsewhere(place, model)
        elif key in fields and (nested := fields[key].model):
            for place, item in _objects(key, inner, fields[key]):
                yield from _misspelled(item, nested, (*path, *place), old_filters)


def _objects(key: str, value: object, field: RecipeField) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the objects in a field's value, each with its place."""
    if isinstance(value, list):
        yield from (((f"{key}[{position}]",), item) for position, item in enumerate(value))
    elif field.keyed and isinstance(value, Mapping):
        yield from (((key, str(name)), item) for name, item in value.items())
    else:
        yield (key,), value


def _near_known(place: tuple[str, ...], known: Iterable[str]) -> list[FieldError]:
    near = _nearest(place[-1], known)
    if near is None:
        return []
    return [_unknown(place, f"is not a field of a recipe: did you mean {near!r}? Rename it, or remove it")]


def _elsewhere(place: tuple[str, ...], model: type[Fields]) -> list[FieldError]:
    """Return an error for a key in a part of a push that is a field of the push itself, or of another part."""
    key = _letters(place[-1])
    where = _places_in_a_push().get(_OF_BROWSERS.get(key, key)) if model in _PARTS else None
    return [_unknown(place, f"is not a field of {_PARTS[model][0]}: it is one of {where}")] if where else []


def _unknown(place: tuple[str, ...], reason: str) -> FieldError:
    return FieldError(".".join(place), reason, FieldCode.MISSPELLED_KEY)


@cache
def _places_in_a_push() -> Mapping[str, str]:
    """Return where each field of a push belongs, by the letters of its name: `the push (deepLink)`."""
    own = {_letters(name): f"the push ({name})" for name in fields_of(RecipePush)}
    inner: dict[str, list[str]] = {}
    for model, (part, path) in _PARTS.items():
        for name in fields_of(model):
            inner.setdefault(_letters(name), []).append(f"{part} ({path}{name})")
    return {key: " or ".join(places) for key, places in inner.items()} | own


def _nearest(key: str, known: Iterable[str]) -> str | None:
    likeness, near = max((_likeness(_letters(key), _letters(name)), name) for name in known)
    return near if likeness >= _NEAR else None


def _likeness(one: str, other: str) -> float:
    return 1.0 if sorted(one) == sorted(other) else SequenceMatcher(None, one, other).ratio()


def _letters(key: str) -> str:
    return re.sub(r"[\W_]", "", key).casefold()
