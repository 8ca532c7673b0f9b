"""The OAuth token endpoint of the fake's service account, over plain HTTP/1.1."""

import asyncio
import json
from urllib.parse import parse_qs

from local.standins.fcm.access_tokens import AccessTokens

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_REFUSED = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}


class TokenEndpoint(asyncio.Protocol):
    """One client's connection: issues a token for every assertion, from any signer."""

    _transport: asyncio.Transport

    def __init__(self, access_tokens: AccessTokens, open_connections: set[asyncio.Transport]) -> None:
        self._access_tokens = access_tokens
        self._open = open_connections
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature of every protocol
        """End."""
        self._open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answer every complete request."""
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, rest = self._buffer.split(b"\r\n\r\n", 1)
            length = _content_length(head)
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            self._transport.write(self._answer(head, rest[:length]))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        form = parse_qs(body.decode())
        if head.startswith(b"POST /token ") and form.get("grant_type") == [_GRANT] and form.get("assertion"):
            return _response(b"200 OK", self._issue())
        return _response(b"400 Bad Request", _REFUSED)

    def _issue(self) -> dict[str, str | int]:
        return {
            "access_token": self._access_tokens.issue(asyncio.get_running_loop().time()),
            "expires_in": self._access_tokens.lifetime_seconds,
            "token_type": "Bearer",
        }


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def _response(status: bytes, document: dict[str, str | int] | dict[str, str]) -> bytes:
    content = json.dumps(document).encode()
    head = b"HTTP/1.1 %s\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(content)) + content
