"""Require a token for all functions if other machines can reach them."""

import json
from base64 import b64decode
from binascii import Error
from collections.abc import Iterable
from hmac import compare_digest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_CONSOLE = "/console/"
_CANCEL_LINKS = "/console/cancel/"
_READING = ("GET", "HEAD")
_REFUSED = "401 Unauthorized"
_MISSING = "the request does not show TMINUS_TOKEN: send Authorization: Bearer and the token"
_ANOTHER = "the request shows another token than TMINUS_TOKEN of this system: send the one that the system has"
_HEADERS = [
    ("Content-Type", "application/json; charset=utf-8"),
    ("WWW-Authenticate", 'Basic realm="Tminus: any name, and TMINUS_TOKEN as the password", charset="UTF-8"'),
    ("WWW-Authenticate", 'Bearer realm="Tminus"'),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
]


def behind_token(app: "WSGIApplication", token: str) -> "WSGIApplication":
    """Allow callers with the token, as `Authorization: Bearer` or as the password that a browser asks for.

    A browser also adds the password to requests from other sites. So the password opens only the console, which
    protects its forms, and requests that read. A cancel link needs no token.
    """

    def guarded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO") or "/", environ.get("REQUEST_METHOD", "")
        by_browser = path.startswith(_CONSOLE) or method in _READING
        shown = _shown(environ.get("HTTP_AUTHORIZATION", ""), basic=by_browser)
        if path.startswith(_CANCEL_LINKS) or compare_digest(shown, token.encode()):
            return app(environ, start_response)
        start_response(_REFUSED, _HEADERS)
        message = _ANOTHER if shown else _MISSING
        return [json.dumps({"success": False, "message": message, "errors": []}).encode()]

    return guarded


def _shown(authorization: str, *, basic: bool) -> bytes:
    """Return the token that a caller shows; empty for none, which is never TMINUS_TOKEN."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip().encode()
    return _password(rest) if scheme.lower() == "basic" and basic else b""


def _password(text: str) -> bytes:
    try:
        return b64decode(text, validate=True).partition(b":")[2]
    except (Error, ValueError):
        return b""
