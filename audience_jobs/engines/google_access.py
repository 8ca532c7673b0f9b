"""Errors of Google's libraries before a service answers: no credentials, no network, an unavailable service."""

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core.exceptions import RetryError, ServerError, TooManyRequests, Unauthorized
from google.auth.exceptions import GoogleAuthError, TransportError
from requests.exceptions import RequestException

from audience_jobs.errors import NoCredentials, Unavailable

_PASSING = (RetryError, ServerError, TooManyRequests, TransportError, RequestException)
_LONGEST = 300


@contextmanager
def google_access() -> Iterator[None]:
    """Raise NoCredentials if Google accepts no credentials of this machine, Unavailable for temporary problems."""
    try:
        yield
    except _PASSING as error:
        raise Unavailable(f"Google Cloud cannot be reached: {_words(error)}") from error
    except (GoogleAuthError, Unauthorized) as error:
        raise NoCredentials(_words(error)) from error


def _words(error: Exception) -> str:
    text = str(error.args[0]) if error.args else ""
    return " ".join(text.split())[:_LONGEST].rstrip(".") or type(error).__name__
