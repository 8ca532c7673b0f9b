"""A recipe document with valid values in place of invalid fields, so that all errors can be found at once."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import Any

from functions.domain.errors import BadRecipe, FieldError
from functions.domain.recipe.document import RecipeDocument
from functions.domain.recipe.field_types import Fields
from functions.domain.recipe.fields import fields_of
from functions.domain.recipe.push_fields import RecipePush
from functions.domain.recipe.read import Document, Recipe, parse

_NEEDED_BY_SOME = ("id", "executionTime")
"""Fields that only some documents need: a reader can add the id, and a cron expression replaces the times."""
_MOST_ROUNDS = 10
"""An invalid field can hide another one, and that one a third. No recipe needs this many rounds."""


class SoundDocument:
    """The document, and the `errors` found so far."""

    def __init__(self, document: Mapping[str, Any], errors: Sequence[FieldError]) -> None:
        self._document: Document = deepcopy({**document, "status": "draft", "isActive": False})  # nothing is past
        self.errors = [*errors]

    def recipe(self) -> Recipe:
        """Return the recipe with valid values in place of invalid fields; BadRecipe if it still cannot be read."""
        new = self.errors
        for _ in range(_MOST_ROUNDS):
            for error in new:
                self._replace(re.findall(r"[^.\[\]]+", error.field))
            try:
                return parse(self._document)
            except BadRecipe as error:
                known = {each.field for each in self.errors}
                new = [each for each in error.errors if each.field not in known]
                self.errors += new
                if not new:
                    raise
        raise BadRecipe(self.errors)

    def covers(self, field: str) -> bool:
        """Return whether an error in a field may come from a replacement value that nobody wrote."""
        if field.startswith("schedule"):
            return any(error.field.startswith("schedule") for error in self.errors)
        return any(
            field == error.field or re.match(rf"{re.escape(error.field)}[.\[]", field) for error in self.errors
        )

    def _replace(self, path: Sequence[str]) -> None:
        """Put a valid value at a path, or remove the value there."""
        if list(path) == ["schedule", "frequency"]:
            path = ["schedule"]  # the other fields of the schedule are read by its frequency
        place: Any = self._document
        for name in path[:-1]:
            inner = place[int(name)] if isinstance(place, list) else place.get(name)
            if not isinstance(inner, dict) and (not isinstance(inner, list) or name != "pushSequence"):
                _put(place, name)
                return
            place = inner
        _put(place, path[-1])


def _put(place: Any, name: str) -> None:
    if isinstance(place, list):
        place[int(name)] = _sound_values(RecipePush)
    elif name in _sound_by_name():
        place[name] = deepcopy(_sound_by_name()[name])
    else:
        place.pop(name, None)


@cache
def _sound_by_name() -> Mapping[str, Any]:
    """Return valid values by the name of the field. Any other field can be left out."""
    models: list[type[Fields]] = [field.model for field in fields_of(RecipeDocument).values() if field.model]
    models.append(RecipeDocument)
    return {name: value for model in models for name, value in _sound_values(model).items()}


def _sound_values(model: type[Fields]) -> Document:
    """Return an object with an example in each required field, for some frequency or for all."""
    values: Document = {}
    for name, field in fields_of(model).items():
        if field.model is not None and field.required:
            sound = _sound_values(field.model)
            values[name] = [sound] if field.many else sound
        elif field.required or name in _NEEDED_BY_SOME:
            values[name] = field.info.examples[0] if field.info.examples else None
    return values
