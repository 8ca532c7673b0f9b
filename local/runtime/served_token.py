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
_HEADERS = [
    ("Content-Type", "application/json; charset=utf-8"),
    ("WWW-Authenticate", 'Basic realm="Tminus: any name, and TMINUS_TOKEN as the password", charset="UTF-8"'),
    ("WWW-Authenticate", 'Bearer realm="Tminus"'),
    ("Cache-Control", "no-store"),
]


def behind_token(app: "WSGIApplication", token: str) -> "WSGIApplication":
    """Allow callers with the token, as `Authorization: Bearer` or as the password that a browser asks for.

    A browser also adds the password to requests from other sites. So the password opens only the console, which
    protects its forms, and requests that read. A cancel link needs no token.
    """

    def guarded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO") or "/", environ.get("REQUEST_METHOD", "")
        by_browser = path.startswith(_CONSOLE) or method in _READING
        if path.startswith(_CANCEL_LINKS) or _shows(environ.get("HTTP_AUTHORIZATION", ""), token, basic=by_browser):
            return app(environ, start_response)
        start_response(_REFUSED, _HEADERS)
        message = "the request does not show TMINUS_TOKEN: send Authorization: Bearer and the token"
        return [json.dumps({"success": False, "message": message, "errors": []}).encode()]

    return guarded


def _shows(authorization: str, token: str, *, basic: bool) -> bool:
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return compare_digest(rest.strip().encode(), token.encode())
    if scheme.lower() == "basic" and basic:
        return compare_digest(_password(rest), token.encode())
    return False


def _password(text: str) -> bytes:
    try:
        return b64decode(text, validate=True).partition(b":")[2]
    except (Error, ValueError):
        return b""
