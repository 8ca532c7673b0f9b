"""Layers in requests, and what else of the workspace the OpenAPI document shows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticKnownError

from functions.domain.cadence.layers import Layers
from functions.domain.recipe.field_types import LAYER
from functions.domain.whole_numbers import whole_number

CONTEXT = "layers"
"""The key under which validation finds a function that returns the layers."""


def _of_workspace(layer: int, info: ValidationInfo) -> int:
    known: Callable[[], Layers] = (info.context or {})[CONTEXT]
    if layer < 0:
        raise PydanticKnownError("greater_than_equal", {"ge": 0})
    layers = known()
    if layers.read(layer) is None:
        if layers.as_before:
            raise PydanticKnownError("less_than_equal", {"le": max(layers.names)})
        raise ValueError(f"must be {layers.in_words}")
    return layer


RULES = "x-rules"
"""Marks the schema of changed cadence rules: the OpenAPI document has a rule of the workspace there as an example."""
_SCHEMA = Field(json_schema_extra={"minimum": 0, "maximum": 5, LAYER: True})
Layer = Annotated[int, AfterValidator(_of_workspace), _SCHEMA]
AnyLayer = Annotated[Layer, BeforeValidator(whole_number), Field(description="1 to 5; 0 of old clients is 5.")]
"""The same, also as text or with a point."""


def for_workspace(schema: Any, layers: Layers, rules: Sequence[str]) -> Any:
    """Return a JSON schema whose layers and names of cadence rules are those of a workspace."""
    if isinstance(schema, list):
        return [for_workspace(item, layers, rules) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    schema = {key: for_workspace(value, layers, rules) for key, value in schema.items()}
    if schema.pop(RULES, False):
        return {**schema, "examples": [_changes(rules)]}
    return schema if not schema.pop(LAYER, False) or layers.as_before else _layer(schema, layers)


def _layer(schema: Mapping[str, Any], layers: Layers) -> Mapping[str, Any]:
    kept = {key: value for key, value in schema.items() if key not in ("minimum", "maximum", "description")}
    return {**kept, "enum": list(layers.names), "description": f"{layers.listed}."}


def _changes(rules: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return an example of changed rules; there is none where the workspace has no rule."""
    return [{"hours": 48, "name": rule} for rule in rules[:1]]
