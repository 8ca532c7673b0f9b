"""The progress of a script: which of its answers were given already."""

from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

from local.standins.fcm.answer import Answer, AtHeaders
from local.standins.fcm.script import GoAway, Script, Share


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What happens to a request whose headers have arrived; `goaway` is the GOAWAY for its connection."""

    fault: AtHeaders | None = None
    withheld: bool = False
    goaway: GoAway | None = None


_WELCOME = Arrival()


class FaultPlan:
    """Counts the requests, and returns the script's answer for each."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._arrived = 0
        self._first = islice(script.first, None)
        self._own: Counter[str] = Counter()
        self._shared: Counter[str] = Counter()
        self._of_connection: Counter[int] = Counter()

    def arrive(self, connection: int) -> Arrival:
        """Count one more request of a connection, and return whether to read it."""
        self._arrived += 1
        fault = self._script.at_headers.get(self._arrived)
        goaway = self._script.goaway
        if goaway is None or not self._gets_goaway(connection, goaway):
            return Arrival(fault=fault) if fault else _WELCOME
        self._of_connection[connection] += 1
        seen = self._of_connection[connection]
        return Arrival(
            fault=fault,
            withheld=seen > goaway.after_requests - goaway.unprocessed if goaway.unprocessed else False,
            goaway=goaway if seen == goaway.after_requests else None,
        )

    def _gets_goaway(self, connection: int, goaway: GoAway) -> bool:
        return connection in self._of_connection or len(self._of_connection) < goaway.connections

    def answer(self, token: str) -> Answer:
        """Return the answer to the next request for a device token."""
        return self._own_answer(token) or self._shared_answer(token) or next(self._first, self._script.default)

    def _own_answer(self, token: str) -> Answer | None:
        own = self._script.tokens.get(token)
        if own is None or isinstance(own, Answer):
            return own
        self._own[token] += 1
        return own[self._own[token] - 1] if self._own[token] <= len(own) else None

    def _shared_answer(self, token: str) -> Answer | None:
        share = self._share(token)
        if share is None:
            return None
        if share.times is None:
            return share.answer
        self._shared[token] += 1
        return share.answer if self._shared[token] <= share.times else None

    def _share(self, token: str) -> Share | None:
        if not self._script.shares:
            return None
        digest = blake2b(f"{self._script.seed}:{token}".encode(), digest_size=8).digest()
        place = int.from_bytes(digest) / 2**64
        for share in self._script.shares:
            if place < share.of_tokens:
                return share
            place -= share.of_tokens
        return None
