"""Labels of the recipe form's fields, for the list of errors."""

import re
from functools import cache

from functions.domain.recipe.content_fields import PushButton
from functions.domain.recipe.document import RecipeDocument
from functions.domain.recipe.field_types import Fields
from functions.domain.recipe.fields import paths_of
from functions.domain.recipe.push_fields import RecipePush
from functions.handlers.console.forms.form_fields import QUERY, QUERY_FIELD

_BUTTON = re.compile(r"buttons\[(\d+)\]\.(\w+)")
_TRANSLATION = re.compile(r"translations\.([^.]+)\.?(.*)")
_CONDITION = re.compile(r"where(\.[0-9]+|\.where)+")
_AUDIENCE = {
    "where.match": "Conditions",
    "segment.name": "Segment name",
    "audience.ids": "User IDs",
    "audience.sql": "Query",
}
_AROUND = {"audienceCriteria": "Audience", "schedule": "Schedule", "settings": "Safeguards", "pushSequence": "Pushes"}
"""The parts of a document, for fields without a label of their own."""
_PUSH = re.compile(r"pushSequence\[(\d+)\]\.?(.*)")


def label_of(field: str) -> str:
    """Return the label of a field: `Push 2, title` for `pushSequence[1].title`."""
    if field == QUERY:
        return QUERY_FIELD.label
    if condition := _CONDITION.match(field):
        return f"Condition {'.'.join(str(int(number) + 1) for number in re.findall(r'[0-9]+', condition[0]))}"
    if field in _AUDIENCE:
        return _AUDIENCE[field]
    found = _PUSH.fullmatch(field)
    if found is None:
        return _titles(RecipeDocument).get(field) or _AROUND.get(field.partition(".")[0], field)
    number, path = int(found[1]) + 1, found[2]
    title = part_label(path)
    name = title[:1].lower() + title[1:] if title != path else path
    return f"Push {number}, {name}" if name else f"Push {number}"


def part_label(path: str) -> str:
    """Return the label of a part of a push, by its path: `Button 1 title` for `buttons[0].title`."""
    if button := _BUTTON.fullmatch(path):
        return f"Button {int(button[1]) + 1} {_titles(PushButton).get(button[2], button[2]).lower()}"
    if translation := _TRANSLATION.fullmatch(path):
        tag, inner = translation.groups()
        return f"Translation {tag}, {part_label(inner).lower()}" if inner else f"Translation {tag}"
    if path.startswith("data."):
        return f"Data {path.removeprefix('data.')}"
    return _titles(RecipePush).get(path, path)


@cache
def _titles(model: type[Fields]) -> dict[str, str]:
    return {path: field.title for path, field in paths_of(model) if field.title}
