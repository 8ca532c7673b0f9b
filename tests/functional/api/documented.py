"""A client of the function `api` that holds every answer to the OpenAPI document."""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jsonschema_rs
from werkzeug.test import Client, TestResponse

from audience_jobs.workspace import marketplace
from functions import bootstrap
from functions.handlers.api.openapi import openapi
from functions.handlers.api.table import ROUTES
from functions.ports import Ports
from local.runtime.functions import load_functions
from local.runtime.serving import SOURCE
from tests.factories import DEFAULT_LAYERS, DEFAULT_RULES


class ApiClient:
    """Calls the deployed function through functions-framework, on the ports of the moment."""

    def __init__(self, ports: Callable[[], Ports]) -> None:
        self._ports = ports

    def __call__(self, method: str, path: str, **request: Any) -> TestResponse:
        """Make a call, and see that its answer is one that the document announces."""
        response = self.unchecked(method, path, **request)
        _check(method, path.partition("?")[0], response)
        return response

    def unchecked(self, method: str, path: str, **request: Any) -> TestResponse:
        """Make a call that the document does not know."""
        with bootstrap.bind(self._ports()):
            return Client(_app(), use_cookies=False).open(path, method=method, buffered=True, **request)

    def data(self, method: str, path: str, **request: Any) -> Any:
        """Make a call that succeeds, and return its data."""
        response = self(method, path, **request)
        body = json.loads(response.text)
        assert body["success"], response.text
        return body["data"]


@cache
def _app() -> Any:
    return load_functions(("api",), SOURCE)["api"]


@cache
def document() -> dict[str, Any]:
    return openapi(ROUTES, DEFAULT_LAYERS, [rule.name for rule in DEFAULT_RULES], [*marketplace().filters.values()])


def _check(method: str, path: str, response: TestResponse) -> None:
    operation = _operation(method, path)
    told = operation["responses"].get(str(response.status_code))
    assert told is not None, f"{method} {path} answered {response.status_code}: {response.text}"
    content = told.get("content")
    if content is None:
        assert response.data == b""
        return
    schema = content[response.mimetype]
    if response.mimetype == "application/json" and response.data:
        _validate(schema["schema"], json.loads(response.text))


def _operation(method: str, path: str) -> Mapping[str, Any]:
    fitting = [
        known for known in document()["paths"] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", known), path.rstrip("/"))
    ]
    literal = min(fitting, key=lambda known: known.count("{"))
    return document()["paths"][literal][method.lower()]  # type: ignore[no-any-return]


def _validate(schema: Mapping[str, Any], body: Any) -> None:
    if schema == {"type": "string"}:
        return
    whole = {**schema, "components": document()["components"]}
    jsonschema_rs.validate(whole, body)
