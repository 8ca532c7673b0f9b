"""Many POSTs at once over a few HTTP/2 connections, each at most once on the wire: libcurl's multi interface.

libcurl repeats a request by itself if a reused connection turns out to be dead, or a stream was refused. It has to
rewind the body for that. The bodies here cannot be rewound, so it gives up instead. It can still repeat a request
whose body it has not begun to read, which FCM therefore has not received.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import certifi
import pycurl

T = TypeVar("T")

CONNECTIONS = 16
STREAMS = 100
"""The streams that Google's front ends allow per connection."""
_TIMEOUT_SECONDS = 20
_CONNECT_TIMEOUT_SECONDS = 5
_BUFFER_BYTES = 16 * 1024
"""libcurl's minimum. The default is 64 KiB for each of a thousand running requests."""


class Answer(NamedTuple):
    """How a request ended.

    `status` is 0 without a complete answer. `left` says whether FCM may have received a part of the request.
    `retry_after_seconds` is 0 if the answer asked for no wait. `problem` is libcurl's message.
    """

    status: int
    left: bool
    body: bytes = b""
    retry_after_seconds: int = 0
    problem: str = ""


class Transport(Generic[T]):
    """Posts JSON to one address. Not thread-safe.

    `ca_file` replaces the certificate authorities of certifi. libcurl's own default is a path of the machine that it
    was built on.
    """

    def __init__(self, url: str, ca_file: Path | None) -> None:
        self._url, self._ca_file = url, ca_file
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, CONNECTIONS)
        self._multi.setopt(pycurl.M_MAXCONNECTS, CONNECTIONS)
        self._multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, STREAMS)
        self._idle: list[_Request[T]] = []
        self._busy: dict[pycurl.Curl, _Request[T]] = {}

    @property
    def under_way(self) -> int:
        """The number of requests without an answer."""
        return len(self._busy)

    def start(self, tag: T, body: bytes, headers: Sequence[str]) -> None:
        """Start a request. `finished` returns the tag with the answer."""
        request = self._idle.pop() if self._idle else _Request(self._url, self._ca_file)
        request.prepare(tag, body, headers)
        self._busy[request.curl] = request
        self._multi.add_handle(request.curl)

    def finished(self, wait_seconds: float) -> Sequence[tuple[T, Answer]]:
        """Transfer data, waiting if there is none, and return the requests that have ended."""
        self._multi.perform()
        ended = self._ended()
        if not ended and wait_seconds > 0:
            if self._busy:
                self._multi.select(wait_seconds)
            else:
                time.sleep(wait_seconds)  # libcurl does not wait if it has nothing to wait for
            self._multi.perform()
            ended = self._ended()
        return ended

    def close(self) -> None:
        """Close the connections. The answers to running requests are not read."""
        for request in [*self._busy.values(), *self._idle]:
            request.curl.close()
        self._multi.close()

    def _ended(self) -> list[tuple[T, Answer]]:
        ended = []
        more = 1
        while more:
            more, succeeded, failed = self._multi.info_read()
            ended += [self._release(curl) for curl in succeeded]
            for curl, code, words in failed:
                problem = f"{words or 'the connection was closed'} (libcurl's error {code})"
                ended.append(self._release(curl, problem))
        return ended

    def _release(self, curl: pycurl.Curl, problem: str = "") -> tuple[T, Answer]:
        request = self._busy.pop(curl)
        answer = request.answer(problem)
        self._multi.remove_handle(curl)
        self._idle.append(request)
        return request.tag, answer


class _Request(Generic[T]):
    """A libcurl handle, reused for one request after another."""

    def __init__(self, url: str, ca_file: Path | None) -> None:
        self.curl = curl = pycurl.Curl()
        self.tag: T
        self._body, self._sent, self._answer = b"", 0, list[bytes]()
        self._headers: Sequence[str] = ()
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.CAINFO, str(ca_file) if ca_file else certifi.where())
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2_0)
        curl.setopt(pycurl.PIPEWAIT, 1)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.UPLOAD_BUFFERSIZE, _BUFFER_BYTES)
        curl.setopt(pycurl.BUFFERSIZE, _BUFFER_BYTES)
        curl.setopt(pycurl.CONNECTTIMEOUT, _CONNECT_TIMEOUT_SECONDS)
        curl.setopt(pycurl.TIMEOUT, _TIMEOUT_SECONDS)
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.READFUNCTION, self._read)  # and no SEEKFUNCTION: a body is read once
        write: Callable[[bytes], None] = self._answer.append
        curl.setopt(pycurl.WRITEFUNCTION, write)

    def prepare(self, tag: T, body: bytes, headers: Sequence[str]) -> None:
        self.tag, self._body, self._sent = tag, body, 0
        self._answer.clear()
        self.curl.setopt(pycurl.POSTFIELDSIZE, len(body))
        if headers is not self._headers:
            self.curl.setopt(pycurl.HTTPHEADER, headers)
            self._headers = headers

    def answer(self, problem: str) -> Answer:
        """Return how the request ended. A status may have arrived even if a problem cut the answer short."""
        if problem:
            return Answer(status=0, left=self._sent > 0, problem=problem)
        status = self.curl.getinfo(pycurl.RESPONSE_CODE)
        wait_seconds = 0 if status == 200 else self.curl.getinfo(pycurl.RETRY_AFTER)
        return Answer(status, True, b"".join(self._answer), wait_seconds)

    def _read(self, size: int) -> bytes:
        if size >= len(self._body) and not self._sent:
            self._sent = len(self._body)
            return self._body
        start = self._sent
        self._sent = min(start + size, len(self._body))
        return self._body[start : self._sent]
