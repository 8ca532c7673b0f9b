"""Recipe documents as the OpenAPI document describes them; what one may say is decided where recipes are read.

Unknown fields are kept, and null stands for a missing field. `SCHEMAS` are the components; the models beside them
only name theirs.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import RootModel, WithJsonSchema

from functions.domain.ids import RECIPE_ID
from functions.domain.recipe.document import OnUnknown, RecipeType
from functions.domain.recipe.schedule import Frequency
from functions.domain.recipe.status import OLD_WORDS, Status

_Schema = dict[str, Any]
NAMED = "x-component"
"""Stands in a model's schema for the component of that name, which the OpenAPI document puts in its place."""

_MOST_MINUTES = 30 * 24 * 60


class RecipeDocument(RootModel[dict[str, Any]]):
    """A recipe that a client writes."""


class RecipeChanges(RootModel[dict[str, Any]]):
    """Fields of a recipe that are to change."""


class StoredRecipe(RootModel[dict[str, Any]]):
    """A recipe as it is stored."""


def _component(name: str) -> Any:
    return Annotated[Any, WithJsonSchema({NAMED: name})]


Filters, DataPacks, UserIds, CustomQuery = (
    _component(name) for name in ("AudienceFilters", "DataPacks", "UserIds", "CustomQuery")
)
"""Parts of an audience's criteria; they are read, and refused, where the audience is found."""


def _or_any_object(name: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{NAMED: name}, {"type": "object", "additionalProperties": True}]})


ChangesOfOne = Annotated[dict[str, Any], _or_any_object("RecipeChangesOfOne")]
ChangesOfMany = Annotated[dict[str, Any], _or_any_object("RecipeChanges")]
"""Changes that are read recipe by recipe: one that cannot be used is answered with the others, and refuses none."""


def _ref(name: str) -> _Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _maybe(kind: str, **more: Any) -> _Schema:
    return {"type": [kind, "null"], **more}


def _maybe_ref(name: str) -> _Schema:
    return {"anyOf": [_ref(name), {"type": "null"}]}


def _either(*schemas: _Schema, **more: Any) -> _Schema:
    return {"anyOf": [*schemas, {"type": "null"}], **more}


def _choice(*words: str) -> _Schema:
    return {"type": ["string", "null"], "enum": [*words, None]}


def _object(description: str, required: tuple[str, ...] = (), **properties: _Schema) -> _Schema:
    named = {"required": [*required]} if required else {}
    return {"type": "object", "description": description, "properties": properties, **named}


_BLANK: _Schema = {"type": "string", "const": ""}
_DAYS = _either({"type": "integer", "minimum": 1, "maximum": 36_500}, _BLANK)
_TRADES = _either({"type": "integer", "minimum": 0, "maximum": 1_000_000_000}, _BLANK)
_OLD_DAYS = _either({"type": "integer", "minimum": 0, "maximum": 36_500}, _BLANK)
_YES_OR_NO = _either({"type": "boolean"}, _BLANK)
_YES_NO_OR_ANY = _either({"type": "boolean"}, {"type": "string"}, description='True, false, or a word such as "any".')
_OLD_FILTERS: _Schema = {
    "activityDays": {**_OLD_DAYS, "description": "The old name of lastActiveDays; 0 asks for nothing."},
    "tradingDays": {**_OLD_DAYS, "description": "The old name of tradedInLastDays; 0 asks for nothing."},
    "minTrades": {**_TRADES, "description": "The old name of minLifetimeTrades; 0 asks for nothing."},
    "trustedTraderStatus": _YES_NO_OR_ANY,
    "trustedTraderCandidate": _YES_NO_OR_ANY,
}
_WRITTEN: _Schema = {
    "id": _maybe("string", pattern=f"^{RECIPE_ID.pattern}$|^$"),
    "name": _maybe("string"),
    "type": _choice(*RecipeType),
    "status": _choice(*Status, *OLD_WORDS, ""),
    "isActive": _maybe("boolean"),
    "schedule": _ref("RecipeSchedule"),
    "pushSequence": {"type": "array", "items": _ref("RecipePush"), "minItems": 1},
    "audienceCriteria": _maybe_ref("AudienceCriteria"),
    "settings": _maybe_ref("RecipeSettings"),
}
_STORED: _Schema = {"id": {"type": "string"}, "status": {"type": "string"}, "isActive": {"type": "boolean"}}
_PROBLEM = {"type": "string", "description": "Why the recipe cannot run."}

SCHEMAS: Mapping[str, _Schema] = {
    "RecipeDocument": _object(
        "A recipe. Unknown fields are kept; null stands for a missing field.",
        ("schedule", "pushSequence"),
        **_WRITTEN,
    ),
    "RecipeChanges": _object(
        "The fields of a recipe that are to change; the others stay, and null empties one.", **_WRITTEN
    ),
    "RecipeChangesOfOne": _object(
        "Changes of the recipe that `id` names, or `recipeId`.",
        **{**_WRITTEN, "id": {"type": "string"}, "recipeId": {"type": "string"}},
    ),
    "StoredRecipe": {
        "description": "A recipe as it is stored.",
        "anyOf": [_ref("SoundRecipe"), _ref("RecipeByHand")],
    },
    "SoundRecipe": _object(
        "A recipe that has the fields of a recipe document.",
        ("id", "status", "isActive", "schedule", "pushSequence"),
        **_WRITTEN
        | _STORED
        | {
            "firstSendAt": _maybe(
                "string",
                format="date-time",
                description="The first send since the schedule last changed; saving writes it.",
            ),
            "nextSendAt": _maybe("string", format="date-time"),
            "createdAt": _maybe("string", format="date-time"),
            "updatedAt": _maybe("string", format="date-time"),
            "problem": _PROBLEM,
        },
    ),
    "RecipeByHand": _object(
        "A recipe that somebody wrote into the store by hand, with a field of another type than it should have. "
        "`problem` says why one cannot run.",
        ("id", "status", "isActive"),
        **_STORED,
        problem=_PROBLEM,
    ),
    "AuditedRecipe": {
        "type": "object",
        "description": "A recipe as it was stored at a time, whatever was in it.",
        "additionalProperties": True,
    },
    "RecipeSchedule": _object(
        "When the recipe sends. All times are on the clock of `timezone`.",
        ("timezone", "frequency"),
        timezone={"type": "string", "examples": ["America/New_York", "UTC"]},
        frequency={"type": "string", "enum": [each.value for each in Frequency]},
        startDate=_maybe("string", description="The first day of sending, as YYYY-MM-DD."),
        endDate=_maybe("string", description="The last day of sending, as YYYY-MM-DD."),
        executionTime=_maybe("string", examples=["18:30"], description="T-0, the send time, as HH:MM."),
        leadTimeMinutes=_maybe("integer", minimum=1, maximum=1440),
        cronExpression=_maybe("string", description="The send times of frequency custom, in five fields."),
        daysOfWeek=_maybe(
            "array",
            items={"anyOf": [{"type": "integer", "minimum": 0, "maximum": 7}, {"type": "string"}]},
            description="Of frequency weekly: 0 (Sunday) to 6, 7 for Sunday too, or English names.",
        ),
        dayOfMonth=_maybe("integer", minimum=1, maximum=31),
    ),
    "RecipePush": _object(
        "A push of the sequence. Texts may have variables, as in `[[var:first_name|there]]`.",
        ("title", "body", "layerId"),
        sequenceOrder=_maybe("integer"),
        title={"type": "string"},
        body={"type": "string"},
        deepLink=_maybe("string"),
        layerId={"type": "integer", "minimum": 0, "maximum": 5, "description": "1 to 5; 0 of old clients is 5."},
        audienceName=_maybe("string"),
        literalText=_maybe(
            "boolean", description="What looks like a variable of another product is meant as written."
        ),
        timing=_maybe_ref("PushTiming"),
    ),
    "PushTiming": _object(
        "When a push follows the one before it.",
        delayAfterPrevious=_maybe("integer", minimum=0, maximum=_MOST_MINUTES, description="In minutes."),
        absoluteTime=_maybe("string", examples=["18:30"], description="Instead: the next time the clock shows this."),
    ),
    "AudienceCriteria": _object(
        "Who gets the pushes: the audiences of a job (`customScript`), or one found by query, by all that the other "
        "fields ask for.",
        customScript=_maybe_ref("CustomScript"),
        testMode=_maybe("boolean", description="A live phase that sends nothing, three minutes after the start."),
        filters=_maybe_ref("AudienceFilters"),
        dataPacks=_maybe_ref("DataPacks"),
        manualUserIds=_maybe_ref("UserIds"),
        customQuery=_maybe_ref("CustomQuery"),
        **_OLD_FILTERS,
    ),
    "CustomScript": _object(
        "An audience job and its parameters: see GET /api/scripts.",
        scriptId=_maybe("string"),
        parameters=_maybe("object", additionalProperties=True),
    ),
    "AudienceFilters": {
        "description": "What a user has to fit, all of it. An empty text asks for nothing.",
        "anyOf": [_ref("FilterFields"), _BLANK],
    },
    "FilterFields": _object(
        "The filters by their names.",
        lastActiveDays=_DAYS,
        daysSinceLastActive_inactive=_DAYS,
        tradedInLastDays=_DAYS,
        notTradedInLastDays=_DAYS,
        minLifetimeTrades=_TRADES,
        maxLifetimeTrades=_TRADES,
        hasTrustedTrader=_YES_OR_NO,
        isTrustedTraderCandidate=_YES_OR_NO,
        joinedAfterDate=_maybe("string", description="A day, from 0:00 UTC on, or an instant."),
        manualUserIds=_maybe_ref("UserIds"),
        **_OLD_FILTERS,
    ),
    "DataPacks": {
        "description": "Data packs by name; old clients write an object of true and false.",
        "anyOf": [
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "additionalProperties": {"type": "boolean"}},
            _BLANK,
        ],
    },
    "UserIds": {
        "description": "User ids: a list, or a text with commas or blanks between them.",
        "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}],
    },
    "CustomQuery": {"type": "string", "description": "One SELECT that yields user_id."},
    "RecipeSettings": _object(
        "How the recipe is sent.",
        testUserIds=_maybe("array", items={"type": "string"}),
        cancellationWindowMinutes=_maybe("integer", minimum=0, maximum=_MOST_MINUTES),
        maxLatenessMinutes=_maybe("integer", minimum=0, maximum=_MOST_MINUTES),
        onUnknown=_choice(*OnUnknown),
        safeguards=_maybe_ref("RecipeSafeguards"),
        alertChannels=_maybe("array", items={"type": "string"}),
    ),
    "RecipeSafeguards": _object(
        "What blocks or stops a send.",
        maxAudienceSize=_maybe("integer", minimum=0),
        requireTestFirst=_maybe("boolean"),
        emergencyContacts=_maybe("array", items={"type": "string"}),
        alertThresholds=_maybe_ref("AlertThresholds"),
    ),
    "AlertThresholds": _object(
        "The audience size that alerts, and the share of failures that stops an execution.",
        audienceSize=_maybe("integer", minimum=0),
        failureRate=_maybe("number", minimum=0, maximum=1),
    ),
}
