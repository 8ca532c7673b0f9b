"""The fields of a recipe document, with the properties that `document.py` gives each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic.fields import FieldInfo
from pydantic.json_schema import models_json_schema

from functions.domain.recipe.document import RecipeDocument, SoundRecipe
from functions.domain.recipe.field_types import Fields, Widget

Schema = Mapping[str, Any]
NULL: Schema = {"type": "null"}


@dataclass(frozen=True, kw_only=True)
class RecipeField:
    """A field: its `name` is its key in documents, its `schema` a JSON schema without null."""

    name: str
    info: FieldInfo
    schema: Schema

    @property
    def title(self) -> str:
        """The field's label in forms; empty if forms do not show it."""
        return self.info.title or ""

    @property
    def description(self) -> str:
        """What the field means; empty if its name is enough."""
        return self.info.description or ""

    @property
    def required(self) -> bool:
        """Whether a document must have the field."""
        return self.info.is_required()

    @property
    def default(self) -> Any:
        """The value of a missing field; None if there is no default."""
        return None if self.required else self.info.get_default(call_default_factory=True)

    @property
    def widget(self) -> Widget | None:
        """The field's widget in forms; None if the schema decides it."""
        return next((each for each in self.info.metadata if isinstance(each, Widget)), None)

    @property
    def model(self) -> type[Fields] | None:
        """The class of the field's object, or of the objects in its list or under its keys."""
        kinds = [self.info.annotation, *get_args(self.info.annotation)]
        return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Fields)), None)

    @property
    def many(self) -> bool:
        """Whether the field is a list."""
        return self.schema.get("type") == "array"

    @property
    def keyed(self) -> bool:
        """Whether the field has objects by keys that the team chooses."""
        return self.model is not None and "additionalProperties" in self.schema


@cache
def fields_of(model: type[Fields]) -> Mapping[str, RecipeField]:
    """Return the fields of an object by their names in documents."""
    properties = schemas()[model.__name__]["properties"]
    found = {info.alias or name: info for name, info in model.model_fields.items()}
    return {name: RecipeField(name=name, info=info, schema=properties[name]) for name, info in found.items()}


def paths_of(model: type[Fields], prefix: str = "") -> Iterator[tuple[str, RecipeField]]:
    """Yield every field below an object with its path, objects before their fields, except those inside lists.

    The keys of an object with keys of the team's are no paths.
    """
    for name, field in fields_of(model).items():
        yield f"{prefix}{name}", field
        if field.model is not None and not field.many and not field.keyed:
            yield from paths_of(field.model, f"{prefix}{name}.")


@cache
def schemas() -> Mapping[str, Schema]:
    """Return the JSON schemas of the objects in a recipe document, by the names of their classes.

    They refer to each other as in an OpenAPI document. Enums are inlined. No schema allows null.
    """
    models: Any = [(RecipeDocument, "validation"), (SoundRecipe, "validation")]
    _, made = models_json_schema(models, ref_template="#/components/schemas/{model}")
    enums = {f"#/components/schemas/{name}": each for name, each in made["$defs"].items() if "enum" in each}
    objects = {name: each for name, each in made["$defs"].items() if "properties" in each}
    return {
        name: {**schema, "properties": {key: _plain(field, enums) for key, field in schema["properties"].items()}}
        for name, schema in objects.items()
    }


def _plain(field: Schema, enums: Mapping[str, Schema]) -> Schema:
    if NULL in field.get("anyOf", ()):
        [kind] = [each for each in field["anyOf"] if each != NULL]
        field = {**kind, **{key: value for key, value in field.items() if key != "anyOf"}}
    if enum := enums.get(field.get("$ref", "")):
        return {"type": enum["type"], "enum": enum["enum"], **{k: v for k, v in field.items() if k != "$ref"}}
    return field
