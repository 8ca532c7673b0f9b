"""When a thread of this process last worked."""

from datetime import datetime, timedelta

from functions.domain.errors import Silent
from functions.ports.queue import Clock

_LONGEST_SILENCE = timedelta(seconds=15)
"""In real time. A round of the dispatcher takes a fraction of a second."""


class Heartbeat:
    """Records the last beat of a thread. A thread that was never started is not checked."""

    def __init__(self, clock: Clock, machine: Clock) -> None:
        self._clock, self._machine = clock, machine
        self._beats: tuple[datetime, datetime] | None = None

    def beat(self) -> None:
        """Record that the thread has just worked."""
        self._beats = (self._clock.now(), self._machine.now())

    def last_worked(self) -> datetime | None:
        """Return the instant of the last beat, on the system's clock; None before the first."""
        return self._beats and self._beats[0]

    def check(self) -> None:
        """Raise Silent if the last beat is too long ago."""
        beats = self._beats
        if beats is not None and self._machine.now() - beats[1] > _LONGEST_SILENCE:
            raise Silent(f"last worked at {beats[0]:%Y-%m-%dT%H:%M:%SZ}")
