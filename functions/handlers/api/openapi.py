"""The OpenAPI 3.1 document, made from the routes and their models. It describes every endpoint."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

from pydantic import TypeAdapter

from functions import bootstrap
from functions.domain.cadence.layers import Layers
from functions.handlers.api.criteria_schema import Filter
from functions.handlers.api.layer import for_workspace
from functions.handlers.api.recipe_schema import recipe_schemas
from functions.handlers.api.report_schemas import ReportSchemas, list_adapter
from functions.handlers.api.route import Route
from functions.handlers.api.schema_parts import NAMED, Schema
from functions.handlers.http.codes import MEANINGS, ErrorCode

_EXAMPLES = {
    "recipeId": "new-user-welcome",
    "executionId": "new-user-welcome_20260504T150000Z",
    "segmentId": "frequent-buyers",
    "userId": "10000000-0000-4000-8000-000000000001",
    "name": "start.js",
}
"""Examples for path parameters: the first two are a sample recipe and one of its sends."""
_JSON = "application/json"
_Mode = Literal["validation", "serialization"]
_REF = "#/components/schemas/{model}"
_WORDS: Mapping[int, str] = {
    304: "Not changed since the version whose ETag If-None-Match names",
    400: "The request cannot be read: broken JSON, a broken form",
    401: "The caller is not authenticated",
    403: "The caller's role is too low",
    405: "This mode sends, so only POST asks for it",
    404: "What the address names does not exist",
    409: "The current state does not allow it; the message says what it allows",
    412: "The recipe has changed since it was read: its ETag is not the one in If-Match",
    413: "The body is too large",
    415: "The body has a type that is not accepted",
    422: "Fields or parameters cannot be used; `errors` names each with the reason",
    429: "Too many requests; repeat the request after Retry-After seconds",
    500: "A fault of Tminus; the log has the details",
    503: "A temporary problem; repeat the request after Retry-After seconds",
}
_REFUSAL: Mapping[str, Any] = {
    "type": "object",
    "description": "Why a request was not served. `errors` names the fields at fault, where there are any.",
    "properties": {
        "success": {"const": False, "type": "boolean"},
        "code": {"$ref": _REF.format(model="ErrorCode")},
        "message": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": _REF.format(model="FieldAtFault")}},
    },
    "required": ["success", "code", "message", "errors"],
    "additionalProperties": False,
}
_CODES: Mapping[str, Any] = {
    "type": "string",
    "enum": [code.value for code in ErrorCode],
    "description": "Why a request was not served; a code keeps its meaning, and a release may add codes.\n\n"
    + "\n".join(f"* `{code}`: {meaning}" for code, meaning in MEANINGS.items()),
}

_PAGE: Mapping[str, Any] = {
    "type": "object",
    "description": "Send `next` as the parameter `cursor` to get the next page; it is null on the last one.",
    "properties": {
        "limit": {"type": "integer"},
        "next": {"type": ["string", "null"]},
        "total": {"type": ["integer", "null"]},
    },
    "required": ["limit", "next", "total"],
}


def openapi(routes: Sequence[Route], layers: Layers, rules: Sequence[str], filters: Sequence[Filter]) -> Schema:
    """Return the document of these routes, for a workspace with these layers, names of cadence rules, and filters."""
    document: Schema = for_workspace(_document(routes, filters), layers, rules)
    return document


def _document(routes: Sequence[Route], filters: Sequence[Filter]) -> Schema:
    schemas = _Schemas(routes, filters)
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tminus",
            "version": bootstrap.running_version().version,
            "description": "Push campaigns: recipes, their executions, and what people do to them. "
            "Instants are ISO 8601 in UTC. Answers are `{success, data, message}`, refusals "
            "`{success: false, message, errors}`.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in dict.fromkeys(route.group for route in routes)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An ID token of Google for a service account that API_CALLERS names.",
                }
            },
            "schemas": _used({**schemas.definitions, "Refusal": _REFUSAL, "ErrorCode": _CODES}, paths),
        },
    }


class _Schemas:
    """The JSON schemas of all requests and answers."""

    def __init__(self, routes: Sequence[Route], filters: Sequence[Filter]) -> None:
        wanted: dict[tuple[str, _Mode], Any] = {}
        for route in routes:
            for what, mode, model in _models(route):
                wanted[f"{route.method} {route.path} {what}", mode] = model
        inputs = [(key, mode, list_adapter(model)) for (key, mode), model in wanted.items()]
        schemas, defined = TypeAdapter.json_schemas(inputs, ref_template=_REF, schema_generator=ReportSchemas)
        self._schemas = {key: _plain(schema["items"]) for key, schema in schemas.items()}
        self._models = _plain(defined.get("$defs", {}))
        described = {**self._models, **recipe_schemas(filters)}
        self.definitions = {name: _optional(model) for name, model in described.items()}

    def of(self, route: Route, what: str, mode: _Mode) -> Schema:
        """Return the schema of a route's query, body, form or answer."""
        return dict(self._schemas[f"{route.method} {route.path} {what}", mode])

    def properties(self, route: Route, what: str) -> Iterable[tuple[str, Schema, bool]]:
        """Yield the fields of a model: name, schema, whether it is required."""
        schema = self.of(route, what, "validation")
        if "$ref" in schema:
            schema = self._models[schema["$ref"].rpartition("/")[2]]
        for name, field in schema.get("properties", {}).items():
            yield name, field, name in schema.get("required", [])


def _plain(schema: Any) -> Any:
    """Return a schema in the form that all client generators read.

    pydantic writes `default: null` for optional fields of any type. Named components become references.
    """
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if NAMED in schema:
        return {"$ref": _REF.format(model=schema[NAMED])}
    return {key: _plain(value) for key, value in schema.items() if key != "default" or value is not None}


def _optional(model: Mapping[str, Any]) -> Schema:
    """Return the schema of a model with defaults in the descriptions: generators require a field with a default."""
    properties = {name: _in_words(field) for name, field in model.get("properties", {}).items()}
    return {**model, **({"properties": properties} if properties else {})}


def _in_words(field: Mapping[str, Any]) -> Schema:
    default = field.get("default")
    text = f"{field.get('description', '')} Default: {json.dumps(default)}.".lstrip() if default else ""
    kept = {key: value for key, value in field.items() if key != "default"}
    return {**kept, **({"description": text} if text else {})}


def _used(schemas: Mapping[str, Any], paths: Mapping[str, Any]) -> Schema:
    """Return the schemas to which the paths refer, directly or indirectly. Parameters are inlined."""
    used: Schema = {}
    open_values: list[Any] = [paths]
    while open_values:
        value = open_values.pop()
        if isinstance(value, dict) and isinstance(value.get("$ref"), str):
            name = value["$ref"].rpartition("/")[2]
            if name not in used:
                used[name] = schemas[name]
                open_values.append(schemas[name])
        if isinstance(value, (dict, list)):
            open_values += value.values() if isinstance(value, dict) else value
    return {name: used[name] for name in sorted(used)}


def _models(route: Route) -> Iterable[tuple[str, _Mode, Any]]:
    yield "query", "validation", route.query
    if route.body is not None:
        yield "body", "validation", route.body
    if route.form is not None:
        yield "form", "validation", route.form
    if not isinstance(route.answer, str):
        yield "answer", "serialization", route.answer


def _operation(route: Route, schemas: _Schemas) -> Schema:
    role = f"Requires the role {route.least}." if route.least else "Requires no role."
    operation: Schema = {
        "operationId": route.name,
        "summary": route.summary,
        "description": role,
        "tags": [route.group],
        "parameters": [*_parameters(route, schemas)],
        "responses": {**_successes(route, schemas), **_refusals(route)},
    }
    if route.least is None:
        operation["security"] = []
    body = _body(route, schemas)
    return operation | ({"requestBody": body} if body else {})


def _parameters(route: Route, schemas: _Schemas) -> Iterable[Schema]:
    for name in re.findall(r"{(\w+)}", route.path):
        schema = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema, "example": _EXAMPLES[name]}
    for name, schema, required in schemas.properties(route, "query"):
        described = {"description": schema.pop("description")} if "description" in schema else {}
        yield {"name": name, "in": "query", "required": required, "schema": schema, **described}
    if route.keyed:
        yield _header("Idempotency-Key", "A key that you choose: a request repeated with it takes effect once.")
    if route.etag and route.method == "GET":
        yield _header("If-None-Match", "The ETag of the version that the client has: 304 if it has not changed.")
    if route.etag and route.method != "GET":
        yield _header("If-Match", "The ETag of the version to change: 412 if it has changed meanwhile.")


def _header(name: str, description: str) -> Schema:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": description}


def _body(route: Route, schemas: _Schemas) -> Schema | None:
    content: Schema = {}
    if route.body is not None:
        content["application/json"] = {"schema": schemas.of(route, "body", "validation")}
    if route.form is not None:
        content["multipart/form-data"] = {"schema": schemas.of(route, "form", "validation")}
    return {"required": True, "content": content} if content else None


def _successes(route: Route, schemas: _Schemas) -> Schema:
    statuses = dict.fromkeys([route.status, *([202] if route.later else [])])
    answer = _success(route, schemas)
    return {str(status): {"description": HTTPStatus(status).phrase, **answer} for status in statuses}


def _success(route: Route, schemas: _Schemas) -> Schema:
    answer: Schema = {}
    if route.etag:
        answer["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "Names this version."}}
    if isinstance(route.answer, str):
        return answer | {"content": {each: {"schema": _content(each)} for each in route.answer.split(", ")}}
    envelope: Schema = {
        "type": "object",
        "properties": {
            "success": {"const": True, "type": "boolean"},
            "data": schemas.of(route, "answer", "serialization"),
            "message": {"type": "string"},
        },
        "required": ["success", "data", "message"],
    }
    if route.paged:
        envelope["properties"]["pagination"] = _PAGE
        envelope["required"].append("pagination")
    file = {route.file: {"schema": {"type": "string"}}} if route.file else {}
    return answer | {"content": {"application/json": {"schema": envelope}, **file}}


def _content(content_type: str) -> Schema:
    return {"type": "object", "additionalProperties": True} if content_type == _JSON else {"type": "string"}


def _refusals(route: Route) -> Schema:
    statuses = {422, 500, 503, *route.refusals}
    statuses |= {401, 403} if route.least else set()
    statuses |= {404} if "{" in route.path else set()
    statuses |= {400, 413, 415} if route.body is not None or route.form is not None else set()
    statuses |= {409} if route.keyed else set()
    statuses |= {429} if route.expensive else set()
    if route.etag:
        statuses |= {304} if route.method == "GET" else {412}
    return {str(status): _refusal(status) for status in sorted(statuses)}


def _refusal(status: int) -> Schema:
    if status == 304:
        return {"description": _WORDS[status]}
    schema = {"$ref": _REF.format(model="Refusal")}
    return {"description": _WORDS[status], "content": {"application/json": {"schema": schema}}}
