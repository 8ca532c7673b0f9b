"""The function `console`: finds the page, authenticates the visitor, and always answers."""

from collections.abc import Mapping
from functools import cache
from uuid import uuid4

from flask import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, RequestRedirect, Rule

from functions import bootstrap, logs
from functions.domain.roles import Caller, Role
from functions.handlers.console.answering import html
from functions.handlers.console.assets import ASSETS, serve_asset
from functions.handlers.console.cancel.handler import CANCEL_LINKS, handle_cancel_link
from functions.handlers.console.compression import compress_page
from functions.handlers.console.forms.guard import check_origin, check_token, read_form
from functions.handlers.console.refusal_words import back_to, title_of
from functions.handlers.console.rendering import render_alone
from functions.handlers.console.table import ROUTES
from functions.handlers.console.visit import Route, Visit
from functions.handlers.http.addresses import allow_header, match
from functions.handlers.http.callers import PROXY_ASSERTION, leave_unread, logged_path
from functions.handlers.http.codes import ErrorCode, code_of
from functions.handlers.http.errors import Refusal, refusal, unexpected
from functions.handlers.http.headers import NO_SNIFFING, content_security_policy, transport_security
from functions.handlers.http.rate import looking
from functions.handlers.http.tracing import traced
from functions.usecases.reports.accesses import record_access

FUNCTION = "console"
_ANONYMOUS = Caller(name="", role=Role.VIEWER)
_HEADERS = {
    **content_security_policy(
        script_src="'self'", style_src="'self'", img_src="'self' data:", connect_src="'self'", form_action="'self'"
    ),
    **NO_SNIFFING,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


@traced
def handle_console(request: Request) -> Response:
    """Answer one visit: a page, a part of one, a file, or a form. A cancel link needs no other authentication."""
    if request.path.startswith(CANCEL_LINKS):
        return handle_cancel_link(request)
    with logs.context(function=FUNCTION, method=request.method, path=logged_path(request.path)):
        response = _answer(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.extend({**_HEADERS, **transport_security(request)})
        compress_page(request, response)
        return response


def _answer(request: Request) -> Response:
    """Return the answer. A refusal for an authenticated visitor has a link to the overview."""
    who = _ANONYMOUS
    try:
        if request.path.startswith(ASSETS) and request.method in ("GET", "HEAD"):
            return serve_asset(request) or _refused(request, who, _MISSING)
        who = bootstrap.ports().callers.visitor(request.headers.get(PROXY_ASSERTION))
        route, path = _find(request)
        return _serve(request, route, path, who)
    except RequestRedirect as error:
        return Response(status=308, headers={"Location": error.new_url})
    except HTTPException as error:
        return _refused(request, who, _of_http(error))
    except Exception as error:
        return _refused(request, who, refusal(error) or unexpected(error))


def _serve(request: Request, route: Route, path: Mapping[str, str], who: Caller) -> Response:
    with logs.context(by=who.name):
        who.require(route.least)
        ports = looking(bootstrap.ports(), who) if route.expensive else bootstrap.ports()
        visit = Visit(ports, who, path, request)
        if route.method == "POST":
            check_origin(request)
            read_form(request, route.upload_bytes)
            check_token(visit)
        if subject := route.reads and route.reads(visit):
            record_access(visit.ports, subject, by=who.name, route=f"{route.method} {FUNCTION}{route.path}")
        return route.serve(visit)


def _refused(request: Request, who: Caller, refused: Refusal) -> Response:
    """Return the page of a refusal, made without ports, because they may be unavailable."""
    leave_unread(request)
    reference = refused.reference or uuid4().hex[:8]
    logs.log.info(refused.logged, extra={"action": "refused", "status": refused.status, "reference": reference})
    values = {
        "refusal": refused,
        "known": who is not _ANONYMOUS,
        "title": title_of(refused, request.method, request.path),
        "back": back_to(request),
        "reference": reference,
    }
    response = html(render_alone("refused.html", request.script_root, who, values), refused.status)
    response.headers.extend({name: text for name, text in refused.headers.items() if name != "WWW-Authenticate"})
    return response


def _find(request: Request) -> tuple[Route, Mapping[str, str]]:
    method = "GET" if request.method == "HEAD" else request.method
    return match(_map(), request, method)


@cache
def _map() -> Map:
    rules = [Rule(route.path, methods=[route.method], endpoint=route) for route in ROUTES]
    return Map(rules, strict_slashes=False, merge_slashes=False)


_MISSING = Refusal(status=404, message="page not found", code=ErrorCode.NOT_FOUND)


def _of_http(error: HTTPException) -> Refusal:
    status = error.code or 400
    words = {404: _MISSING.message, 405: "this address does not accept this request"}
    message = words.get(status, error.description or error.name)
    return Refusal(status=status, message=message, code=code_of(status), headers=allow_header(error))
