"""The certificates of the issuers of ID tokens, fetched as rarely as their Cache-Control allows."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from google.auth.exceptions import TransportError
from google.auth.transport import Response
from google.auth.transport.requests import Request

from functions.domain.errors import Transient

_PATIENCE_SECONDS = 5.0
_USUAL_LIFETIME_SECONDS = 3_600.0
_LONGEST_LIFETIME_SECONDS = 86_400.0
_NEW_KEY_PAUSE_SECONDS = 10.0
"""Issuers publish new keys long before they sign with them. Made-up key ids must not cause repeated requests."""
_FAILURE_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class _Fetched:
    by_key: Mapping[str, str]
    at: float
    good_until: float


class Certificates:
    """The certificates at an address, as PEM by the ids of their keys; `seconds` is a monotonic clock."""

    def __init__(self, url: str, seconds: Callable[[], float]) -> None:
        self._url, self._seconds = url, seconds
        self._request = Request()
        self._lock = threading.Lock()
        self._fetched: _Fetched | None = None
        self._failed_at = float("-inf")

    def of(self, key_id: str) -> str | None:
        """Return the certificate of a key, None for an unknown one; Transient if none can be fetched now."""
        fetched = self._fetched
        if fetched is None or self._outdated(fetched, key_id):
            fetched = self._refreshed(key_id)
        return fetched.by_key.get(key_id)

    def _outdated(self, fetched: _Fetched, key_id: str) -> bool:
        now = self._seconds()
        if key_id in fetched.by_key:
            return now >= fetched.good_until
        return now >= min(fetched.good_until, fetched.at + _NEW_KEY_PAUSE_SECONDS)

    def _refreshed(self, key_id: str) -> _Fetched:
        """Fetch the certificates, unless another thread did so while this one waited."""
        with self._lock:
            if self._fetched is None or self._outdated(self._fetched, key_id):
                if self._seconds() < self._failed_at + _FAILURE_PAUSE_SECONDS:
                    raise self._unreachable()
                self._fetched = self._fetch()
            return self._fetched

    def _fetch(self) -> _Fetched:
        try:
            response = self._request(self._url, method="GET", timeout=_PATIENCE_SECONDS)
            by_key = _read(response)
        except (TransportError, ValueError) as error:
            self._failed_at = self._seconds()
            raise self._unreachable() from error
        now = self._seconds()
        return _Fetched(by_key=by_key, at=now, good_until=now + _lifetime_seconds(response))

    def _unreachable(self) -> Transient:
        return Transient(f"the certificates at {self._url} cannot be fetched now")


def _read(response: Response) -> Mapping[str, str]:
    """Return the certificates in an answer; ValueError if there are none."""
    if response.status != 200:
        raise ValueError(f"answered {response.status}")
    by_key = json.loads(response.data)
    if not isinstance(by_key, dict) or not by_key or not all(isinstance(value, str) for value in by_key.values()):
        raise ValueError("answered no certificates")
    return by_key


def _lifetime_seconds(response: Response) -> float:
    """Return how long an answer is valid: what Cache-Control allows, minus its age in caches on the way."""
    allowed = re.search(r"max-age=(\d{1,9})\b", response.headers.get("Cache-Control", ""))
    if allowed is None:
        return _USUAL_LIFETIME_SECONDS
    used = re.fullmatch(r"\d{1,9}", response.headers.get("Age", ""))
    left = float(allowed[1]) - float(used[0] if used else 0)
    return max(0.0, min(left, _LONGEST_LIFETIME_SECONDS))
