"""The types of a recipe document's fields: how each is read, and how its JSON schema describes it."""

import re
from collections.abc import Mapping
from datetime import datetime, time
from enum import StrEnum
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from functions.domain.cadence.layers import MOST_LAYER
from functions.domain.documents import shown
from functions.domain.errors import BadTemplate
from functions.domain.instants import instant, no_instant, stamp
from functions.domain.push.links import ImageAddress, Link
from functions.domain.push.template import Template
from functions.domain.recipe.zones import readable_zones
from functions.domain.whole_numbers import with_integers

MOST_MINUTES = 30 * 24 * 60
"""Cloud Tasks schedules at most 30 days ahead."""
LAYER = "x-layer"
"""Marks the schema of a layer: the OpenAPI document says there which layers the workspace has."""
_DAY_NAMES = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


class Widget(StrEnum):
    """The form's widget of a field whose JSON schema does not decide it. Put it into the field's `Annotated`."""

    AREA = "area"
    """Text with several lines."""
    DAY = "day"
    """A date, or an instant that means a date."""
    ZONE = "zone"
    WEEKDAYS = "weekdays"
    LAYER = "layer"
    JOB = "job"
    """One of the deployment's audience jobs."""
    OBJECTS = "objects"
    """A list of objects, as JSON."""
    TOPIC = "topic"
    """A topic, mostly one of the workspace."""


class Fields(BaseModel):
    """An object of a recipe document, its keys in camelCase. Unknown keys are not read; null is a missing field.

    A class's docstring is its description in the API's document. Each field says its type, bounds and default, and
    in `Field`:

    * `title`: what forms and their errors call it. A form shows the fields that have a title.
    * `description`: what it means, in plain text and whole sentences, for the API's document and as a form's hint.
    * `examples`: the first stands in for a value that cannot be read, so that other errors are found too.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, strict=True, frozen=True, arbitrary_types_allowed=True, extra="ignore"
    )

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, written: object) -> object:
        """Read 3.0 as 3: a store or another language may write an integer that way."""
        return with_integers(written) if isinstance(written, Mapping) else written


def _clock(value: object) -> time:
    written = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", str(value))
    if written is None:
        raise ValueError("use 24-hour time HH:MM, e.g. 17:30")
    return time(int(written[1]), int(written[2]))


def _zone(value: object) -> ZoneInfo:
    if not isinstance(value, str) or value not in readable_zones():
        raise ValueError("must be an IANA time zone such as America/New_York or UTC")
    return ZoneInfo(value)


def _weekday(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= len(_DAY_NAMES):
        return value % len(_DAY_NAMES)
    for number, name in enumerate(_DAY_NAMES):
        if isinstance(value, str) and value.lower() in (name, name[:3]):
            return number
    raise ValueError("must be a day from 0 (Sunday) to 6 (Saturday), 7 (Sunday too) or its English name")


def _layer(value: object) -> object:
    return 5 if value == 0 and not isinstance(value, bool) else value


def _template(kind: type[Template], value: object) -> Template:
    if not isinstance(value, str):
        raise ValueError("must be text")
    try:
        return kind.parse(value)
    except BadTemplate as error:
        raise ValueError(str(error)) from None


def _app_text(value: object) -> object:
    """Read text for the app, which may have any syntax: brackets that begin no variable are literal."""
    if isinstance(value, str) and "[[var:" not in value:
        return Template((value,) if value else ())
    return _template(Template, value)


def _blank_is_missing(value: object) -> object:
    """Read an empty text as missing: old forms wrote them into optional fields."""
    return None if value == "" else value


def _instant(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    text = value if isinstance(value, str) else ""
    try:
        return instant(text)
    except ValueError:
        raise ValueError(no_instant(shown(value), text)) from None


def _filled(values: object) -> object:
    """Drop blank entries, which old forms wrote."""
    return [value for value in values if value != ""] if isinstance(values, list) else values


_TEXT = WithJsonSchema({"type": "string"})
_INSTANT = WithJsonSchema({"type": "string", "format": "date-time"})
_DAY = WithJsonSchema(
    {
        "anyOf": [{"type": "integer", "minimum": 0, "maximum": 7}, {"type": "string"}],
        "description": "0 (Sunday) to 6, 7 for Sunday too, or an English name.",
    }
)

BlankIsMissing = BeforeValidator(_blank_is_missing)
Clock = Annotated[time, BeforeValidator(_clock), PlainSerializer("{:%H:%M}".format), _TEXT]
SendInstant = Annotated[datetime, BeforeValidator(_instant), PlainSerializer(stamp), _INSTANT]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone), _TEXT]
Text = Annotated[Template, BeforeValidator(partial(_template, Template)), _TEXT]
AppText = Annotated[Template, BeforeValidator(_app_text), _TEXT]
DeepLink = Annotated[Link, BeforeValidator(partial(_template, Link)), _TEXT]
ImageUrl = Annotated[ImageAddress, BeforeValidator(partial(_template, ImageAddress)), _TEXT]
Weekday = Annotated[int, BeforeValidator(_weekday), _DAY]
Layer = Annotated[
    int,
    Field(ge=1, le=MOST_LAYER),
    BeforeValidator(_layer),
    WithJsonSchema(
        {
            "type": "integer",
            "minimum": 0,
            "maximum": 5,
            "description": "1 to 5; 0 of old clients is 5.",
            LAYER: True,
        }
    ),
]
Instant = Annotated[str, _INSTANT]
Texts = Annotated[tuple[str, ...], Field(strict=False)]
FilledTexts = Annotated[tuple[str, ...], BeforeValidator(_filled), Field(strict=False)]

# Kept unchanged, whatever its type: other code reads or checks it, so it never prevents a document from loading.
KeptText = Annotated[Any, _TEXT]
KeptFlag = Annotated[Any, WithJsonSchema({"type": "boolean"})]
KeptTexts = Annotated[Any, WithJsonSchema({"type": "array", "items": {"type": "string"}})]
KeptObject = Annotated[Any, WithJsonSchema({"type": "object", "additionalProperties": True})]
