"""Addresses of calls and pages: an id may hold any character, percent-encoded."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from flask import Request
from werkzeug.routing import Map

_SLASH = "\ud800"
"""Stands for a `/` inside a segment while routes are matched: a lone surrogate, which no decoded address holds."""


def match(routes: Map, request: Request, method: str) -> tuple[Any, Mapping[str, Any]]:
    """Return the endpoint of a request and what its address names; an HTTPException where there is none.

    WSGI hands a path over decoded, and so cannot tell `/recipes/a%2Fb`, the recipe `a/b`, from `/recipes/a/b`:
    peps.python.org/pep-3333. The address as it was sent can.
    """
    endpoint, named = routes.bind("").match(_segmented(request), method)
    return endpoint, {
        name: value.replace(_SLASH, "/") if isinstance(value, str) else value for name, value in named.items()
    }


def _segmented(request: Request) -> str:
    """Return the request's path, with what stands for a slash in the place of those that were encoded."""
    sent = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    segments = sent.partition("?")[0].split("/")
    whole = "/".join(unquote(segment).replace("/", _SLASH) for segment in segments)
    path = request.path
    return whole[len(whole) - len(path) :] if whole.replace(_SLASH, "/").endswith(path) else path
