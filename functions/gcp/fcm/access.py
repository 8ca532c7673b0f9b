"""The access token that FCM's requests carry, fresh for as long as they take."""

import threading
from collections.abc import Sequence

from firebase_admin import credentials
from google.auth import exceptions
from google.auth.credentials import Credentials
from google.auth.transport.requests import Request

from functions.domain.errors import Misconfigured, Transient
from functions.settings import FcmSettings


class Access:
    """Reads the credentials when they are first needed, and gets a new token minutes before one expires."""

    def __init__(self, config: FcmSettings) -> None:
        self._config = config
        self._loading = threading.Lock()
        self._credentials: Credentials | None = None
        self._token: str | None = None
        self._headers: Sequence[str] = ()

    def headers(self) -> Sequence[str]:
        """Return a request's headers, the same object for as long as they hold.

        Misconfigured where there are no credentials or they are refused; Transient where they cannot be asked for.
        """
        with self._loading:
            try:
                found = self._credentials = self._credentials or _find(self._config)
                if not found.valid:
                    found.refresh(Request())  # type: ignore[no-untyped-call]
            except exceptions.TransportError as error:
                raise Transient(f"no access token can be had now: {error}") from error
            except (exceptions.GoogleAuthError, OSError, ValueError) as error:
                raise Misconfigured("FCM_CREDENTIALS_FILE", f"no access token can be had: {error}") from error
            if found.token != self._token:
                self._token = found.token
                self._headers = ["Content-Type: application/json", f"Authorization: Bearer {found.token}"]
            return self._headers


def _find(config: FcmSettings) -> Credentials:
    file = config.credentials_file
    source = credentials.Certificate(str(file)) if file else credentials.ApplicationDefault()
    found: Credentials = source.get_credential()
    return found
