"""Labels of the recipe form's fields, for the list of errors."""

import re
from functools import cache

from functions.domain.recipe.document import RecipeDocument, RecipePush
from functions.domain.recipe.field_types import Fields
from functions.domain.recipe.fields import paths_of
from functions.handlers.console.forms.form_fields import QUERY, QUERY_FIELD

_PUSH = re.compile(r"pushSequence\[(\d+)\]\.?(.*)")


def label_of(field: str) -> str:
    """Return the label of a field: `Push 2, title` for `pushSequence[1].title`."""
    if field == QUERY:
        return QUERY_FIELD.label
    found = _PUSH.fullmatch(field)
    if found is None:
        return _titles(RecipeDocument).get(field, field)
    number, path = int(found[1]) + 1, found[2]
    title = _titles(RecipePush).get(path)
    name = title[0].lower() + title[1:] if title else path
    return f"Push {number}, {name}" if name else f"Push {number}"


@cache
def _titles(model: type[Fields]) -> dict[str, str]:
    return {path: field.title for path, field in paths_of(model) if field.title}
