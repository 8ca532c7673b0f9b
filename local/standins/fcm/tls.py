"""TLS without a socket: bytes in, bytes out."""

import ssl
from contextlib import suppress

_RECORDS = 1 << 18


class Tls:
    """The server's side of one TLS connection."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established = False

    def decrypt(self, data: bytes) -> bytes:
        """Return the newly decrypted bytes; raises ssl.SSLError if the client aborts TLS."""
        self._incoming.write(data)
        chunks = []
        try:
            if not self.established:
                self._tls.do_handshake()
                self.established = True
            while chunk := self._tls.read(_RECORDS):
                chunks.append(chunk)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return b"".join(chunks)

    def encrypt(self, data: bytes) -> bytes:
        """Return the bytes for the socket: pending TLS records, then `data` encrypted."""
        if data:
            self._tls.write(data)
        return self._outgoing.read()

    def goodbye(self) -> bytes:
        """Return the TLS record that ends the connection."""
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        return self._outgoing.read()
