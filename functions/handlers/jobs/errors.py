"""Maps errors to HTTP statuses, for requests of Cloud Tasks and Cloud Scheduler.

Cloud Tasks delivers a request again unless it is answered 2xx, and slows down its whole queue for answers 429 and
503: cloud.google.com/tasks/docs/common-pitfalls. So only an overload or a fault that passes is answered 429 or 503. A
step that came too early is put off by a task of its own, and answered 200. An error that a retry cannot fix is logged
and answered 200. Unknown callers get 401 and 403.

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
    NotReady,
    NotYet,
    QuotaExceeded,
    TminusError,
    Transient,
    Unauthenticated,
    for_log,
)
from functions.handlers.http.headers import NO_SNIFFING, content_security_policy
from functions.logs import log

_LONGEST_WAIT_SECONDS = 60
_HEADERS = {"Cache-Control": "no-store", **NO_SNIFFING, **content_security_policy()}
PutOff = Callable[[NotYet | NotReady], bool]


def answer(
    work: Callable[[], Mapping[str, Any]],
    now: Callable[[], datetime],
    gave_up: Callable[[TminusError], None] = lambda _: None,
    put_off: PutOff | None = None,
) -> Response:
    """Do the work and answer with its result, or with the status for its error.

    `gave_up` receives an error that a retry cannot fix. `put_off` enqueues the task that follows one which came too
    early, or which Google refuses for now, and returns whether it did. Requests without it, those of Cloud Scheduler,
    are answered 503 instead: a job has few attempts, and reconcile finds what they leave undone.
    """
    try:
        return _respond(200, work())
    except (NotYet, NotReady) as error:
        return _respond_later(error, now(), gave_up, put_off)
    except QuotaExceeded as error:
        return _again(429, error, error.retry_after_seconds)
    except (Unauthenticated, Forbidden, Transient, OSError) as error:
        return turned_away(error)
    except Halted as error:
        return _respond(200, {"result": "halted", "message": str(error)})
    except TminusError as error:
        return _give_up(error, gave_up)


def _respond_later(
    error: NotYet | NotReady, now: datetime, gave_up: Callable[[TminusError], None], put_off: PutOff | None
) -> Response:
    """Answer 200 once the following task is enqueued: the queue may then forget this one."""
    if put_off is None:
        if isinstance(error, NotReady):
            return turned_away(error)
        wait_seconds = (error.due_at - now).total_seconds()
        return _again(503, error, max(1, min(wait_seconds, _LONGEST_WAIT_SECONDS)))
    try:
        follows = put_off(error)
    except (Transient, Misconfigured, OSError) as trouble:
        return turned_away(trouble)
    if follows:
        log.info(for_log(error), extra={"action": "put_off", "error": type(error).__name__})
        return _respond(200, {"result": "put off", "message": str(error)})
    if isinstance(error, NotReady):
        return _give_up(error, gave_up)
    log.warning(for_log(error), extra={"action": "left_to_reconcile"})
    return _respond(200, {"result": "left to reconcile", "message": str(error)})


def _give_up(error: TminusError, gave_up: Callable[[TminusError], None]) -> Response:
    log.error(for_log(error), extra={"action": "gave_up", "error": type(error).__name__})
    gave_up(error)
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
    response.headers.update(_HEADERS)
    return response
