"""Deduplicate requests by Idempotency-Key: a repeated request uses the instant of the first one."""

import hashlib
from datetime import datetime
from typing import Any

from functions.domain.documents import fingerprint
from functions.domain.errors import KeyReused
from functions.domain.instants import instant, stamp
from functions.domain.retention import REQUEST_KEYS
from functions.ports import Ports


def asked_once(ports: Ports, key: str, *, by: str, call: str, asked: Any) -> datetime:
    """Return the instant, in whole seconds, of the first request with a key; the current instant without a key.

    Ids are made from that instant, so a request that breaks off and is repeated takes effect once. KeyReused if the
    key was used for a different request.
    """
    now = ports.clock.now().replace(microsecond=0)
    if not key:
        return now
    name = hashlib.sha256(f"{by}\n{call}\n{key}".encode("utf-8", "surrogatepass")).hexdigest()
    wanted = {"asked": fingerprint(asked), "at": stamp(now)}
    kept = ports.request_keys.claim(name, wanted, now + REQUEST_KEYS)
    if kept["asked"] != wanted["asked"]:
        raise KeyReused(f"the Idempotency-Key {key!r} was used for another request: use a new key for this one")
    return instant(kept["at"])
