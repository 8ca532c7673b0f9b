"""Write-once files in a folder."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from functions.domain.errors import BadAudience, StoreUnavailable
from functions.domain.push.shard import Stored
from local.embedded.unavailable import file_trouble

_READ_ONLY = 0o444


class FolderAudienceFiles:
    """Implements AudienceFiles below a folder.

    A file appears whole or not at all: it is written under a hidden name beside its own, then linked, which fails
    where the name is taken. What a killed process leaves behind lies in the same folder and is deleted with it.
    StoreUnavailable while the disk or the folder itself cannot be used.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._root = root.resolve()

    def write_once(self, name: str, source: Path) -> Stored:
        """Store a local file under a name. If the name is taken, the existing file wins and is returned."""
        target = self._path(name)
        source.stat()  # a missing source is the caller's mistake, not a problem of the disk
        with file_trouble(target):
            if not target.exists():
                _copy(source, target)
            return self._stored(name)

    def lines(self, stored: Stored) -> Iterator[bytes]:
        """Yield a file's lines with their line ends; BadAudience if the file is missing or was replaced."""
        with self._opened(stored) as file:
            yield from file

    def read(self, stored: Stored, start: int, end: int) -> bytes:
        """Return a byte range; BadAudience if the file is missing or was replaced."""
        with self._opened(stored) as file:
            file.seek(start)
            return file.read(end - start)

    def delete(self, folder: str) -> None:
        """Delete all files in a folder, if there are any."""
        path = self._path(folder)
        with file_trouble(path):
            if path.exists():
                shutil.rmtree(path)

    def names(self, folder: str) -> Sequence[str]:
        """Return the names of all files in a folder and below it, also what killed processes left there."""
        path = self._path(folder)
        with file_trouble(path):
            found = [each for each in path.rglob("*") if each.is_file()]
        return sorted(each.relative_to(self._root).as_posix() for each in found)

    def find(self, name: str) -> Stored | None:
        """Return the stored file of a name; None if there is none."""
        path = self._path(name)
        with file_trouble(path):
            return self._stored(name) if path.is_file() else None

    def remove(self, name: str) -> None:
        """Delete a file, if there is one."""
        path = self._path(name)
        with file_trouble(path):
            path.unlink(missing_ok=True)

    def expire(self, execution_id: str) -> None:
        """Delete the files of an execution that is deleted."""
        self.delete(f"audiences/{execution_id}")
        self.remove(f"receipts/{execution_id}.csv")

    def _stored(self, name: str) -> Stored:
        with self._path(name).open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
            status = os.fstat(file.fileno())
        return Stored(
            name=name, generation=status.st_mtime_ns, checksum=f"sha256:{checksum}", size_bytes=status.st_size
        )

    @contextmanager
    def _opened(self, stored: Stored) -> Iterator[BinaryIO]:
        path = self._path(stored.name)
        with file_trouble(path):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                reason = "the file is gone since it was stored; build the audience again"
                raise BadAudience(f"{stored.name}: {reason}") from None
            with file:
                status = os.fstat(file.fileno())
                if (status.st_mtime_ns, status.st_size) != (stored.generation, stored.size_bytes):
                    reason = "the file was changed since it was stored; build the audience again"
                    raise BadAudience(f"{stored.name}: {reason}")
                yield file

    def _path(self, name: str) -> Path:
        path = (self._root / name).resolve()
        if path == self._root or not path.is_relative_to(self._root):
            raise ValueError(f"{name!r} does not name a file below {self._root}")
        if not self._root.is_dir():
            raise StoreUnavailable(f"{self._root} is gone: put the folder back, or start tminus again")
        return path


def _copy(source: Path, target: Path) -> None:
    """Write a file completely. If another one takes the name meanwhile, that one wins."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".incoming-") as incoming:
        with source.open("rb") as content:
            shutil.copyfileobj(content, incoming)
        incoming.flush()
        os.fchmod(incoming.fileno(), _READ_ONLY)
        os.fsync(incoming.fileno())
        _link(Path(incoming.name), target)


def _link(incoming: Path, target: Path) -> None:
    try:
        os.link(incoming, target)
    except FileExistsError:
        return
