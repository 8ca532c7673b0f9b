"""The person or program that calls, and how much of its request is read and logged."""

import re
from io import BytesIO

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from functions import bootstrap
from functions.domain.roles import Caller, Role

_USER = re.compile(r"^((?:/api)?/(?:users|people)/)(?!notifications$|why$).*?(/notifications|/why)?$")
"""Addresses of earlier releases and of other systems, which had a user's id in them."""


PROXY_ASSERTION = "X-Goog-IAP-JWT-Assertion"
"""The header in which Identity-Aware Proxy asserts who visits: cloud.google.com/iap/docs/signed-headers-howto."""


def caller(request: Request, function: str, *, least: Role) -> Caller:
    """Return the person or program that calls a function.

    Unauthenticated without a valid token, Forbidden if the caller's role is too low, Transient if that cannot be
    checked now.
    """
    found = bootstrap.ports().callers.person(request.headers.get("Authorization"), function)
    found.require(least)
    return found


def logged_path(path: str) -> str:
    """Return a path for the log, without the id of a user."""
    return _USER.sub(r"\1...\2", path)


def leave_unread(request: Request) -> None:
    """Do not read the rest of a body: functions-framework would read it into memory."""
    request.stream = BytesIO()


def body_fits(request: Request, most_bytes: int, *, parsed_later: bool = False) -> bool:
    """Read the body and return whether it fits.

    At most one byte more than the limit is read: werkzeug truncates a chunked body silently.

    A form that is parsed later goes to disk, field by field. Only its Content-Length counts here.
    """
    request.max_content_length = most_bytes + 1
    try:
        if parsed_later:
            return (request.content_length or 0) <= most_bytes
        return len(request.get_data()) <= most_bytes
    except RequestEntityTooLarge:
        return False
