"""The schemas of recipe documents for the OpenAPI document, made of `domain/recipe/document.py`.

They say what a client may write, which differs from pydantic's own schemas in this:

* Null stands for a missing field, so whatever may be left out may be null. So may a value below a key of the team's.
* Titles are left out: they are the form's labels, and generators would take them for names.
* What the fields of an audience's query hold is added from `criteria_schema.py`: to a recipe they are any value.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import RootModel, WithJsonSchema

from functions.domain.recipe.fields import NULL, schemas
from functions.handlers.api.criteria_schema import Filter, criteria_fields, criteria_schemas
from functions.handlers.api.schema_parts import NAMED, Schema, any_object, ref


class RecipeDocument(RootModel[dict[str, Any]]):
    """A recipe as clients write it."""


class RecipeChanges(RootModel[dict[str, Any]]):
    """Fields of a recipe to change."""


class StoredRecipe(RootModel[dict[str, Any]]):
    """A recipe as stored."""


def _or_any_object(name: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{NAMED: name}, any_object()]})


ChangesOfOne = Annotated[dict[str, Any], _or_any_object("RecipeChangesOfOne")]
ChangesOfMany = Annotated[dict[str, Any], _or_any_object("RecipeChanges")]
"""Changes that are checked recipe by recipe: an invalid one is reported in the answer and does not stop the
others."""

_OF_STORED = ("id", "status", "isActive")
"""The fields that Tminus always adds to a stored recipe."""


def recipe_schemas(filters: Sequence[Filter]) -> Mapping[str, Schema]:
    """Return the components that describe recipes, by their names, in a workspace with these filters."""
    described = {name: _component(name, schema, filters) for name, schema in schemas().items()}
    document, sound = described["RecipeDocument"], described["SoundRecipe"]
    written = document["properties"]
    stored = {name: sound["properties"][name] for name in (*_OF_STORED, "problem")}
    return {
        **described,
        **criteria_schemas(filters),
        "RecipeChanges": {
            "type": "object",
            "description": "The fields of a recipe that are to change; the others stay, and null empties one.",
            "properties": written,
        },
        "RecipeChangesOfOne": {
            "type": "object",
            "description": "Changes of the recipe that `id` names, or `recipeId`.",
            "properties": {**written, "id": {"type": "string"}, "recipeId": {"type": "string"}},
        },
        "StoredRecipe": {
            "description": "A recipe as it is stored.",
            "anyOf": [ref("SoundRecipe"), ref("RecipeByHand")],
        },
        "RecipeByHand": {
            "type": "object",
            "description": "A recipe that a person wrote into the store by hand, with a field of another type than "
            "it should have. `problem` says why one cannot run.",
            "properties": stored,
            "required": [*_OF_STORED],
        },
        "AuditedRecipe": any_object(
            "A recipe as it was stored, whatever was in it; or what was done to a send: `executionId`, `reason`."
        ),
    }


def _component(name: str, schema: Mapping[str, Any], filters: Sequence[Filter]) -> Schema:
    required = schema.get("required", [])
    properties = {key: _property(field, required=key in required) for key, field in schema["properties"].items()}
    if name == "AudienceCriteria":
        properties |= criteria_fields(filters)
    return {**_untitled(schema), "properties": properties}


def _property(field: Mapping[str, Any], *, required: bool) -> Schema:
    field = _untitled(field)
    if required:
        return field
    if isinstance(values := field.get("additionalProperties"), Mapping):
        field["additionalProperties"] = _property(values, required=False)
    if "$ref" in field:  # the default of an object repeats those of its fields
        described = {"description": field["description"]} if "description" in field else {}
        return {"anyOf": [{"$ref": field["$ref"]}, NULL], **described}
    choices = {"enum": [*field["enum"], None]} if "enum" in field else {}
    return {**field, "type": [field["type"], "null"], **choices} if "type" in field else field


def _untitled(schema: Mapping[str, Any]) -> Schema:
    return {key: value for key, value in schema.items() if key != "title"}
