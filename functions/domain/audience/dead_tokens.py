"""Device tokens that FCM reported as dead, packed by partition of their users: 12 bytes per token.

A grave is `hash of the token (8) | when it was buried, in seconds since 1970 (4)`, big-endian, oldest first. The
tokens themselves are not kept. A token's grave lies in its user's partition, so that a shard reads only its own.
A token that the app registers again after its burial is alive.
"""

import hashlib
import struct
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta

SUBJECT = "devices.graves"
"""The subject of lifted graves in the audit log. The id of a recipe cannot contain a dot."""
KEPT = timedelta(days=60)
"""How long a token stays dead: until long after the app has cleaned its own table of devices."""
MOST_BYTES = 1_000_000
"""Firestore limits a value to 1 MiB minus 89 bytes. Beyond it the oldest graves of a partition are dropped."""

_GRAVE = struct.Struct(">8sI")


def token_key(token: str) -> bytes:
    """Return the 8-byte key of a token; the chance that two tokens of a partition share one is one in a billion."""
    return hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def bury(graves: bytes, tokens: Iterable[str], at: datetime) -> bytes:
    """Add tokens to graves and remove expired graves; the last burial of a token counts."""
    kept = dict(_unexpired(graves, at))
    for token in tokens:
        kept.pop(token_key(token), None)  # so that the oldest stay first
        kept[token_key(token)] = int(at.timestamp())
    packed = b"".join(_GRAVE.pack(key, seconds) for key, seconds in kept.items())
    return packed[-(MOST_BYTES // _GRAVE.size * _GRAVE.size) :]


def lift(graves: bytes, *, keys: Collection[bytes] | None = None, since: datetime | None = None) -> tuple[bytes, int]:
    """Return graves without the given keys buried at `since` or later, and how many were lifted.

    None means all keys.
    """
    first = 0 if since is None else since.timestamp()
    kept = [
        _GRAVE.pack(key, seconds)
        for key, seconds in _GRAVE.iter_unpack(graves)
        if seconds < first or (keys is not None and key not in keys)
    ]
    return b"".join(kept), len(graves) // _GRAVE.size - len(kept)


class DeadTokens:
    """The tokens with a grave in some partitions, as of `now`."""

    def __init__(self, partitions: Iterable[bytes], now: datetime) -> None:
        self._buried: dict[bytes, int] = {}
        self._now = now.timestamp()
        for graves in partitions:
            for key, seconds in _unexpired(graves, now):
                self._buried[key] = max(seconds, self._buried.get(key, 0))

    def __len__(self) -> int:
        return len(self._buried)

    def has(self, token: str, registered: str) -> bool:
        """Return whether a token is dead: it was not registered again after its burial.

        `registered` is when the app registered it last, in seconds since 1970, or empty if unknown. An instant that
        has not come yet does not count: it would lift every later grave.
        """
        buried = self._buried.get(token_key(token)) if self._buried else None
        return buried is not None and not (registered and buried < int(registered) <= self._now)


def _unexpired(graves: bytes, now: datetime) -> Iterator[tuple[bytes, int]]:
    for key, seconds in _GRAVE.iter_unpack(graves):
        if now - datetime.fromtimestamp(seconds, UTC) < KEPT:
            yield key, seconds
