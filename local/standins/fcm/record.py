"""The fake's record of requests."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request whose whole body arrived, recorded before it was answered.

    `token` is the device token, "" if the body has none. `body` is its JSON, None if it is not JSON. `headers`
    includes `:path`, but not the authorization. `access_token` is the number of an issued token, None for any other.
    `connection` counts from 1. `at_seconds` is the event loop's time of arrival, useful only for differences.
    `answered` is the name of the chosen answer, whether or not it reached the client.
    """

    token: str
    body: Any
    headers: Mapping[str, str]
    access_token: int | None
    connection: int
    stream: int
    at_seconds: float
    answered: str


class Record:
    """Each seen request ends in `requests`, `refused` or `partial`. Any thread may read."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: list[Request] = []
        self.seen = 0
        self.refused = 0
        self.partial = 0
        self.connections = 0

    @property
    def requests(self) -> list[Request]:
        """A copy of the requests so far, in order of arrival."""
        with self._changed:
            return list(self._requests)

    def add(self, request: Request) -> None:
        """Record a request that has arrived."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def connect(self) -> int:
        """Count a connection and return its number."""
        with self._changed:
            self.connections += 1
            self._changed.notify_all()
            return self.connections

    def see(self) -> None:
        """Count a request whose headers have arrived."""
        with self._changed:
            self.seen += 1
            self._changed.notify_all()

    def refuse(self) -> None:
        """Count a request that a GOAWAY reports, or will report, as not processed."""
        with self._changed:
            self.refused += 1
            self._changed.notify_all()

    def lose(self, count: int) -> None:
        """Count requests that will never arrive completely."""
        with self._changed:
            self.partial += count
            self._changed.notify_all()

    def wait_until(self, happened: Callable[[], bool], timeout_seconds: float) -> bool:
        """Return True as soon as `happened`, called after each change, returns True; False if time runs out."""
        with self._changed:
            return self._changed.wait_for(happened, timeout_seconds)
