"""Limits how often one caller may ask for what is expensive: a bucket of tokens for each caller, in this process.

Each instance of a function counts for itself, so a caller of several instances gets a multiple of the limit.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from weakref import WeakKeyDictionary

from functions.domain.errors import QuotaExceeded
from functions.domain.roles import Caller
from functions.ports import Ports
from functions.ports.queue import Clock
from functions.usecases.dry_run.query_audience import PREVIEW_SECONDS

_MINUTE_SECONDS = 60.0
_changing = Lock()
_buckets: WeakKeyDictionary[Clock, dict[str, "_Bucket"]] = WeakKeyDictionary()


@dataclass(frozen=True)
class _Bucket:
    tokens: float
    at: datetime


def looking(ports: Ports, caller: Caller) -> Ports:
    """Return the ports for a look at user data, whose queries end within a minute.

    QuotaExceeded, with the time to wait, if the caller has made more than `looks_per_minute` in the last minute.
    """
    if limit := ports.policy.looks_per_minute:
        _take(ports.clock, caller.name, limit)
    return replace(ports, engine=ports.engine.within(PREVIEW_SECONDS))


def _take(clock: Clock, name: str, limit: int) -> None:
    """Take a token of a caller's bucket, which holds `limit` and is refilled within a minute."""
    now, a_second = clock.now(), limit / _MINUTE_SECONDS
    with _changing:
        buckets = _buckets.setdefault(clock, {})
        held = buckets.get(name, _Bucket(limit, now))
        passed = max(0.0, (now - held.at).total_seconds())
        tokens = min(float(limit), held.tokens + passed * a_second)
        if tokens < 1:
            raise QuotaExceeded((1 - tokens) / a_second)
        buckets[name] = _Bucket(tokens - 1, now)
