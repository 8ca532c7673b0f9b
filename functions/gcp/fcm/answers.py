"""What FCM's answers mean, and what to do next.

The codes are those of firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode. If a message may have been delivered
despite an error, its outcome is unknown: UNAVAILABLE, INTERNAL, and a connection that broke after the request had
left.
"""

import json
from typing import Any, NamedTuple

from functions.domain.errors import Misconfigured
from functions.domain.push.outcomes import Outcome
from functions.gcp.fcm.transport import Answer

_WAIT_SECONDS = 60
"""How long to wait where a quota is exceeded and no Retry-After says it: firebase.google.com/docs/cloud-messaging/
scale-fcm."""
_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_MEANINGS = {
    "INVALID_ARGUMENT": Outcome.BAD_MESSAGE,
    "QUOTA_EXCEEDED": Outcome.NOT_SENT,
    "RESOURCE_EXHAUSTED": Outcome.NOT_SENT,
    "UNAVAILABLE": Outcome.UNKNOWN,
    "INTERNAL": Outcome.UNKNOWN,
    "UNAUTHENTICATED": Outcome.MISCONFIGURED,
    "PERMISSION_DENIED": Outcome.MISCONFIGURED,
    "NOT_FOUND": Outcome.MISCONFIGURED,
}
_OF_THE_TOKEN = {
    "UNREGISTERED": Outcome.DEAD_TOKEN,
    "SENDER_ID_MISMATCH": Outcome.WRONG_PROJECT,
    "THIRD_PARTY_AUTH_ERROR": Outcome.THIRD_PARTY_AUTH,
}
"""FCM's own errors about one token, in an FcmError. A 403 or 404 of Google's gateway concerns the project."""
_BY_STATUS = {400: Outcome.BAD_MESSAGE, 429: Outcome.NOT_SENT} | dict.fromkeys((401, 403, 404), Outcome.MISCONFIGURED)
_WAYS_OUT = {
    "UNAUTHENTICATED": (
        "FCM_CREDENTIALS_FILE",
        "FCM refuses the access token; check the service account and its key",
    ),
    "PERMISSION_DENIED": (
        "GOOGLE_CLOUD_PROJECT",
        "FCM does not let this service account send for the project; grant it cloudmessaging.messages.create,"
        " as a custom role or in roles/firebasecloudmessaging.admin, and enable fcm.googleapis.com",
    ),
}
_ELSEWHERE = ("FCM_ENDPOINT", "no such project or page; check GOOGLE_CLOUD_PROJECT too")


class Verdict(NamedTuple):
    """The outcome of one message. With `wait_seconds` above 0, no further message may start until then."""

    outcome: Outcome
    wait_seconds: int = 0
    trouble: Misconfigured | None = None


_SENT = Verdict(Outcome.SENT)


def judge(answer: Answer) -> Verdict:
    """Return the verdict on a message, given the answer.

    >>> judge(Answer(status=0, left=False)).outcome, judge(Answer(status=0, left=True)).outcome
    (<Outcome.NOT_SENT: 'not_sent'>, <Outcome.UNKNOWN: 'unknown'>)
    """
    if answer.status == 200:
        return _SENT if b'"name"' in answer.body else Verdict(Outcome.UNKNOWN)
    if answer.status == 0:
        return Verdict(Outcome.UNKNOWN if answer.left else Outcome.NOT_SENT)
    own, status = _codes(answer.body)
    if own in _OF_THE_TOKEN:
        return Verdict(_OF_THE_TOKEN[own], answer.retry_after_seconds)
    code = own or status
    outcome = _MEANINGS.get(code) or _BY_STATUS.get(answer.status, Outcome.UNKNOWN)
    wait_seconds = answer.retry_after_seconds
    if outcome is Outcome.NOT_SENT:
        wait_seconds = wait_seconds or _WAIT_SECONDS
    trouble = Misconfigured(*_WAYS_OUT.get(code, _ELSEWHERE)) if outcome is Outcome.MISCONFIGURED else None
    return Verdict(outcome, wait_seconds, trouble)


def _codes(body: bytes) -> tuple[str, str]:
    """Return FCM's own error code and Google's status; each is empty if the body lacks it."""
    try:
        error: Any = json.loads(body)["error"]
        details = {detail.get("@type"): detail for detail in error.get("details", [])}
        return str(details.get(_FCM_ERROR, {}).get("errorCode", "")), str(error.get("status", ""))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return "", ""
