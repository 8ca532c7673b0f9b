"""The layer in a request's body: one of the workspace's, and how the OpenAPI document describes it."""

from collections.abc import Callable, Mapping
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


_SCHEMA = Field(json_schema_extra={"minimum": 0, "maximum": 5, LAYER: True})
Layer = Annotated[int, AfterValidator(_of_workspace), _SCHEMA]
AnyLayer = Annotated[Layer, BeforeValidator(whole_number), Field(description="1 to 5; 0 of old clients is 5.")]
"""The same, also as text or with a point."""


def with_layers(schema: Any, layers: Layers) -> Any:
    """Return a JSON schema whose layers are those of a workspace."""
    if isinstance(schema, list):
        return [with_layers(item, layers) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    if LAYER not in schema:
        return {key: with_layers(value, layers) for key, value in schema.items()}
    kept = {key: value for key, value in schema.items() if key != LAYER}
    if layers.as_before:
        return kept
    bounds = ("minimum", "maximum", "description", "enum")
    kept = {key: value for key, value in kept.items() if key not in bounds}
    return {**kept, "enum": list(layers.names), "description": f"{layers.listed}."}
