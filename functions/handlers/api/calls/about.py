"""The API's description: the document for programs, and the page for people."""

import json
from functools import lru_cache

from functions.domain.cadence.layers import Layers
from functions.domain.errors import NotFound
from functions.handlers.api.criteria_schema import Filter
from functions.handlers.api.openapi import openapi
from functions.handlers.api.page import PAGE, POLICY, asset
from functions.handlers.api.route import Call, Reply, Route

_A_DAY = "public, max-age=86400"


def get_document(call: Call) -> Reply:
    """Answer the OpenAPI document."""
    workspace = call.ports.workspace
    cadence, filters = workspace.cadence, () if workspace.has_models else tuple(workspace.filters.values())
    content = _document(tuple(cadence.names.items()), tuple(rule.name for rule in cadence.rules), filters)
    return Reply(content=content, headers={"Cache-Control": "public, no-cache"})


def get_docs(_: Call) -> Reply:
    """Answer the page."""
    return Reply(content=PAGE, content_type="text/html; charset=utf-8", headers=POLICY)


def get_docs_file(call: Call) -> Reply:
    """Answer a script or style of the page."""
    found = asset(call.path["name"])
    if found is None:
        raise NotFound(f"the page has no file {call.path['name']!r}")
    content, content_type = found
    return Reply(content=content, content_type=content_type, headers={"Cache-Control": _A_DAY})


@lru_cache(maxsize=1)
def _document(names: tuple[tuple[int, str], ...], rules: tuple[str, ...], filters: tuple[Filter, ...]) -> bytes:
    from functions.handlers.api.table import ROUTES as ALL  # noqa: PLC0415 - the table holds this call, too

    layers = Layers(names=dict(names), exempt=frozenset())
    return json.dumps(openapi(ALL, layers, rules, filters), ensure_ascii=False).encode()


ROUTES = (
    Route(
        method="GET",
        path="/api/openapi.json",
        least=None,
        summary="This document",
        serve=get_document,
        answer="application/json",
    ),
    Route(
        method="GET",
        path="/api/docs",
        least=None,
        summary="A page that shows every call",
        serve=get_docs,
        answer="text/html",
    ),
    Route(
        method="GET",
        path="/api/docs/{name}",
        least=None,
        summary="A script or style of that page",
        serve=get_docs_file,
        answer="text/javascript, text/css, image/png",
    ),
)
