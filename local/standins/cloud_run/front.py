"""Cloud Run's check of callers, as a WSGI application around a function.

cloud.google.com/run/docs/authenticating/service-to-service: the ID token is in `Authorization`, or where that header
is needed for something else, in `X-Serverless-Authorization`, and then Cloud Run checks only that one. It passes the
token on without its signature: cloud.google.com/run/docs/troubleshooting#signature-removed.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from local.standins.grants import Grants, account_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_FIRST, _SECOND = "HTTP_X_SERVERLESS_AUTHORIZATION", "HTTP_AUTHORIZATION"
_REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"

Claims = Callable[[str, str], Mapping[str, Any] | None]
"""Returns the claims of a token for an audience; None if the token is not valid."""


class Front:
    """Lets the accounts with roles/run.invoker on a service pass.

    401 for a token that is not valid for the service's address, 403 without a token, and for everybody else.
    """

    def __init__(self, grants: Grants, claims: Claims) -> None:
        self._grants, self._claims = grants, claims

    def before(self, app: "WSGIApplication", service: str, url: str) -> "WSGIApplication":
        """Return the application as the service with this name and address serves it."""

        def guarded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            header = _FIRST if _FIRST in environ else _SECOND
            scheme, _, token = str(environ.get(header, "")).partition(" ")
            if scheme.lower() != "bearer" or not token:
                return _refused(start_response, "403 Forbidden")
            claims = self._claims(token, url)
            if claims is None:
                return _refused(start_response, "401 Unauthorized")
            if not self._grants.may_invoke(account_of(str(claims.get("email"))), service):
                return _refused(start_response, "403 Forbidden")
            return app({**environ, header: f"{scheme} {token.rpartition('.')[0]}.{_REMOVED}"}, start_response)

        return guarded


def _refused(start_response: "StartResponse", status: str) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "text/html; charset=UTF-8")])
    return [f"<html><title>{status}</title>Your client does not have permission to this URL.</html>".encode()]
