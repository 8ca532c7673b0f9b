"""The machine's clock, on Google Cloud."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Plays Clock."""

    def now(self) -> datetime:
        """Return the instant it is, aware, in UTC."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """Return seconds of a monotonic clock: only the difference of two of them means something."""
        return time.monotonic()
