"""Maps errors to HTTP statuses, for people and programs that call the API; tasks have `handlers/jobs/errors.py`.

422 means that the content is readable but invalid, and names the fields (RFC 9110, section 15.5.21). 400 means that
it is unreadable, such as broken JSON. 409 means that the current state does not allow it, and 412 that the client's
version is outdated. Only temporary problems are answered 429 or 503, with the time to wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from audience_jobs.errors import AudienceJobError, BadCriteria, BadParameter, RefusedQuery, Unavailable, UnknownJob
from functions.domain.errors import (
    BadAudience,
    BadFields,
    BadInput,
    Conflict,
    FieldError,
    Forbidden,
    Misconfigured,
    NotFound,
    NotPossible,
    NotYet,
    QuotaExceeded,
    Stale,
    TminusError,
    Transient,
    Unauthenticated,
    Unreadable,
)
from functions.handlers.http.codes import ErrorCode, code_of
from functions.logs import log

_WAIT_SECONDS = 5
_OF_CONTENT = (400, 422)
"""Statuses whose messages quote what the caller wrote."""


class Refused(TminusError):
    """A request that no use case can serve: the status, the reason, and headers."""

    def __init__(
        self,
        status: int,
        message: str,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldError] = (),
        code: ErrorCode | None = None,
    ) -> None:
        self.status, self.headers, self.errors = status, headers or {}, errors
        self.code = code or code_of(status)
        super().__init__(message)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The content of an error answer."""

    status: int
    message: str
    code: ErrorCode
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    reference: str = ""
    """Under which the log says more; empty for an expected error."""

    @property
    def logged(self) -> str:
        """The message for the log. What the caller wrote is not in it: it may be personal, such as a user's id."""
        if self.errors:
            return f"{self.code.value}: {'; '.join(error.redacted for error in self.errors)}"
        return self.code.value if self.status in _OF_CONTENT else self.message


_STATUS: Mapping[type[Exception], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    NotPossible: 409,
    Unreadable: 409,
    Stale: 412,
    Conflict: 409,
    BadInput: 422,
    UnknownJob: 404,
    BadParameter: 422,
    BadCriteria: 422,
    RefusedQuery: 422,
    AudienceJobError: 409,
    BadAudience: 409,
    Unavailable: 503,
    QuotaExceeded: 429,
    Transient: 503,
}
"""The status of each error; its nearest class counts. Unreadable user data is a conflict with the current state."""


def refusal(error: Exception) -> Refusal | None:
    """Return the refusal for an error; None for an unexpected one.

    A missing or wrong setting is logged in full. The caller only gets its name.
    """
    if isinstance(error, Misconfigured):
        log.error(str(error), extra={"action": "misconfigured", "setting": error.setting})
        return Refusal(status=503, message=error.public_message, code=ErrorCode.MISCONFIGURED)
    if isinstance(error, Refused):
        return Refusal(
            status=error.status, message=str(error), code=error.code, errors=error.errors, headers=error.headers
        )
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), None)
    if status is None:
        return None
    code, headers = code_of(status, error), _headers(error, status)
    return Refusal(status=status, message=str(error), code=code, errors=_fields(error), headers=headers)


def unexpected(error: Exception) -> Refusal:
    """Log an unexpected error, and return a refusal with only a reference to the log.

    A full disk or a broken connection is temporary: it is answered 503.
    """
    reference = uuid4().hex[:8]
    if isinstance(error, OSError):
        log.error(str(error), extra={"action": "failed", "reference": reference})
        reason = error.strerror or type(error).__name__
        message = f"a disk or a connection fails: {reason}; the log says more under {reference}"
        headers = {"Retry-After": str(_WAIT_SECONDS)}
        return Refusal(status=503, message=message, code=ErrorCode.UNAVAILABLE, headers=headers, reference=reference)
    log.error("unexpected", exc_info=error, extra={"action": "failed", "reference": reference})
    message = f"an unexpected error occurred; the log has it under {reference}"
    return Refusal(status=500, message=message, code=ErrorCode.INTERNAL_ERROR, reference=reference)


def _fields(error: Exception) -> Sequence[FieldError]:
    if isinstance(error, BadFields):
        return error.errors
    if isinstance(error, BadCriteria):
        return [FieldError(name, reason) for name, reason in error.errors]
    if isinstance(error, BadParameter):
        return [FieldError(f"parameters.{error.parameter}", error.reason)]
    return ()


def _headers(error: Exception, status: int) -> Mapping[str, str]:
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, QuotaExceeded):
        return {"Retry-After": f"{max(1, error.retry_after_seconds):.0f}"}
    if status == 503 or isinstance(error, (Conflict, NotYet)):
        return {"Retry-After": str(_WAIT_SECONDS)}
    return {}
