"""Write-once files in memory."""

import hashlib
import io
import threading
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from functions.domain.errors import BadAudience
from functions.domain.push.shard import Stored


class MemoryAudienceFiles:
    """Implements AudienceFiles; a file's generation counts all files that were ever written."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[Stored, bytes]] = {}
        self._generation = 0
        self._writing = threading.Lock()

    def write_once(self, name: str, source: Path) -> Stored:
        """Store a local file under a name. If the name is taken, the existing file wins and is returned."""
        _check(name)
        content = source.read_bytes()
        with self._writing:
            if name not in self._files:
                self._generation += 1
                checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
                stored = Stored(name=name, generation=self._generation, checksum=checksum, size_bytes=len(content))
                self._files[name] = (stored, content)
            return self._files[name][0]

    def lines(self, stored: Stored) -> Iterator[bytes]:
        """Yield a file's lines with their line ends; BadAudience if the file is missing or was replaced."""
        yield from io.BytesIO(self._content(stored))

    def read(self, stored: Stored, start: int, end: int) -> bytes:
        """Return a byte range; BadAudience if the file is missing or was replaced."""
        return self._content(stored)[start:end]

    def delete(self, folder: str) -> None:
        """Delete all files in a folder, if there are any."""
        _check(folder)
        with self._writing:
            for name in self.names(folder):
                del self._files[name]

    def names(self, folder: str) -> list[str]:
        """Return the names of all files in a folder and below it."""
        return sorted(name for name in self._files if name.startswith(f"{folder}/"))

    def find(self, name: str) -> Stored | None:
        """Return the stored file of a name; None if there is none."""
        found = self._files.get(name)
        return found[0] if found else None

    def remove(self, name: str) -> None:
        """Delete a file, if there is one."""
        _check(name)
        with self._writing:
            self._files.pop(name, None)

    def expire(self, execution_id: str) -> None:
        """Delete the files of an execution that is deleted."""
        self.delete(f"audiences/{execution_id}")
        self.remove(f"receipts/{execution_id}.csv")

    def content(self, name: str) -> bytes | None:
        """Return a file by its name; None if there is none."""
        found = self._files.get(name)
        return found[1] if found else None

    def _content(self, stored: Stored) -> bytes:
        _check(stored.name)
        found = self._files.get(stored.name)
        if found is None:
            raise BadAudience(f"{stored.name}: the file is gone since it was stored; build the audience again")
        if found[0] != stored:
            raise BadAudience(f"{stored.name}: the file was changed since it was stored; build the audience again")
        return found[1]


def _check(name: str) -> None:
    parts = PurePosixPath(name).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise ValueError(f"{name!r} does not name a file")
