"""Translate Google's errors for the author of a job or the operator of a deployment."""

import re

from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound

from audience_jobs.engines.bigquery_request import Limits
from audience_jobs.errors import AudienceJobError, BadJob, NotAllowed, TooCostly, TooSlow, Unavailable

_BYTES_NEEDED = re.compile(r"limit for bytes billed: \d+\. (\d+) or higher")
# cloud.google.com/bigquery/docs/error-messages lists the reasons.
_THE_QUERY = {
    *("invalidQuery", "invalid", "notFound", "notImplemented", "resourcesExceeded", "responseTooLarge"),
    "billingTierLimitExceeded",
}
_THE_ACCOUNT = {"accessDenied", "billingNotEnabled", "policyViolation", "forbidden"}
_PASSING = {"quotaExceeded", "rateLimitExceeded", "blocked"}


def meaning(error: GoogleAPICallError, job_id: str, limits: Limits) -> AudienceJobError | Unavailable:
    """Return the error that says what to change, or that the problem is temporary."""
    reason = next((str(detail.get("reason", "")) for detail in error.errors if isinstance(detail, dict)), "")
    message = str(error.message).splitlines()[0].partition("; reason: ")[0] if error.message else reason
    if reason == "bytesBilledLimitExceeded":
        needed = _BYTES_NEEDED.search(message)
        return TooCostly(job_id, limits.bytes_billed, int(needed[1]) if needed else None)
    if reason in ("stopped", "timeout"):
        return TooSlow(job_id, limits.time.seconds)
    if reason in _THE_ACCOUNT or (isinstance(error, Forbidden) and reason not in _PASSING | _THE_QUERY):
        return NotAllowed(job_id, message)
    if reason in _THE_QUERY or isinstance(error, NotFound):
        return BadJob(job_id, f"its SQL fails: {message}")
    return Unavailable(f"BigQuery: {message}")
