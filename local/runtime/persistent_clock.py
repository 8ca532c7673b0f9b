"""A fast clock's place, kept on disk: it stands still while nothing runs, and goes on from there."""

import json
from datetime import datetime
from pathlib import Path

from functions.domain.instants import instant, stamp


class KeptClock:
    """Reads and writes the instant that a fast clock has reached."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> datetime | None:
        """Return the instant that was kept last, None where there is none."""
        try:
            return instant(json.loads(self._path.read_text())["now"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def keep(self, now: datetime) -> None:
        """Write an instant; the file is whole at any moment."""
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps({"now": stamp(now)}))
        draft.replace(self._path)

    def forget(self) -> None:
        """Drop the instant: the state has lived on the machine's clock since."""
        self._path.unlink(missing_ok=True)
