"""Problems of the state folder, as one line each: a full or read-only disk, a lost file, a damaged database."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from functions.domain.errors import StoreUnavailable

_PRIMARY_CODE = 0xFF
"""SQLite keeps the kind of an error in the last byte of its extended code: sqlite.org/rescode.html."""
_HELD = "another process holds the database; work continues once that process releases it"
_UNREADABLE = "the disk or the folder fails; work continues once it is readable and writable again"
_DAMAGED = "the database is damaged; restore a copy, or move the file away and start with a new state"
_WORDS = {
    sqlite3.SQLITE_BUSY: _HELD,
    sqlite3.SQLITE_LOCKED: _HELD,
    sqlite3.SQLITE_PROTOCOL: _HELD,
    sqlite3.SQLITE_FULL: "the disk is full; work continues once there is space",
    sqlite3.SQLITE_READONLY: "the folder or its file system is read-only; work continues once it is writable",
    sqlite3.SQLITE_CANTOPEN: _UNREADABLE,
    sqlite3.SQLITE_IOERR: _UNREADABLE,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether another connection holds a lock."""
    return _kind(error) == sqlite3.SQLITE_BUSY


def database_trouble(path: Path, error: sqlite3.Error) -> StoreUnavailable | None:
    """Return the error for a database problem; None for an error in a statement."""
    words = _WORDS.get(_kind(error))
    return StoreUnavailable(f"{path}: {words} ({error})") if words else None


@contextmanager
def file_trouble(path: Path) -> Iterator[None]:
    """Convert an OSError inside to StoreUnavailable with the file's name."""
    try:
        yield
    except OSError as error:
        place = error.filename or path
        raise StoreUnavailable(f"{place}: {error.strerror or error}; work continues once that is fixed") from error


def _kind(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
