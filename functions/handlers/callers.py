"""Who calls: each function lets in its own callers only, and reads no more of a request than it needs."""

from io import BytesIO

from flask import Request, Response
from werkzeug.exceptions import RequestEntityTooLarge

from functions import bootstrap, logs
from functions.domain.errors import Forbidden, Transient, Unauthenticated
from functions.domain.roles import Caller, Role, Service
from functions.handlers.answers import refuse, turned_away


def admit(request: Request, service: Service, function: str, most_body_bytes: int) -> Response | None:
    """Read the body of a request of a service; else return what to answer, with the rest of the body left unread.

    That is 401 where nobody vouches for the caller, 403 for a caller that is not the service, 503 where that cannot
    be found out now, 413 for a body that is too large, whether it says so or not.
    """
    authorization = request.headers.get("Authorization")
    with logs.context(function=function):
        try:
            bootstrap.ports().callers.check_service(authorization, service, function)
        except (Unauthenticated, Forbidden, Transient) as error:
            refused: Response | None = turned_away(error)
        else:
            refused = _read_body(request, most_body_bytes)
    if refused is not None:
        request.stream = BytesIO()  # functions-framework reads whatever is left into memory
    return refused


def caller(request: Request, function: str, *, least: Role) -> Caller:
    """Return the person or program that calls a function.

    Unauthenticated without a token that holds, Forbidden where the caller's role is too low, Transient where that
    cannot be found out now.
    """
    found = bootstrap.ports().callers.person(request.headers.get("Authorization"), function)
    found.require(least)
    return found


def _read_body(request: Request, most_bytes: int) -> Response | None:
    """Read the body and keep it, one byte more than the limit at most: werkzeug cuts a chunked one off in silence."""
    request.max_content_length = most_bytes + 1
    try:
        too_large = len(request.get_data()) > most_bytes
    except RequestEntityTooLarge:
        too_large = True
    return refuse(413, f"the body is too large; at most {most_bytes:,} bytes are read") if too_large else None
