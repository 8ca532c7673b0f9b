"""The person or program that calls, and how much of its request is read and logged."""

import re
from io import BytesIO

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from functions import bootstrap
from functions.domain.roles import Caller, Role

_USER = re.compile(r"^((?:/api)?/users/).*?(/notifications)?$")


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
