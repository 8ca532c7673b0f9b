"""Convert Google's errors: Transient for temporary problems, Misconfigured for what the operator has to change."""

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from requests.exceptions import RequestException

from functions.domain.errors import Misconfigured, Transient

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
_REFUSED = (exceptions.GoogleAPICallError, GoogleAuthError)


@contextmanager
def translated(service: str, setting: str = "GOOGLE_CLOUD_PROJECT") -> Iterator[None]:
    """Raise Transient for temporary problems, and Misconfigured, naming `setting`, for every other refusal of Google.

    A refusal means that a permission, database, bucket, queue or index is missing. Adapters catch the errors that
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
        raise Misconfigured(setting, f"{service} refuses: {_words(error)}; see docs/how-to-deploy.md") from error


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
