"""Pass a request on to an emulator of Cloud Storage, and its answer back."""

import http.client
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

_HOPS = ("connection", "content-length", "host", "keep-alive", "transfer-encoding")
_PATIENCE_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer with its whole body, and without headers that hold for one connection only."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


def forward(emulator: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *, own: str) -> Answer:
    """Return what the emulator at an address answers; where it names itself in headers, it names `own`."""
    with closing(http.client.HTTPConnection(urlsplit(emulator).netloc, timeout=_PATIENCE_SECONDS)) as connection:
        sent = {name: value for name, value in headers.items() if name.lower() not in _HOPS}
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        received = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOPS]
        named = [(name, value.replace(emulator, own)) for name, value in received]
        return Answer(status=answer.status, headers=named, body=answer.read())
