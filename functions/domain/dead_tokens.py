"""Device tokens that FCM has called dead, packed by partition of their users: 12 bytes a token.

A grave is `hash of the token (8) | when it was buried, in seconds since 1970 (4)`, big-endian, oldest first. The
tokens themselves are not kept. A token's grave lies in its user's partition, so that a shard reads only its own.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

KEPT = timedelta(days=60)
"""How long a token stays dead: until the app's own table of devices has long been cleaned."""
MOST_BYTES = 1_000_000
"""Firestore limits a value to 1 MiB less 89 bytes; beyond it the oldest graves of a partition are given up."""

_GRAVE = struct.Struct(">8sI")


def token_key(token: str) -> bytes:
    """Return the bytes that stand for a token; two of a partition's tokens share them once in a billion times."""
    return hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def bury(graves: bytes, tokens: Iterable[str], at: datetime) -> bytes:
    """Return the graves with these tokens among them and without those that have expired; the first time counts."""
    kept = dict(_unexpired(graves, at))
    for token in tokens:
        kept.setdefault(token_key(token), int(at.timestamp()))
    packed = b"".join(_GRAVE.pack(key, seconds) for key, seconds in kept.items())
    return packed[-(MOST_BYTES // _GRAVE.size * _GRAVE.size) :]


def dead_keys(graves: bytes, now: datetime) -> frozenset[bytes]:
    """Return the keys of the tokens that are dead now."""
    return frozenset(key for key, _ in _unexpired(graves, now))


def _unexpired(graves: bytes, now: datetime) -> Iterator[tuple[bytes, int]]:
    for key, seconds in _GRAVE.iter_unpack(graves):
        if now - datetime.fromtimestamp(seconds, UTC) < KEPT:
            yield key, seconds
