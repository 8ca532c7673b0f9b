"""When a thread of this process last did its work."""

from datetime import datetime, timedelta

from functions.domain.errors import Silent
from functions.ports.queue import Clock

_LONGEST_SILENCE = timedelta(seconds=15)
"""Of real time. A round of the dispatcher takes a fraction of a second."""


class Heartbeat:
    """Knows when it was beaten last; nothing is expected of a thread that was never started."""

    def __init__(self, clock: Clock, machine: Clock) -> None:
        self._clock, self._machine = clock, machine
        self._beats: tuple[datetime, datetime] | None = None

    def beat(self) -> None:
        """Note that the work was done just now."""
        self._beats = (self._clock.now(), self._machine.now())

    def last_worked(self) -> datetime | None:
        """Return the instant of the last beat, on the system's clock; None before the first."""
        return self._beats and self._beats[0]

    def check(self) -> None:
        """Raise Silent where the last beat is too long ago."""
        beats = self._beats
        if beats is not None and self._machine.now() - beats[1] > _LONGEST_SILENCE:
            raise Silent(f"last worked at {beats[0]:%Y-%m-%dT%H:%M:%SZ}")
