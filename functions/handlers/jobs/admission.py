"""Let in only the service that may call a function, and read no more of a request than that function needs."""

from flask import Request, Response

from functions import bootstrap, logs
from functions.domain.errors import Forbidden, Misconfigured, Transient, Unauthenticated
from functions.domain.roles import Service
from functions.handlers.http.callers import body_fits, leave_unread
from functions.handlers.jobs.errors import refuse, turned_away

CHECKED_INSTEAD = "X-Serverless-Authorization"
"""Where a request has it, Cloud Run checks this header, and passes Authorization on without a look at it:
cloud.google.com/run/docs/authenticating/service-to-service#acquire-token."""


def admit(request: Request, service: Service, function: str, most_body_bytes: int) -> Response | None:
    """Read the body of a service's request, and return None; or return the refusal without reading the body.

    The refusal is 401 if the caller is not authenticated, 403 if it is not the service, 503 if that cannot be checked
    now or a setting is missing, and 413 for a body that is too large.
    """
    authorization, passed_through = request.headers.get("Authorization"), CHECKED_INSTEAD in request.headers
    with logs.context(function=function):
        try:
            bootstrap.ports().callers.check_service(authorization, service, function, passed_through)
        except (Unauthenticated, Forbidden, Transient, Misconfigured) as error:
            refused: Response | None = turned_away(error)
        else:
            refused = None if body_fits(request, most_body_bytes) else _too_large(most_body_bytes)
    if refused is not None:
        leave_unread(request)
    return refused


def _too_large(most_bytes: int) -> Response:
    return refuse(413, f"the body is too large; at most {most_bytes:,} bytes are read")
