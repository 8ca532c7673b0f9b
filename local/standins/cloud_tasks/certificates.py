"""The endpoint that serves the public key to verifiers of ID tokens."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.runtime.served import Served

PATH = "/oauth2/v1/certs"


class CertificateServer(Served):
    """Serves certificates by their ids over HTTP on 127.0.0.1 inside its context; port 0 picks a free one.

    It calls `certificates` for the first request.
    """

    def __init__(self, certificates: Callable[[], Mapping[str, str]], port: int = 0) -> None:
        body = cache(lambda: json.dumps(certificates()).encode())
        super().__init__(ThreadingHTTPServer(("127.0.0.1", port), _handler(body)))

    @property
    def url(self) -> str:
        """The `certs_url` for google.oauth2.id_token.verify_token."""
        return f"{super().url}{PATH}"


def _handler(certificates: Callable[[], bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == PATH
            body = certificates() if found else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Cache-Control", "public, max-age=3600")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    return Handler
