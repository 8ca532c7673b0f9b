"""Parts of JSON schemas for the OpenAPI document."""

from typing import Any

Schema = dict[str, Any]
NAMED = "x-component"
"""Marks a place in a model's schema that the OpenAPI document replaces by the component of that name."""


def ref(name: str) -> Schema:
    """Return the schema that refers to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def any_object(description: str = "") -> Schema:
    """Return the schema of an object with any keys."""
    described = {"description": description} if description else {}
    return {"type": "object", **described, "additionalProperties": True}
