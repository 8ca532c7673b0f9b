"""Stable codes of refusals, for programs: the text of a message may change, its code does not."""

from collections.abc import Mapping
from enum import StrEnum

from audience_jobs.errors import AudienceJobError, RefusedQuery, UnknownJob
from functions.domain.errors import BadAudience, Conflict, KeyReused, Misconfigured, Unreadable
from functions.domain.recipe.first_send import ScheduleUnderWay


class ErrorCode(StrEnum):
    """Why a request was not served."""

    BAD_REQUEST = "bad_request"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    UNKNOWN_ENDPOINT = "unknown_endpoint"
    UNKNOWN_JOB = "unknown_job"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_POSSIBLE = "not_possible"
    SCHEDULE_UNDERWAY = "schedule_underway"
    AUDIENCE_FAILED = "audience_failed"
    UNREADABLE = "unreadable"
    CONFLICT = "conflict"
    CHANGED_MEANWHILE = "changed_meanwhile"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_BODY = "unsupported_body"
    INVALID_FIELDS = "invalid_fields"
    REFUSED_QUERY = "refused_query"
    KEY_REUSED = "key_reused"
    QUOTA_EXCEEDED = "quota_exceeded"
    INTERNAL_ERROR = "internal_error"
    UNAVAILABLE = "unavailable"
    UNHEALTHY = "unhealthy"
    MISCONFIGURED = "misconfigured"


MEANINGS: Mapping[ErrorCode, str] = {
    ErrorCode.BAD_REQUEST: "the request cannot be read: broken JSON, a broken form",
    ErrorCode.UNAUTHENTICATED: "the caller is not authenticated",
    ErrorCode.FORBIDDEN: "the caller's role is too low",
    ErrorCode.NOT_FOUND: "the recipe, execution or template does not exist",
    ErrorCode.UNKNOWN_ENDPOINT: "the API does not have this address",
    ErrorCode.UNKNOWN_JOB: "the audience job does not exist",
    ErrorCode.METHOD_NOT_ALLOWED: "the address does not have this method, or GET asked for a mode that sends",
    ErrorCode.NOT_POSSIBLE: "the current state does not allow it; the message says what it allows",
    ErrorCode.SCHEDULE_UNDERWAY: "the change moves a send that is being prepared: choose underway=keep or replace",
    ErrorCode.AUDIENCE_FAILED: "the audience cannot be built from the user data",
    ErrorCode.UNREADABLE: "this release cannot read the stored execution",
    ErrorCode.CONFLICT: "another request was faster: repeat the request",
    ErrorCode.CHANGED_MEANWHILE: "the ETag in If-Match is not the stored one: read again, and change that",
    ErrorCode.BODY_TOO_LARGE: "the body is too large",
    ErrorCode.UNSUPPORTED_BODY: "the body has a type that is not accepted, or is compressed",
    ErrorCode.INVALID_FIELDS: "fields or parameters cannot be used; `errors` names each",
    ErrorCode.REFUSED_QUERY: "the caller's own SELECT does more than read the allowed tables",
    ErrorCode.KEY_REUSED: "the Idempotency-Key was used for another request",
    ErrorCode.QUOTA_EXCEEDED: "too many requests: repeat the request after Retry-After seconds",
    ErrorCode.INTERNAL_ERROR: "an error in Tminus; the log has the details under the reference in the message",
    ErrorCode.UNAVAILABLE: "a temporary problem: repeat the request after Retry-After seconds",
    ErrorCode.UNHEALTHY: "a part that Tminus depends on does not work; `errors` names each",
    ErrorCode.MISCONFIGURED: "a setting of the deployment is missing or wrong",
}
_BY_STATUS: Mapping[int, ErrorCode] = {
    400: ErrorCode.BAD_REQUEST,
    401: ErrorCode.UNAUTHENTICATED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    409: ErrorCode.NOT_POSSIBLE,
    412: ErrorCode.CHANGED_MEANWHILE,
    413: ErrorCode.BODY_TOO_LARGE,
    415: ErrorCode.UNSUPPORTED_BODY,
    422: ErrorCode.INVALID_FIELDS,
    429: ErrorCode.QUOTA_EXCEEDED,
    503: ErrorCode.UNAVAILABLE,
}
_BY_ERROR: Mapping[type[BaseException], ErrorCode] = {
    AudienceJobError: ErrorCode.AUDIENCE_FAILED,
    BadAudience: ErrorCode.AUDIENCE_FAILED,
    Conflict: ErrorCode.CONFLICT,
    KeyReused: ErrorCode.KEY_REUSED,
    Misconfigured: ErrorCode.MISCONFIGURED,
    RefusedQuery: ErrorCode.REFUSED_QUERY,
    ScheduleUnderWay: ErrorCode.SCHEDULE_UNDERWAY,
    UnknownJob: ErrorCode.UNKNOWN_JOB,
    Unreadable: ErrorCode.UNREADABLE,
}


def code_of(status: int, error: Exception | None = None) -> ErrorCode:
    """Return the code of an error and its status, or of a status alone."""
    kinds = type(error).__mro__ if error else ()
    known = next((_BY_ERROR[kind] for kind in kinds if kind in _BY_ERROR), None)
    if known is ErrorCode.AUDIENCE_FAILED and status == 422:
        return ErrorCode.INVALID_FIELDS  # the parameters or criteria of the request, not the user data
    return known or _BY_STATUS.get(status, ErrorCode.INTERNAL_ERROR if status >= 500 else ErrorCode.BAD_REQUEST)
