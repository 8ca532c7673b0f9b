"""Addresses of people's pages: the id is sealed, so that logs, histories and links do not have it.

A token is made of the id alone, so a link works for every operator, and for as long as the signing key. It is a
synthetic initialisation vector, the HMAC of the id, and the id combined with a key stream of HMACs of that vector
(the construction of RFC 5297, with HMAC-SHA256 in place of AES).
"""

import base64
import hashlib
import hmac
from itertools import count

from functions import bootstrap
from functions.domain.errors import NotFound

_VECTOR_BYTES = 16


def token_of(user_id: str) -> str:
    """Return the token that stands for an id in an address."""
    text = user_id.encode("utf-8", "surrogatepass")
    vector = _hmac(b"vector", text)[:_VECTOR_BYTES]
    return base64.urlsafe_b64encode(vector + _combined(vector, text)).decode().rstrip("=")


def user_of(token: str) -> str:
    """Return the id that a token stands for; NotFound if this console did not make it."""
    try:
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        vector, text = sealed[:_VECTOR_BYTES], sealed[_VECTOR_BYTES:]
        text = _combined(vector, text)
        if hmac.compare_digest(_hmac(b"vector", text)[:_VECTOR_BYTES], vector):
            return text.decode("utf-8", "surrogatepass")
    except ValueError:
        pass
    raise NotFound("this link to a person is not valid: search for the person")


def _combined(vector: bytes, text: bytes) -> bytes:
    stream = bytearray()
    for block in count():
        if len(stream) >= len(text):
            break
        stream += _hmac(b"stream", vector + block.to_bytes(4, "big"))
    return bytes(a ^ b for a, b in zip(text, stream, strict=False))


def _hmac(purpose: bytes, content: bytes) -> bytes:
    key = hmac.digest(_key(), b"tminus console people: " + purpose, hashlib.sha256)
    return hmac.digest(key, content, hashlib.sha256)


def _key() -> bytes:
    key = bootstrap.signing_key()
    return key if isinstance(key, bytes) else key.encode()
