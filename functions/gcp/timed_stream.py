"""A connection that ends at an instant, however slowly the other side sends, and after a number of bytes."""

import io
import ssl
from collections.abc import Callable
from typing import Any


class TooMuch(Exception):
    """The other side sends more bytes than it may."""


class TimedStream(io.RawIOBase):
    """A TLS connection with what `http.client` needs of a socket.

    `left` returns the seconds until the end, and raises TimeoutError after it.
    """

    def __init__(self, tls: ssl.SSLSocket, left: Callable[[], float], *, most_bytes: int) -> None:
        self._tls, self._left, self._most_bytes = tls, left, most_bytes

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes; TimeoutError at the end, TooMuch after the last byte that may come."""
        if self._most_bytes <= 0:
            raise TooMuch
        self._tls.settimeout(self._left())
        count = self._tls.recv_into(buffer)
        self._most_bytes -= count
        return count

    def sendall(self, data: bytes) -> None:
        """Send bytes; TimeoutError at the end."""
        self._tls.settimeout(self._left())
        self._tls.sendall(data)

    def makefile(self, *_: object) -> io.BufferedReader:
        """Return a reader of the answer."""
        return io.BufferedReader(self)

    def close(self) -> None:
        """Close the connection."""
        self._tls.close()
        super().close()
