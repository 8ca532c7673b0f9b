"""An HTTP server that serves in its own thread."""

import threading
from http.server import HTTPServer
from types import TracebackType
from typing import Self

_POLL_SECONDS = 0.02
"""The longest time until the server notices that it has to stop."""


class Served:
    """Serves inside the context, and closes the server's port afterwards."""

    def __init__(self, server: HTTPServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The address for clients on this machine."""
        return f"http://127.0.0.1:{self._server.server_port}"
