"""A file of JSON lines to which several processes append. The incomplete line of a killed process is removed."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from functions.domain.errors import StoreUnavailable
from local.embedded.unavailable import file_trouble

_BLOCK_BYTES = 64 * 1024


class JsonLines:
    """Appends whole lines: after a crash a reader finds complete lines, up to the last whole one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._opened():
            pass

    def append(self, lines: bytes, *, unless: Callable[[], bool] = lambda: False) -> bool:
        """Write lines, each with its line end, all or none; StoreUnavailable if the disk cannot take them.

        OSError where it is unknown how many of them the file holds. False where `unless`, asked while every other
        writer is kept out, says so: nothing is written then.
        """
        with self._opened() as file:
            if unless():
                return False
            size = os.fstat(file).st_size
            try:
                with file_trouble(self._path):
                    _write(file, lines)
            except StoreUnavailable:
                os.ftruncate(file, size)
                raise
            return True

    @contextmanager
    def held(self) -> Iterator[bytes]:
        """Lock the file against other writers inside the context, and yield its content."""
        with self._opened():
            yield self._path.read_bytes()

    def replace(self, change: Callable[[bytes], bytes | None]) -> int:
        """Replace each line for which `change` returns another one, which must not be longer; return their number.

        Lines keep their lengths, filled with blanks before their ends. So a killed process leaves each line either
        as it was or changed, and no other writer has to open the file again.
        """
        changed = start = 0
        with self._opened(), file_trouble(self._path), self._path.open("r+b") as file:
            for line in file.read().splitlines(keepends=True):
                new = change(line.rstrip(b"\n"))
                if new is not None and len(new) >= len(line):
                    raise ValueError(f"{self._path}: a line can only be replaced by a shorter one")
                if new is not None:
                    file.seek(start)
                    file.write(new.ljust(len(line) - 1) + b"\n")
                    changed += 1
                start += len(line)
            file.flush()
            os.fsync(file.fileno())
        return changed

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """Open the file exclusively, and remove an incomplete last line."""
        with file_trouble(self._path):
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            _cut_torn_line(file)
            yield file
        finally:
            os.close(file)


def _write(file: int, lines: bytes) -> None:
    if os.write(file, lines) < len(lines):  # a disk that becomes full has written the beginning
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _cut_torn_line(file: int) -> None:
    size = end = os.fstat(file).st_size
    if size == 0 or os.pread(file, 1, size - 1) == b"\n":
        return
    while end > 0:
        start = max(0, end - _BLOCK_BYTES)
        newline = os.pread(file, end - start, start).rfind(b"\n")
        if newline >= 0:
            os.ftruncate(file, start + newline + 1)
            return
        end = start
    os.ftruncate(file, 0)
