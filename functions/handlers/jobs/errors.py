"""Maps errors to HTTP statuses, for requests of Cloud Tasks and Cloud Scheduler.

Cloud Tasks delivers a request again unless it is answered 2xx. So only temporary problems are answered 429 or 503. An
error that a retry cannot fix is logged and answered 200. Unknown callers get 401 and 403.

401 means that the caller is not authenticated: there is no token, or it is forged, expired or for another audience
(RFC 6750, section 3.1: invalid_token). 403 means that the caller is known but not allowed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Response, jsonify

from functions.domain.errors import (
    Forbidden,
    Halted,
    Misconfigured,
    NotYet,
    QuotaExceeded,
    TminusError,
    Transient,
    Unauthenticated,
    for_log,
)
from functions.logs import log

_LONGEST_WAIT_SECONDS = 60


def answer(
    work: Callable[[], Mapping[str, Any]],
    now: Callable[[], datetime],
    gave_up: Callable[[TminusError], None] = lambda _: None,
) -> Response:
    """Do the work and answer with its result, or with the status for its error.

    `gave_up` receives an error that a retry cannot fix.
    """
    try:
        return _respond(200, work())
    except NotYet as error:
        wait = (error.due_at - now()).total_seconds()
        return _again(503, error, max(1, min(wait, _LONGEST_WAIT_SECONDS)))
    except QuotaExceeded as error:
        return _again(429, error, error.retry_after_seconds)
    except (Unauthenticated, Forbidden, Transient, OSError) as error:
        return turned_away(error)
    except Halted as error:
        return _respond(200, {"result": "halted", "message": str(error)})
    except TminusError as error:
        gave_up(error)
        log.error(for_log(error), extra={"action": "gave_up", "error": type(error).__name__})
        return _respond(200, {"result": "gave up", "message": str(error)})


def refuse(status: int, message: str) -> Response:
    """Refuse a request with a wrong caller or a wrong form."""
    log.warning(message, extra={"action": "refused", "status": status})
    return _respond(status, {"result": "refused", "message": message})


def turned_away(error: Unauthenticated | Forbidden | Transient | Misconfigured | OSError) -> Response:
    """Refuse a request whose caller is not allowed, or that cannot be served now: a disk is full, a peer is gone.

    A missing setting is answered 503: the task waits in its queue until the operator sets it.
    """
    if isinstance(error, Misconfigured):
        log.error(str(error), extra={"action": "misconfigured", "setting": error.setting})
        return _respond(503, {"result": "again", "message": error.public_message})
    if isinstance(error, (Transient, OSError)):
        return _again(503, error)
    if isinstance(error, Forbidden):
        return refuse(403, str(error))
    response = refuse(401, str(error))
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _again(status: int, error: Transient | OSError, wait_seconds: float | None = None) -> Response:
    log.info(str(error), extra={"action": "deliver_again", "error": type(error).__name__})
    response = _respond(status, {"result": "again", "message": str(error)})
    if wait_seconds is not None:
        response.headers["Retry-After"] = f"{wait_seconds:.0f}"
    return response


def _respond(status: int, body: Mapping[str, Any]) -> Response:
    response = jsonify(body)
    response.status_code = status
    return response
