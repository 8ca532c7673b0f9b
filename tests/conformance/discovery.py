"""Google's discovery documents, which ship in google-api-python-client, and what of a request they do not allow."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from googleapiclient.discovery_cache import get_static_doc

from functions.domain.instants import instant

Schema = Mapping[str, Any]

_DURATION = re.compile(r"-?\d{1,12}(\.\d{1,9})?s")
_INTEGERS = {"int32": 31, "int64": 63, "uint32": 32, "uint64": 64}
_OF_EVERY_UPLOAD = {"uploadType", "upload_id"}


@dataclass(frozen=True, kw_only=True)
class Document:
    """A service's document. With `snake_case`, JSON may have the names of protocol buffers too, as FCM's may."""

    root: Schema
    snake_case: bool = False

    def faults(self, schema: str, value: object) -> list[str]:
        """Return what a schema does not allow in a JSON value: the place of each fault, and what is wrong there."""
        return list(self._faults(self.root["schemas"][schema], value, schema))

    def value_faults(self, schema: Schema, value: object, at: str) -> list[str]:
        """Return what a schema, given itself, does not allow in a JSON value."""
        return list(self._faults(schema, value, at))

    def field(self, schema: str, *path: str) -> Schema:
        """Return the schema of a field, by its names in JSON; KeyError if there is none."""
        found: Schema = self.root["schemas"][schema]
        for name in path:
            found = self.resolved(found["properties"][name])
            found = self.resolved(found["items"]) if found.get("type") == "array" else found
        return found

    def resolved(self, schema: Schema) -> Schema:
        """Return a schema, or the one that it refers to."""
        found: Schema = self.root["schemas"][schema["$ref"]] if "$ref" in schema else schema
        return found

    def request_faults(self, method: str, url: str, body: object = None) -> list[str]:
        """Return what no method of the service takes: the path, a query parameter, or a field of a JSON body."""
        parts = urlsplit(url)
        called = next(
            (m for m, path in self._methods() if m["httpMethod"] == method and path.fullmatch(parts.path)), None
        )
        if called is None:
            return [f"no method takes {method} {parts.path}"]
        allowed = {**self.root["parameters"], **called.get("parameters", {})}
        faults = []
        for name, text in parse_qsl(parts.query, keep_blank_values=True):
            if name not in allowed and not (name in _OF_EVERY_UPLOAD and "mediaUpload" in called):
                faults.append(f"{called['id']} has no parameter {name}")
            elif name in allowed:
                faults += self._faults(allowed[name], _from_text(allowed[name], text), f"{called['id']}?{name}")
        if body is not None:
            faults += self.faults(called["request"]["$ref"], body) if "request" in called else ["takes no body"]
        return faults

    def _faults(self, schema: Schema, value: object, at: str) -> Iterator[str]:
        schema = self.resolved(schema)
        kind = schema.get("type")
        if kind == "any":
            return
        if kind == "array":
            if not isinstance(value, list):
                yield f"{at}: {value!r} is not a list"
                return
            for number, each in enumerate(value):
                yield from self._faults(schema["items"], each, f"{at}[{number}]")
        elif kind == "object":
            yield from self._object_faults(schema, value, at)
        elif fault := _scalar_fault(schema, value):
            yield f"{at}: {fault}"

    def _object_faults(self, schema: Schema, value: object, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at}: {value!r} is not an object"
            return
        fields = schema.get("properties", {})
        for name, each in value.items():
            field = fields.get(camel_case(name) if self.snake_case else name) or schema.get("additionalProperties")
            if field is None:
                yield f"{at}.{name}: unknown field"
            elif field.get("readOnly"):
                yield f"{at}.{name}: output only"
            else:
                yield from self._faults(field, each, f"{at}.{name}")

    def _methods(self) -> Iterator[tuple[Schema, re.Pattern[str]]]:
        for method in _methods_of(self.root):
            own = f"/{self.root['servicePath']}{method.get('flatPath', method['path'])}"
            paths = [protocol["path"] for protocol in method.get("mediaUpload", {}).get("protocols", {}).values()]
            paths += [f"/download{own}"] if method.get("useMediaDownloadService") else []
            for path in (own, *paths):
                yield method, re.compile(_pattern(path))


@cache
def document(name: str, version: str, *, snake_case: bool = False) -> Document:
    """Return a service's document, such as `document("cloudtasks", "v2")`."""
    return Document(root=json.loads(get_static_doc(name, version)), snake_case=snake_case)


def camel_case(name: str) -> str:
    """Return a name of protocol buffers or Terraform as JSON has it: `max_attempts` is `maxAttempts`."""
    first, *others = name.split("_")
    return first + "".join(other[:1].upper() + other[1:] for other in others)


def _methods_of(place: Schema) -> Iterator[Schema]:
    yield from place.get("methods", {}).values()
    for resource in place.get("resources", {}).values():
        yield from _methods_of(resource)


def _pattern(template: str) -> str:
    """Return the regular expression of a path, in which `{name}` stands for one segment."""
    return "[^/]+".join(map(re.escape, re.split(r"\{\+?\w+\}", template)))


def _from_text(schema: Schema, text: str) -> object:
    """Return the value that a query parameter stands for."""
    if schema.get("type") == "boolean" and text in (
        "true",
        "false",
        "True",
        "False",
    ):  # Google's own client capitalizes
        return text.lower() == "true"
    return int(text) if schema.get("type") == "integer" and text.lstrip("-").isdecimal() else text


def _scalar_fault(schema: Schema, value: object) -> str | None:
    kind, form = schema.get("type"), schema.get("format", "")
    if kind == "boolean":
        return None if isinstance(value, bool) else f"{value!r} is not true or false"
    if kind == "number":
        return None if isinstance(value, (int, float)) and not isinstance(value, bool) else f"{value!r} is no number"
    if kind == "integer":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return None if whole and _fits(form, int(str(value))) else f"{value!r} is no {form}"
    if not isinstance(value, str):
        return f"{value!r} is not a text, which {form or 'this field'} is in JSON"
    if "enum" in schema and value not in _usable(schema):
        return f"{value!r} is none of {', '.join(_usable(schema))}"
    return None if _has_form(form, value) else f"{value!r} is no {form}"


def _usable(schema: Schema) -> list[str]:
    deprecated = schema.get("enumDeprecated", [False] * len(schema["enum"]))
    return [value for value, old in zip(schema["enum"], deprecated, strict=True) if not old]


def _has_form(form: str, text: str) -> bool:
    if form in _INTEGERS:
        return re.fullmatch(r"-?\d+", text) is not None and _fits(form, int(text))
    if form == "google-duration":
        return bool(_DURATION.fullmatch(text))
    try:
        if form in ("google-datetime", "date-time"):
            return isinstance(instant(text), datetime)
        if form == "byte":
            base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (ValueError, binascii.Error):
        return False
    return True


def _fits(form: str, number: int) -> bool:
    bits: int = _INTEGERS.get(form, 63)
    return (0 if form.startswith("u") else -(1 << bits)) <= number < 1 << bits
