"""A recipe document as the OpenAPI document describes it; what it may say is decided where recipes are read.

Unknown fields are kept, and null stands for a missing field.
"""

from typing import Any

from pydantic import ConfigDict, RootModel

from functions.domain.fields import RecipeType
from functions.domain.ids import RECIPE_ID
from functions.domain.schedule import Frequency
from functions.domain.status import OLD_WORDS, Status

_Schema = dict[str, Any]


def _maybe(kind: str, **more: Any) -> _Schema:
    return {"type": [kind, "null"], **more}


def _choice(*words: str) -> _Schema:
    return {"enum": [*words, None]}


_SCHEDULE: _Schema = {
    "type": "object",
    "properties": {
        "timezone": {"type": "string", "examples": ["America/New_York", "UTC"]},
        "frequency": {"enum": [each.value for each in Frequency]},
        "startDate": _maybe("string"),
        "endDate": _maybe("string"),
        "executionTime": _maybe("string", examples=["18:30"]),
        "leadTimeMinutes": _maybe("integer", minimum=1, maximum=1440),
        "cronExpression": _maybe("string"),
        "daysOfWeek": _maybe("array"),
        "dayOfMonth": _maybe("integer", minimum=1, maximum=31),
    },
    "required": ["timezone", "frequency"],
}
_PUSH: _Schema = {
    "type": "object",
    "properties": {
        "sequenceOrder": _maybe("integer"),
        "title": {"type": "string"},
        "body": {"type": "string"},
        "deepLink": _maybe("string"),
        "layerId": {"type": "integer", "minimum": 0, "maximum": 5},
        "audienceName": _maybe("string"),
        "timing": _maybe(
            "object",
            properties={
                "delayAfterPrevious": _maybe("integer", minimum=0),
                "absoluteTime": _maybe("string", examples=["18:30"]),
            },
        ),
    },
    "required": ["title", "body", "layerId"],
}
_PROPERTIES: Any = {
    "id": _maybe("string", pattern=f"^{RECIPE_ID.pattern}$|^$"),
    "name": _maybe("string"),
    "type": _choice(*RecipeType),
    "status": _choice(*Status, *OLD_WORDS, ""),
    "isActive": _maybe("boolean"),
    "schedule": _SCHEDULE,
    "pushSequence": {"type": "array", "items": _PUSH, "minItems": 1},
    "audienceCriteria": _maybe("object"),
    "settings": _maybe("object"),
}


class RecipeDocument(RootModel[dict[str, Any]]):
    """A recipe, as docs/how-to-write-a-recipe.md tells."""

    model_config = ConfigDict(json_schema_extra={"properties": _PROPERTIES, "required": ["schedule", "pushSequence"]})


class RecipeChanges(RootModel[dict[str, Any]]):
    """The fields of a recipe that are to change; the others stay, and null empties one."""

    model_config = ConfigDict(json_schema_extra={"properties": _PROPERTIES})


class StoredRecipe(RootModel[dict[str, Any]]):
    """A recipe as it is stored. `problem` says why one that was written by hand cannot run."""

    model_config = ConfigDict(
        json_schema_extra={
            "properties": {
                "id": {"type": "string"},
                "status": {"type": "string"},
                "isActive": {"type": "boolean"},
                "firstSendAt": {
                    **_maybe("string", format="date-time"),
                    "description": "The first send since the schedule last changed; saving writes it.",
                },
                "nextSendAt": _maybe("string", format="date-time"),
                "problem": {"type": "string"},
            },
            "required": ["id", "status", "isActive"],
        }
    )
