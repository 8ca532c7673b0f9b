"""A webhook on this machine that records requests and answers them from a script."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.runtime.served import Served


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer: a status with headers, sent after `release`, if given, is set."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    release: threading.Event | None = None


class WebhookSink(Served):
    """Serves inside its context; answers with `replies` in turn, and with `otherwise` after the last one."""

    def __init__(self, *replies: Reply, otherwise: Reply | None = None) -> None:
        self.posted: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.otherwise = otherwise or Reply()
        self._replies = list(replies)
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"sink": self}))
        server.daemon_threads = True
        super().__init__(server)

    def take(self, method: str, path: str, body: bytes) -> Reply:
        """Record a request, and return the answer."""
        reply = self._replies.pop(0) if self._replies else self.otherwise
        self.asked.append((method, path))
        if method == "POST" and 200 <= reply.status < 300 and reply.release is None:
            self.posted.append(json.loads(body))
        return reply


class _Handler(BaseHTTPRequestHandler):
    sink: WebhookSink

    def do_POST(self) -> None:
        """Record a POST."""
        self._answer("POST")

    def do_GET(self) -> None:
        """Record a request that Tminus should not make, such as one that follows a redirect."""
        self._answer("GET")

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        reply = self.sink.take(method, self.path, body)
        if reply.release is not None:
            reply.release.wait()
            return
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)
