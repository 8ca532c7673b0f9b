"""Who calls: each function lets in its own callers only, and reads no more of a request than it needs."""

import re
from io import BytesIO

from flask import Request, Response
from werkzeug.exceptions import RequestEntityTooLarge

from functions import bootstrap, logs
from functions.domain.errors import Forbidden, Misconfigured, Transient, Unauthenticated
from functions.domain.roles import Caller, Role, Service
from functions.handlers.jobs.errors import refuse, turned_away

_USER = re.compile(r"^((?:/api)?/users/).*?(/notifications)?$")


def admit(request: Request, service: Service, function: str, most_body_bytes: int) -> Response | None:
    """Read the body of a request of a service; else return what to answer, with the rest of the body left unread.

    That is 401 where the caller is not authenticated, 403 for a caller that is not the service, 503 where that cannot
    be found out now or a setting is missing, 413 for a body that is too large, whether it says so or not.
    """
    authorization = request.headers.get("Authorization")
    with logs.context(function=function):
        try:
            bootstrap.ports().callers.check_service(authorization, service, function)
        except (Unauthenticated, Forbidden, Transient, Misconfigured) as error:
            refused: Response | None = turned_away(error)
        else:
            refused = None if body_fits(request, most_body_bytes) else _too_large(most_body_bytes)
    if refused is not None:
        leave_unread(request)
    return refused


def caller(request: Request, function: str, *, least: Role) -> Caller:
    """Return the person or program that calls a function.

    Unauthenticated without a token that holds, Forbidden where the caller's role is too low, Transient where that
    cannot be found out now.
    """
    found = bootstrap.ports().callers.person(request.headers.get("Authorization"), function)
    found.require(least)
    return found


def logged_path(path: str) -> str:
    """Return a path as the log may hold it: without the id of a user."""
    return _USER.sub(r"\1...\2", path)


def leave_unread(request: Request) -> None:
    """Leave what is left of a body where it is: functions-framework reads it into memory otherwise."""
    request.stream = BytesIO()


def body_fits(request: Request, most_bytes: int, *, parsed_later: bool = False) -> bool:
    """Read the body and keep it, one byte more than the limit at most: werkzeug cuts a chunked one off in silence.

    A form that is parsed later goes to the disk, field by field; only the size that it says of itself counts here.
    """
    request.max_content_length = most_bytes + 1
    try:
        if parsed_later:
            return (request.content_length or 0) <= most_bytes
        return len(request.get_data()) <= most_bytes
    except RequestEntityTooLarge:
        return False


def _too_large(most_bytes: int) -> Response:
    return refuse(413, f"the body is too large; at most {most_bytes:,} bytes are read")
