"""Parts of JSON schemas of which the OpenAPI document is made."""

from typing import Any

Schema = dict[str, Any]
NAMED = "x-component"
"""Stands in a model's schema for the component of that name, which the OpenAPI document puts in its place."""


def ref(name: str) -> Schema:
    """Return the schema that refers to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def any_object(description: str = "") -> Schema:
    """Return the schema of an object with any keys."""
    told = {"description": description} if description else {}
    return {"type": "object", **told, "additionalProperties": True}
