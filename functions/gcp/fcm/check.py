"""Check whether FCM would accept messages, without sending one."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from functions.domain.errors import TminusError, Transient
from functions.domain.push.outcomes import Chunk, Envelope, Message, Outcome
from functions.gcp.clock import SystemClock

_FRESH_SECONDS = 30.0
"""How long an answer is reused: health checks may come every second, and a failed search for credentials takes
three."""
_QUESTION = Envelope(execution_id="health", recipe_id="tminus-health", push=1, test=True, dry_run=True)
_NOBODY = Message(user_id="", token="-", title="Tminus", body="health check", deep_link=None)  # noqa: S106


class Sends(Protocol):
    """A sender of messages; see PushSender."""

    def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        """Send chunks."""
        ...


class FcmCheck:
    """Has FCM validate a message to a device that does not exist.

    FCM refuses the message only for that reason if all is well.

    Credentials, project, rights and the connection then work. FCM delivers nothing.
    """

    def __init__(self, sender: Sends, clock: SystemClock) -> None:
        self._sender, self._clock = sender, clock
        self._asking = threading.Lock()
        self._asked_at: float | None = None
        self._trouble: TminusError | None = None

    def check(self) -> None:
        """Raise Misconfigured or Transient, as `send` does, if FCM would accept no message now."""
        with self._asking:
            now = self._clock.seconds()
            if self._asked_at is None or now - self._asked_at >= _FRESH_SECONDS:
                self._trouble, self._asked_at = self._ask(), now
            if self._trouble is not None:
                raise self._trouble

    def _ask(self) -> TminusError | None:
        chunk = Chunk(number=0, messages=[_NOBODY], most_per_second=1.0)
        try:
            [(_, [outcome])] = self._sender.send(_QUESTION, [chunk])
        except TminusError as error:
            return error
        return Transient("FCM gives no clear answer") if outcome is Outcome.UNKNOWN else None
