"""Identity-Aware Proxy as a WSGI application around the console."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from functions.domain.roles import Role
from local.standins.iap.key import ProxyKey
from local.standins.iap.page import chooser

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MADE_USERS: Mapping[str, Role] = {f"{role.value}@example.com": role for role in Role}
"""The users where a deployment names none."""
CHOOSE, LEAVE = "/_gcp_iap/choose", "/_gcp_iap/clear_login_cookie"
_COOKIE = "TMINUS_IAP_USER"
_OF_THE_PROXY = "HTTP_X_GOOG_"


class IdentityProxy:
    """Asks each visitor once who to be, one of `users`, and asserts that to the console for its `audience`.

    Like the real one, it replaces the headers of a visitor who brings an assertion along. A visitor without a cookie
    is redirected to the page with the users, or refused with 401 where the request is no page that a person opens.
    """

    def __init__(self, key: ProxyKey, audience: str, users: Mapping[str, Role]) -> None:
        self._key, self._audience, self._users = key, audience, users

    def before(self, app: "WSGIApplication") -> "WSGIApplication":
        """Return the application as visitors reach it."""

        def guarded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            request = Request(environ)
            own = {CHOOSE: self._choose, LEAVE: self._leave}.get(request.path)
            if own is not None:
                return own(request)(environ, start_response)
            email = unquote(request.cookies.get(_COOKIE, ""))
            if email not in self._users:
                return self._stranger(request)(environ, start_response)
            return app({**_without_the_proxys(environ), **self._asserted(email)}, start_response)

        return guarded

    def _asserted(self, email: str) -> dict[str, str]:
        return {
            "HTTP_X_GOOG_IAP_JWT_ASSERTION": self._key.assertion(email, self._audience),
            "HTTP_X_GOOG_AUTHENTICATED_USER_EMAIL": f"accounts.google.com:{email}",
        }

    def _choose(self, request: Request) -> Response:
        """Show the users, or remember the one that a visitor has chosen."""
        back = _own_path(request.values.get("back", ""), request.script_root)
        email = request.form.get("user", "")
        if request.method != "POST" or email not in self._users:
            page = chooser(self._users, request.script_root + CHOOSE, back)
            return Response(page, content_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"})
        response = redirect(back, code=303, Response=Response)
        response.set_cookie(_COOKIE, quote(email), path=request.script_root or "/", httponly=True, samesite="Lax")
        return response

    @staticmethod
    def _leave(request: Request) -> Response:
        response = redirect(request.script_root + CHOOSE, code=303, Response=Response)
        response.delete_cookie(_COOKIE, path=request.script_root or "/")
        return response

    @staticmethod
    def _stranger(request: Request) -> Response:
        if request.method != "GET" or request.headers.get("HX-Request") == "true":
            return Response("Sign in first: open the console.\n", status=401, content_type="text/plain")
        back = quote(request.script_root + request.full_path.rstrip("?"), safe="")
        return redirect(f"{request.script_root}{CHOOSE}?back={back}", code=302, Response=Response)


def _without_the_proxys(environ: "WSGIEnvironment") -> dict[str, object]:
    return {name: value for name, value in environ.items() if not name.startswith(_OF_THE_PROXY)}


def _own_path(path: str, root: str) -> str:
    """Return a path of the console, its first page for any other address."""
    return path if path.startswith(f"{root}/") and not path.startswith(("//", "/\\")) else f"{root}/"
