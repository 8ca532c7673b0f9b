"""A Cloud Storage that fails: an HTTP proxy between the real client and fake-gcs-server."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from local.runtime.served import Served
from local.standins.storage.forwarding import Answer, forward

_CUT = 0


@dataclass(frozen=True, kw_only=True)
class HttpFault:
    """Requests of a method, whose path or query holds `url`, that fail: after the first `after`, the next `times`.

    Cloud Storage does what it is asked where the request `landed`, and only the answer is lost. A `status` of None
    leaves the answer as it is: late, or cut off after `answered` bytes of its body. `CUT` ends the connection
    without an answer. `meanwhile` is done before the client hears of anything.
    """

    method: str
    url: str = ""
    status: int | None = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    landed: bool = False
    answered: int | None = None
    after: int = 0
    times: int | None = 1
    late_seconds: float = 0.0
    meanwhile: Callable[[], object] | None = None

    CUT = _CUT


class FaultyStorage(Served):
    """Forwards every request to an emulator while it is entered, unless one of `faults` fits, the first of them.

    `requests` are the methods and paths that clients have asked for; assigning `faults` resets both.
    """

    def __init__(self, emulator: str) -> None:
        self._emulator = emulator
        self._lock = threading.Lock()
        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"_proxy": self})))
        self.faults = []

    @property
    def faults(self) -> list[HttpFault]:
        """What goes wrong from now on."""
        return self._faults

    @faults.setter
    def faults(self, faults: list[HttpFault]) -> None:
        with self._lock:
            self._faults, self.requests = faults, list[str]()
            self._met, self._hits = Counter[int](), Counter[int]()

    def fault(self, method: str, path: str) -> HttpFault | None:
        """Return what befalls a request."""
        with self._lock:
            self.requests.append(f"{method} {path}")
            for number, fault in enumerate(self._faults):
                if fault.method == method and fault.url in path and self._due(number, fault):
                    return fault
        return None

    def _due(self, number: int, fault: HttpFault) -> bool:
        self._met[number] += 1
        if self._met[number] <= fault.after or (fault.times is not None and self._hits[number] >= fault.times):
            return False
        self._hits[number] += 1
        return True

    def forward(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return what the emulator answers; where it names itself, it names the proxy."""
        return forward(self._emulator, method, path, headers, body, own=self.url)


class _Handler(BaseHTTPRequestHandler):
    _proxy: ClassVar[FaultyStorage]
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client has given up
            super().handle()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        fault = self._proxy.fault(self.command, self.path)
        if fault is None:
            self._say(self._proxy.forward(self.command, self.path, dict(self.headers), body))
        else:
            self._fail(fault, body)

    def _fail(self, fault: HttpFault, body: bytes) -> None:
        time.sleep(fault.late_seconds)
        answer = Answer(status=fault.status or 0, headers=list(fault.headers.items()), body=b"so the test says")
        if fault.landed or fault.status is None:
            landed = self._proxy.forward(self.command, self.path, dict(self.headers), body)
            answer = landed if fault.status is None else answer
        if fault.meanwhile is not None:
            fault.meanwhile()
        if fault.status == _CUT:
            self.close_connection = True
        else:
            self._say(answer, fault.answered)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_GET  # noqa: N815 - as http.server wants it

    def _say(self, answer: Answer, most: int | None = None) -> None:
        """Answer; with `most`, promise the whole body and break off after so many bytes."""
        with suppress(OSError):
            self.send_response_only(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[:most])
        self.close_connection = self.close_connection or most is not None

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
