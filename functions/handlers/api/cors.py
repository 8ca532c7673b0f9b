"""Lets the pages of other origins call the API, where API_CORS_ORIGINS names them; else browsers keep them out."""

from flask import Request, Response

from functions import bootstrap

_HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key"
_SHOWN = "ETag, Location, Retry-After"
_REMEMBERED_SECONDS = 600


def preflight(request: Request) -> Response | None:
    """Answer a browser that asks whether a page may call; None for every other request."""
    if request.method != "OPTIONS" or not _allowed(request) or "Access-Control-Request-Method" not in request.headers:
        return None
    return Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Max-Age": str(_REMEMBERED_SECONDS),
        },
    )


def allow_origin(request: Request, response: Response) -> None:
    """Say in the answer that the page may read it."""
    if _allowed(request):
        response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        response.headers["Access-Control-Expose-Headers"] = _SHOWN


def _allowed(request: Request) -> bool:
    origin = request.headers.get("Origin")
    return origin is not None and origin in bootstrap.ports().policy.api_origins
