"""Convert Google's errors: Transient for temporary problems, Misconfigured for what the operator has to change.

In between is NotReady: a missing index may still be built, and a new permission takes minutes to spread.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from requests.exceptions import RequestException

from functions.domain.errors import Misconfigured, NotReady, Transient

PASSING = (
    exceptions.Aborted,
    exceptions.Cancelled,
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
    exceptions.ResourceExhausted,
    exceptions.ServerError,
    exceptions.TooManyRequests,
    exceptions.Unknown,
    exceptions.RetryError,
    RequestException,
    TransportError,
)
"""Errors after which the same call may succeed. They do not say whether the call already took effect."""
_MAY_BECOME_READY = (exceptions.FailedPrecondition, exceptions.Forbidden)
"""A query without its index is answered FAILED_PRECONDITION: firebase.google.com/docs/firestore/query-data/indexing.
IAM changes take up to seven minutes, sometimes longer: cloud.google.com/iam/docs/access-change-propagation."""
_REFUSED = (exceptions.GoogleAPICallError, GoogleAuthError)


@contextmanager
def translated(service: str, setting: str = "GOOGLE_CLOUD_PROJECT") -> Iterator[None]:
    """Raise Transient for temporary problems, and Misconfigured, naming `setting`, for every other refusal of Google.

    A refusal means that a permission, database, bucket, queue or index is missing; NotReady if it is an index or a
    permission. Adapters catch the errors that
    they can handle. If this machine has no credentials at all, the setting is GOOGLE_APPLICATION_CREDENTIALS.
    """
    try:
        yield
    except PASSING as error:
        raise Transient(f"{service}: {_words(error)}") from error
    except DefaultCredentialsError as error:
        way_out = "run `gcloud auth application-default login`, or set it to the key file of a service account"
        raise Misconfigured(
            "GOOGLE_APPLICATION_CREDENTIALS", f"{service} finds no credentials here ({_words(error)}): {way_out}"
        ) from error
    except _REFUSED as error:
        kind = NotReady if isinstance(error, _MAY_BECOME_READY) else Misconfigured
        raise kind(setting, f"{service} refuses: {_words(error)}; see docs/how-to-deploy.md") from error


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
