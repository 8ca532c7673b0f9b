"""The access token of FCM requests, always valid for longer than a request takes."""

import threading
from collections.abc import Sequence

from firebase_admin import credentials
from google.auth import exceptions
from google.auth.credentials import Credentials
from google.auth.transport.requests import Request

from functions.domain.errors import Misconfigured, Transient
from functions.settings import FcmSettings


class Access:
    """Reads the credentials on first use, and gets a new token minutes before the old one expires."""

    def __init__(self, config: FcmSettings) -> None:
        self._config = config
        self._loading = threading.Lock()
        self._credentials: Credentials | None = None
        self._token: str | None = None
        self._headers: Sequence[str] = ()

    def headers(self) -> Sequence[str]:
        """Return a request's headers: the same object while they are valid.

        Misconfigured if there are no credentials or they are refused; Transient if no token can be fetched now.
        """
        with self._loading:
            try:
                found = self._credentials = self._credentials or _find(self._config)
                if not found.valid:
                    found.refresh(Request())  # type: ignore[no-untyped-call]
            except exceptions.TransportError as error:
                raise Transient(f"no access token can be fetched now: {error}") from error
            except (exceptions.GoogleAuthError, OSError, ValueError) as error:
                raise Misconfigured("FCM_CREDENTIALS_FILE", f"no access token can be fetched: {error}") from error
            if found.token != self._token:
                self._token = found.token
                self._headers = ["Content-Type: application/json", f"Authorization: Bearer {found.token}"]
            return self._headers


def _find(config: FcmSettings) -> Credentials:
    file = config.credentials_file
    source = credentials.Certificate(str(file)) if file else credentials.ApplicationDefault()
    found: Credentials = source.get_credential()
    return found
