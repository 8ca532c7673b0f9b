"""A recipe document with sound values where fields are at fault, so that all its errors can be found at once."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import Any

from functions.domain.errors import BadRecipe, FieldError
from functions.domain.recipe.document import RecipeDocument, RecipePush
from functions.domain.recipe.field_types import Fields
from functions.domain.recipe.fields import fields_of
from functions.domain.recipe.read import Document, Recipe, parse

_NEEDED_BY_SOME = ("id", "executionTime")
"""Fields that may be left out only sometimes: a reader gives a document its id, a cron expression its times."""
_MOST_ROUNDS = 10
"""A field may hide another one that is at fault, and that one a third: more than any recipe needs."""


class SoundDocument:
    """The document, and the `errors` that were found in it so far."""

    def __init__(self, document: Mapping[str, Any], errors: Sequence[FieldError]) -> None:
        self._document: Document = deepcopy({**document, "status": "draft", "isActive": False})  # nothing is past
        self.errors = [*errors]

    def recipe(self) -> Recipe:
        """Return the recipe with sound values where fields are at fault; BadRecipe where it still cannot be read."""
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
        """Say whether an error in a field may come of a sound value that stands there and was not written."""
        if field.startswith("schedule"):
            return any(error.field.startswith("schedule") for error in self.errors)
        return any(
            field == error.field or re.match(rf"{re.escape(error.field)}[.\[]", field) for error in self.errors
        )

    def _replace(self, path: Sequence[str]) -> None:
        """Put a sound value at a path, or take away what is there."""
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
    """Return, by the name of a field, what may stand in it; any other can be left out."""
    models: list[type[Fields]] = [field.model for field in fields_of(RecipeDocument).values() if field.model]
    models.append(RecipeDocument)
    return {name: value for model in models for name, value in _sound_values(model).items()}


def _sound_values(model: type[Fields]) -> Document:
    """Return an object with an example in each field that it has to have, for some frequency or for all."""
    values: Document = {}
    for name, field in fields_of(model).items():
        if field.model is not None and field.required:
            sound = _sound_values(field.model)
            values[name] = [sound] if field.many else sound
        elif field.required or name in _NEEDED_BY_SOME:
            values[name] = field.info.examples[0] if field.info.examples else None
    return values
