"""Match addresses of calls and pages: an id can contain any character, percent-encoded."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from flask import Request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

_SLASH = "\ud800"
"""Replaces a `/` inside a segment while routes are matched: a lone surrogate, which no decoded address contains."""


def match(routes: Map, request: Request, method: str) -> tuple[Any, Mapping[str, Any]]:
    """Return the endpoint of a request and the parameters in its path; HTTPException if there is none.

    WSGI passes a decoded path, which does not distinguish `/recipes/a%2Fb`, the recipe `a/b`, from `/recipes/a/b`:
    peps.python.org/pep-3333. The raw address does.
    """
    endpoint, named = routes.bind("").match(_segmented(request), method)
    return endpoint, {
        name: value.replace(_SLASH, "/") if isinstance(value, str) else value for name, value in named.items()
    }


def _segmented(request: Request) -> str:
    """Return the request's path, with each encoded slash replaced by `_SLASH`."""
    sent = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    segments = sent.partition("?")[0].split("/")
    whole = "/".join(unquote(segment).replace("/", _SLASH) for segment in segments)
    path = request.path
    return whole[len(whole) - len(path) :] if whole.replace(_SLASH, "/").endswith(path) else path


def allow_header(error: HTTPException) -> dict[str, str]:
    """Return the header that names the methods of an address, if the error is about the method."""
    methods = sorted(set(getattr(error, "valid_methods", None) or ()))
    return {"Allow": ", ".join(methods)} if methods else {}
