"""FCM's answers with FCM's bodies, and failures of the network.

Error codes: firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode. The API's
gateway answers some requests before FCM sees them, without an FcmError in the details.
"""

import json
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from h2.errors import ErrorCodes

from local.standins.fcm.answer import Answer, Delivery

RetryAfter = int | str | datetime | None
"""Seconds, the header's text, an aware UTC instant (sent as an HTTP date), or None for no header."""

_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_HTML = (("content-type", "text/html; charset=UTF-8"),)
_PAGE = b"<!DOCTYPE html>\n<html lang=en>\n<title>%s</title>\n<p><b>%s</b> <ins>That's an error.</ins>\n</html>\n"


def _error(
    name: str, code: int, status: str, message: str, *details: dict[str, Any], retry_after: RetryAfter = None
) -> Answer:
    error = {"code": code, "message": message, "status": status, "details": list(details)}
    headers = Answer.headers
    if retry_after is not None:
        headers = (*headers, ("retry-after", _header(retry_after)))
    return Answer(name=name, status=code, headers=headers, body=json.dumps({"error": error}, indent=2).encode())


def _header(retry_after: int | str | datetime) -> str:
    return format_datetime(retry_after, usegmt=True) if isinstance(retry_after, datetime) else str(retry_after)


def _fcm(code: str) -> dict[str, Any]:
    return {"@type": _FCM_ERROR, "errorCode": code}


def _violation(field: str, description: str) -> dict[str, Any]:
    return {"@type": _BAD_REQUEST, "fieldViolations": [{"field": field, "description": description}]}


def _gateway(reason: str, **metadata: str) -> dict[str, Any]:
    named = {"service": "fcm.googleapis.com", **metadata}
    return {"@type": _ERROR_INFO, "reason": reason, "domain": "googleapis.com", "metadata": named}


def quota_exceeded(retry_after: RetryAfter = None) -> Answer:
    """Return FCM's 429 for too many messages to a device, a topic or a platform."""
    message = "Quota exceeded: the message rate was exceeded."
    detail = _fcm("QUOTA_EXCEEDED")
    return _error("QUOTA_EXCEEDED", 429, "RESOURCE_EXHAUSTED", message, detail, retry_after=retry_after)


def project_quota_exceeded(retry_after: RetryAfter = None) -> Answer:
    """Return the gateway's 429 when the project's messages a minute are used up; it has no FcmError."""
    message = (
        "Quota exceeded for quota metric 'Send requests' and limit 'Send requests per minute' of service "
        "'fcm.googleapis.com' for consumer 'project_number:1'."
    )
    detail = _gateway("RATE_LIMIT_EXCEEDED", quota_limit="SendsPerMinutePerProject", quota_location="global")
    return _error("PROJECT_QUOTA_EXCEEDED", 429, "RESOURCE_EXHAUSTED", message, detail, retry_after=retry_after)


def unavailable(retry_after: RetryAfter = None) -> Answer:
    """Return FCM's 503."""
    message = "The service is currently unavailable."
    return _error("UNAVAILABLE", 503, "UNAVAILABLE", message, _fcm("UNAVAILABLE"), retry_after=retry_after)


def unauthenticated(reason: str = "ACCESS_TOKEN_EXPIRED") -> Answer:
    """Return the gateway's 401 for an access token. The fake answers this by itself to invalid tokens."""
    message = (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
    )
    detail = _gateway(reason, method="google.firebase.fcm.v1.FcmService.SendMessage")
    return _error("UNAUTHENTICATED", 401, "UNAUTHENTICATED", message, detail)


def reset(error_code: ErrorCodes = ErrorCodes.INTERNAL_ERROR) -> Answer:
    """Return an RST_STREAM with this code, sent after the whole request was read."""
    return Answer(name=f"RESET_{error_code.name}", delivery=Delivery.RESET, error_code=error_code)


SENT = Answer(name="SENT")

UNREGISTERED = _error("UNREGISTERED", 404, "NOT_FOUND", "Requested entity was not found.", _fcm("UNREGISTERED"))
SENDER_ID_MISMATCH = _error(
    "SENDER_ID_MISMATCH", 403, "PERMISSION_DENIED", "SenderId mismatch", _fcm("SENDER_ID_MISMATCH")
)
INVALID_TOKEN = _error(
    "INVALID_TOKEN",
    400,
    "INVALID_ARGUMENT",
    "The registration token is not a valid FCM registration token",
    _fcm("INVALID_ARGUMENT"),
    _violation("message.token", "Invalid registration token"),
)
INVALID_PAYLOAD = _error(
    "INVALID_PAYLOAD",
    400,
    "INVALID_ARGUMENT",
    "Android message is too big",
    _fcm("INVALID_ARGUMENT"),
    _violation("message", "Android message is too big"),
)
INVALID_JSON = _error(
    "INVALID_JSON",
    400,
    "INVALID_ARGUMENT",
    "Invalid JSON payload received.",
    {"@type": _BAD_REQUEST, "fieldViolations": [{"description": "Invalid JSON payload received."}]},
)
INTERNAL = _error("INTERNAL", 500, "INTERNAL", "Internal error encountered.", _fcm("INTERNAL"))
THIRD_PARTY_AUTH_ERROR = _error(
    "THIRD_PARTY_AUTH_ERROR",
    401,
    "UNAUTHENTICATED",
    "Auth error from APNS or Web Push Service",
    _fcm("THIRD_PARTY_AUTH_ERROR"),
)
UNAUTHENTICATED = unauthenticated()
PERMISSION_DENIED = _error(
    "PERMISSION_DENIED",
    403,
    "PERMISSION_DENIED",
    "Firebase Cloud Messaging API has not been used in project 1 before or it is disabled.",
    _gateway("SERVICE_DISABLED", consumer="projects/1"),
)

NO_SUCH_PROJECT = _error("NO_SUCH_PROJECT", 404, "NOT_FOUND", "Requested entity was not found.")

HTML_OK = Answer(name="HTML_OK", headers=_HTML, body=_PAGE % (b"Sign in", b"200."))
HTML_NOT_FOUND = Answer(
    name="HTML_NOT_FOUND", status=404, headers=_HTML, body=_PAGE % (b"Error 404 (Not Found)!!1", b"404.")
)
HTML_BAD_GATEWAY = Answer(
    name="HTML_BAD_GATEWAY", status=502, headers=_HTML, body=_PAGE % (b"Error 502 (Server Error)!!1", b"502.")
)

DROPPED = Answer(name="DROPPED", delivery=Delivery.DROP)
CLOSED = Answer(name="CLOSED", delivery=Delivery.CLOSE)
CUT = Answer(name="CUT", delivery=Delivery.CUT)
NEVER = Answer(name="NEVER", delivery=Delivery.NEVER)
