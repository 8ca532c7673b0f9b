"""Calls that Google refuses for a while: an index is being built, or a permission has not spread yet."""

from collections.abc import Callable
from datetime import datetime, timedelta

from audience_jobs.errors import NotAllowed
from functions.domain.errors import NotReady
from local.simulator.play.chance import Chance
from local.simulator.play.faults import INDEX
from local.simulator.play.workers import Worker

WORDS = "Google refuses for now"


class Refusals:
    """What Google refuses until when: one query without its index, or all calls of a port without a permission."""

    def __init__(self, chance: Chance, now: Callable[[], datetime]) -> None:
        self._chance, self._now = chance, now
        self._until: dict[str, datetime] = {}

    def begin(self, kind: str, call: str, place: str) -> None:
        """Refuse a call from now on, or all calls of its port, for up to three quarters of an hour."""
        scope = call if kind in INDEX else _port_of(call)
        self._until[scope] = self._now() + timedelta(seconds=round(self._chance.between(f"{place}:how", 60, 2_700)))

    def check(self, worker: Worker, call: str) -> None:
        """Raise what Google answers to a call that is refused now."""
        now = self._now()
        if not self._chance.active or not any(now < self._until.get(scope, now) for scope in (call, _port_of(call))):
            return
        worker.refused = True
        if _port_of(call) == "engine":
            raise NotAllowed("everybody", WORDS)
        raise NotReady("GOOGLE_CLOUD_PROJECT", f"{call}: {WORDS}")


def _port_of(call: str) -> str:
    return call.partition(".")[0]
