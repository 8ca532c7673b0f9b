"""Know a request again that comes under the same Idempotency-Key: it is done once, at the instant of the first."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from functions.domain.documents import fingerprint
from functions.domain.errors import KeyReused
from functions.domain.instants import instant, stamp
from functions.ports import Ports

KEPT = timedelta(days=7)
"""How long a key is known at least."""


def asked_once(ports: Ports, key: str, *, by: str, call: str, asked: Any) -> datetime:
    """Return the instant, in whole seconds, at which a caller first asked for this under a key; now without a key.

    What is done takes its ids from that instant: so it is done once, whatever breaks off and comes again. KeyReused
    where the same key stood for something else.
    """
    now = ports.clock.now().replace(microsecond=0)
    if not key:
        return now
    name = hashlib.sha256(f"{by}\n{call}\n{key}".encode("utf-8", "surrogatepass")).hexdigest()
    wanted = {"asked": fingerprint(asked), "at": stamp(now)}
    kept = ports.request_keys.claim(name, wanted, now + KEPT)
    if kept["asked"] != wanted["asked"]:
        raise KeyReused(f"the Idempotency-Key {key!r} stands for another request: take a new key for this one")
    return instant(kept["at"])
