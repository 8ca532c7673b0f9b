"""The clocks of the embedded runtime: the machine's, a fast one, and one that code moves."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class WaitableClock(Protocol):
    """A clock that also says how long to wait in real time."""

    def now(self) -> datetime:
        """Return the instant it is, aware, in UTC."""
        ...

    def real_seconds_until(self, at: datetime) -> float:
        """Return the seconds of real time until this clock shows `at`; 0 for an instant that has passed."""
        ...


class RealClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the instant it is, aware, in UTC."""
        return datetime.now(UTC)

    def real_seconds_until(self, at: datetime) -> float:
        """Return the seconds until `at`, 0 once it has passed."""
        return max(0.0, (at - self.now()).total_seconds())


class FastClock:
    """A clock that begins at `start` and runs `speed` times as fast as the machine's monotonic clock.

    Unless `running`, it stands at `start` until `run`.
    """

    def __init__(self, speed: float, start: datetime, *, running: bool = True) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, got {speed}")
        self._speed = speed
        self._start = start.astimezone(UTC)
        self._origin = time.monotonic() if running else None

    def run(self) -> None:
        """Start the clock, unless it already runs."""
        if self._origin is None:
            self._origin = time.monotonic()

    def stand_at(self, start: datetime) -> None:
        """Move a clock that does not run yet; ValueError if it runs."""
        if self._origin is not None:
            raise ValueError("this clock runs already; move it before run")
        self._start = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the simulated instant, aware, in UTC."""
        if self._origin is None:
            return self._start
        return self._start + timedelta(seconds=(time.monotonic() - self._origin) * self._speed)

    def real_seconds_until(self, at: datetime) -> float:
        """Return the seconds of real time until the simulated clock shows `at`, 0 once it has passed."""
        return max(0.0, (at - self.now()).total_seconds() / self._speed)


class VirtualClock:
    """A clock that moves only when code moves it."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant it was last moved to, aware, in UTC."""
        return self._now

    def advance_to(self, at: datetime) -> None:
        """Move forwards to `at`. An earlier instant changes nothing."""
        self._now = max(self._now, at.astimezone(UTC))

    def real_seconds_until(self, at: datetime) -> float:  # noqa: ARG002 - the signature of every clock
        """Return 0: nothing waits for this clock."""
        return 0.0
