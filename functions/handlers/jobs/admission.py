"""Let in only the service that may call a function, and read no more of a request than that function needs."""

from flask import Request, Response

from functions import bootstrap, logs
from functions.domain.errors import Forbidden, Misconfigured, Transient, Unauthenticated
from functions.domain.roles import Service
from functions.handlers.http.callers import body_fits, leave_unread
from functions.handlers.jobs.errors import refuse, turned_away


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


def _too_large(most_bytes: int) -> Response:
    return refuse(413, f"the body is too large; at most {most_bytes:,} bytes are read")
