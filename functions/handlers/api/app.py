"""The function `api`: finds the route, authenticates the caller, reads the request, and always answers."""

from collections.abc import Mapping
from functools import cache

from flask import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from functions import bootstrap, logs
from functions.domain.cadence.layers import Layers
from functions.domain.roles import Caller, Role
from functions.handlers.api.answering import answered, refused
from functions.handlers.api.bodies import read_body, read_query
from functions.handlers.api.route import Call, Route
from functions.handlers.api.table import ROUTES
from functions.handlers.http.addresses import allow_header, match
from functions.handlers.http.callers import caller, leave_unread, logged_path
from functions.handlers.http.codes import ErrorCode, code_of
from functions.handlers.http.errors import Refusal, refusal, unexpected
from functions.handlers.http.headers import transport_security
from functions.handlers.http.rate import looking
from functions.handlers.http.tracing import traced
from functions.usecases.cadence.rules_in_force import layers_of
from functions.usecases.reports.accesses import record_access

FUNCTION = "api"
_ANYBODY = Caller(name="anybody", role=Role.VIEWER)


@traced
def handle_api(request: Request) -> Response:
    """Serve one call. Every answer has the same envelope, including unexpected errors."""
    with logs.context(function=FUNCTION, method=request.method, path=logged_path(request.path)):
        try:
            response = _answer(request)
            response.headers.update(transport_security(request))
            return response
        finally:
            request.close()  # until then the files of a form are on disk


def _answer(request: Request) -> Response:
    try:
        return _serve(request, *_find(request))
    except HTTPException as error:
        leave_unread(request)
        return refused(_of_http(error))
    except Exception as error:
        leave_unread(request)
        return refused(refusal(error) or unexpected(error))


def _serve(request: Request, route: Route, path: Mapping[str, str]) -> Response:
    who = _ANYBODY if route.least is None else caller(request, FUNCTION, least=route.least)
    with logs.context(by=who.name):
        query, body = read_query(request, route), read_body(request, route, _layers)
        ports = looking(bootstrap.ports(), who) if route.expensive else bootstrap.ports()
        call = Call(ports=ports, caller=who, path=path, query=query, body=body, request=request)
        if subject := route.reads and route.reads(call):
            record_access(ports, subject, by=who.name, route=f"{route.method} {route.path}")
        response = answered(call, route.serve(call))
        if subject:
            response.headers["Cache-Control"] = "no-store"
        return response


def _layers() -> Layers:
    return layers_of(bootstrap.ports().workspace)


def _find(request: Request) -> tuple[Route, Mapping[str, str]]:
    """Return the route of a request and the parameters in its path; HTTPException if there is none."""
    return match(_map(), request, request.method)


@cache
def _map() -> Map:
    rules = [
        Rule(route.path.replace("{", "<").replace("}", ">"), methods=[route.method], endpoint=route)
        for route in ROUTES
    ]
    return Map(rules, strict_slashes=False, merge_slashes=False)


def _of_http(error: HTTPException) -> Refusal:
    """Return Tminus's refusal for werkzeug's error about an address, a method or an unreadable form."""
    status = error.code or 400
    headers = allow_header(error)
    words = {
        404: "unknown endpoint; GET /api/docs lists all. In an address an id is percent-encoded: / is %2F",
        405: f"possible here: {headers.get('Allow', '')}",
    }
    code = ErrorCode.UNKNOWN_ENDPOINT if status == 404 else code_of(status)
    message = words.get(status, error.description or error.name)
    return Refusal(status=status, message=message, code=code, headers=headers)
