"""The machine's clock, on Google Cloud."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Implements Clock."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """Return seconds of a monotonic clock: only differences are meaningful."""
        return time.monotonic()
