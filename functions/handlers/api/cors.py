"""Allow pages of other origins to call the API, if API_CORS_ORIGINS names them."""

from flask import Request, Response

from functions import bootstrap

_HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key"
_SHOWN = "ETag, Location, Retry-After"
_REMEMBERED_SECONDS = 600


def allowed_origin(request: Request) -> str:
    """Return the origin of the page that sends the request; empty if the deployment does not allow it."""
    origin = request.headers.get("Origin", "")
    return origin if origin and origin in bootstrap.ports().policy.api_origins else ""


def preflight(request: Request, origin: str) -> Response | None:
    """Answer a browser's preflight request of an allowed origin; None for every other request."""
    if not origin or request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    return Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Max-Age": str(_REMEMBERED_SECONDS),
        },
    )


def shared(response: Response, origin: str) -> Response:
    """Return the response, with headers that let a page of an allowed origin read it."""
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _SHOWN
    return response
