"""JSON schemas of reports, the frozen dataclasses that use cases return, in the form that `as_json` writes."""

import ast
import inspect
from itertools import pairwise
from textwrap import dedent
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from functions.handlers.http.as_json import camel

_CONFIG = ConfigDict(alias_generator=camel)


def list_adapter(answer: Any) -> TypeAdapter[Any]:
    """Return a type adapter for a list of an answer: pydantic takes no configuration for a single dataclass."""
    return TypeAdapter(list[answer], config=_CONFIG)


class ReportSchemas(GenerateJsonSchema):
    """Describes the fields of a dataclass by the texts below them, including those of base classes."""

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        """Return the schema of a dataclass."""
        made = super().dataclass_schema(schema)
        for base in reversed(schema["cls"].__mro__[:-1]):
            for name, text in _texts(base):
                made["properties"][camel(name)]["description"] = text
        return made


def _texts(kind: type) -> list[tuple[str, str]]:
    """Return the fields of a class that have a text below them, with the text; none if its source is missing."""
    try:
        [definition] = ast.parse(dedent(inspect.getsource(kind))).body
    except OSError:  # another release was installed over the one that runs
        return []
    assert isinstance(definition, ast.ClassDef)
    return [
        (field.target.id, inspect.cleandoc(below.value.value))
        for field, below in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    ]
