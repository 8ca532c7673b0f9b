"""The instant of a fast clock on disk: the clock stands still while nothing runs, and continues from there."""

import json
from datetime import datetime
from pathlib import Path

from functions.domain.instants import instant, stamp
from local.embedded.clock import RealClock, VirtualClock

CLOCK = "clock.json"
"""The file of a state folder that keeps the instant of its fast clock."""


class PersistentClock:
    """Reads and writes the instant of a fast clock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> datetime | None:
        """Return the last instant that was kept; None if there is none."""
        try:
            return instant(json.loads(self._path.read_text())["now"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def keep(self, now: datetime) -> None:
        """Write an instant atomically."""
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps({"now": stamp(now)}))
        draft.replace(self._path)

    def forget(self) -> None:
        """Delete the instant, because the state now uses the machine's clock."""
        self._path.unlink(missing_ok=True)


def clock_of(state: Path) -> RealClock | VirtualClock:
    """Return the clock of a state folder: where its fast clock stands, or the machine's clock if it has none."""
    kept = PersistentClock(state / CLOCK).read()
    return RealClock() if kept is None else VirtualClock(kept)
