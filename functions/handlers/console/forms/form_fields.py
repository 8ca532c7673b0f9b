"""The fields of the recipe form: those that have a title in `domain/recipe/document.py`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from functions.domain.cadence.layers import MOST_LAYER
from functions.domain.recipe.content_fields import PushButton
from functions.domain.recipe.document import QUERY_FIELDS, RecipeDocument
from functions.domain.recipe.field_types import Fields, Widget
from functions.domain.recipe.fields import RecipeField, paths_of
from functions.domain.recipe.push_fields import RecipePush
from functions.domain.recipe.status import Status
from functions.handlers.console.forms.widgets import HINTS, ROWS, Kind, kind_of, read_text, show_value
from functions.handlers.console.words import STATES, spaced

Options = list[tuple[str, str]]
"""The values of a choice with their labels."""
QUERY = "audienceCriteria.query"
"""The single field for all criteria of a query-based audience."""
NEEDED = ("name",)
"""Fields that the form requires, although a document can omit them."""
_NEEDED_MOSTLY = ("schedule.executionTime",)
_NEEDED_TOGETHER = ("title", "body")
"""A push needs one of them."""
BEFORE_QUERY = "audienceCriteria.customScript.parameters"
_INITIAL = {"status": "draft", "schedule.timezone": "UTC", "schedule.frequency": "daily"}
"""Initial values in the form of a new recipe."""
_HINTS = {
    "id": "Optional. Generated from the name.",
    "schedule.executionTime": "Use 24-hour time, e.g. 17:30. A cron expression replaces it.",
    "schedule.dayOfMonth": "Monthly only. 1-31; shorter months use the last day.",
    "schedule.daysOfWeek": "Weekly only.",
    "title": "A push needs a title or a body. Personalise it with [[var:column]] or [[var:column|fallback]].",
    "deepLink": "Optional. What a tap opens, e.g. https://example.com/find?q=[[var:city]]",
    "image": "Optional. The https address of a JPEG or PNG of at most 1 MB.",
    "layerId": "Decides which frequency caps apply.",
    "audienceName": "Optional. Defaults to the audience with the same number.",
    "timing.absoluteTime": "Optional. At this time instead, e.g. 17:30.",
    "ttlMinutes": "How long a phone that is off can still get it. Empty: the deployment's default.",
    "settings.testUserIds": "One user ID per line, or separated by commas. Empty: the deployment's test users.",
    "settings.alertChannels": "Names of the deployment's alert channels. One per line, or separated by commas.",
}
"""Hints in the words of marketers, in place of the descriptions for the API."""
_BUTTON_HINTS = {
    "title": "",
    "deepLink": "Optional. Defaults to the push's link.",
    "id": "Optional. What the app is told. Made from the title.",
}
_OPTION_WORDS = {
    "schedule.frequency": {"custom": "Custom (cron)"},
    "settings.onUnknown": {"keep": "Don't resend", "resend": "Resend once"},
}
"""Labels of enum options that differ from their values."""


@dataclass(frozen=True, kw_only=True)
class FormField:
    """A field of the form. `path` is its place in the document, or in a push. `initial` is its initial value."""

    path: str
    kind: Kind
    label: str
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    widget: Widget | None = None
    initial: str = ""
    example: str = ""
    required: bool = False
    needed: bool = False
    """Whether the form asks for a value."""
    usual: str = ""
    """The text of the default."""
    says_no: bool = True
    """Whether an unticked box is stored as false; otherwise it is omitted."""

    @property
    def rows(self) -> int:
        """The number of lines of a text area; 0 for a field of one line."""
        return ROWS.get(self.kind, 0)

    def is_usual(self, text: str) -> bool:
        """Return whether a text means the default."""
        return text in (self.initial, self.usual)

    def read(self, text: str) -> Any:
        """Return the value for the document; None removes it. ValueError if the text cannot be read."""
        value = read_text(self.kind, text)
        return None if value is False and not self.says_no else value


@dataclass(frozen=True, kw_only=True)
class QueryField(FormField):
    """The field for all criteria of a query-based audience; `keys` are their names in `audienceCriteria`."""

    keys: tuple[str, ...]


def query_field(old_filters: Sequence[str], example: str) -> QueryField:
    """Return the field for criteria in a workspace with these filters in `audienceCriteria` itself."""
    return QueryField(
        path=QUERY,
        kind=Kind.JSON,
        label="More criteria",
        hint="Optional. JSON with where, with, filters, dataPacks, manualUserIds or customQuery, such as "
        f"{example}. Ignored if a job is chosen.",
        example=example,
        keys=(*QUERY_FIELDS, *old_filters),
    )


QUERY_FIELD = query_field((), '{"where": {"all": []}}')
"""The field in a workspace without filters."""


@cache
def recipe_fields() -> Mapping[str, FormField]:
    """Return the fields of a recipe, except those of its pushes, by path, in the order of the form."""
    return _fields(RecipeDocument)


@cache
def push_fields() -> Mapping[str, FormField]:
    """Return the fields of a push, by path in the push, in the order of the form."""
    return _fields(RecipePush)


@cache
def button_fields() -> Mapping[str, FormField]:
    """Return the fields of a button below the text, by name."""
    fields = _fields(PushButton)
    return {name: replace(fields[name], hint=hint, needed=name == "title") for name, hint in _BUTTON_HINTS.items()}


@cache
def translation_fields() -> Mapping[str, FormField]:
    """Return the fields of a translation, by name. What is empty in it is that of the push."""
    hints = {"title": "", "body": "", "image": "Optional. Defaults to the image of the default language."}
    return {name: replace(push_fields()[name], hint=hint) for name, hint in hints.items()}


def _fields(model: type[Fields]) -> dict[str, FormField]:
    shown = {path: field for path, field in paths_of(model) if field.title and (field.model is None or field.widget)}
    return {path: _form_field(path, field) for path, field in shown.items()}


def _form_field(path: str, field: RecipeField) -> FormField:
    kind = kind_of(field)
    example = json.dumps(field.info.examples[0]) if field.info.examples and kind is Kind.JSON else ""
    return FormField(
        path=path,
        kind=kind,
        label=field.title if kind is not Kind.CHECK else f"{field.title}: {field.description}",
        hint="" if kind is Kind.CHECK else _hint(path, field, kind, example),
        options=tuple(_options(path, field)),
        widget=field.widget,
        initial="yes" if field.default is True else _INITIAL.get(path, ""),
        example=example,
        required=field.required,
        needed=path in (*NEEDED, *_NEEDED_MOSTLY) or (field.required and path not in _NEEDED_TOGETHER),
        usual=show_value(kind, field.default) if field.default else "",
        says_no=field.default is not None,
    )


def _hint(path: str, field: RecipeField, kind: Kind, example: str) -> str:
    if path in _HINTS:
        return _HINTS[path]
    words = [field.description] if field.description else []
    words += [HINTS[kind]] if kind in HINTS else []
    words += [f"JSON, such as {example}."] if kind is Kind.JSON else []
    words += [f"Default: {field.default:,}."] if kind is Kind.NUMBER and field.default else []
    return " ".join(words)


def _options(path: str, field: RecipeField) -> Options:
    if path == "status":
        return [(each.value, STATES[each.value][0]) for each in Status]
    if field.widget is Widget.LAYER:
        return [(str(layer), str(layer)) for layer in range(1, MOST_LAYER + 1)]  # the page has those of the workspace
    if "enum" not in field.schema:
        return []
    words = _OPTION_WORDS.get(path, {})
    found = [(value, words.get(value, spaced(value))) for value in field.schema["enum"]]
    return found if field.required else [("", f"{dict(found).get(field.default, 'None')} (default)"), *found]
