"""One SQLite file that several threads and processes share, and that survives being killed at any instant."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from functions.domain.errors import Misconfigured, Transient

_BUSY_TIMEOUT_SECONDS = 30.0
_WAL_ATTEMPTS = 100


class Database:
    """Connections to an SQLite file, one a thread.

    What a transaction wrote is there after `kill -9` in every mode; after a power cut only with `synchronous`
    FULL, the default, which waits for the disk at each commit.
    """

    def __init__(self, path: Path, *, synchronous: Literal["FULL", "NORMAL"] = "FULL") -> None:
        self._path = path
        self._synchronous = synchronous
        self._connections: dict[threading.Thread, sqlite3.Connection] = {}
        self._opening = threading.Lock()
        self._writing = threading.Lock()
        self._closed = False
        path.parent.mkdir(parents=True, exist_ok=True)

    def define(self, schema: str) -> None:
        """Create tables and indexes; every statement says IF NOT EXISTS."""
        with self.transaction() as connection:
            for statement in schema.split(";"):
                connection.execute(statement)

    def hold_to_format(self, number: int) -> None:
        """Mark a new file as being of a format; Misconfigured where the file is of another."""
        with self.transaction() as connection:
            [found] = connection.execute("PRAGMA user_version").fetchone()
            if found != number and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                reason = f"{self._path} was made by another version of Tminus; move it away, or name another folder"
                raise Misconfigured("STATE_DIR", reason)
            connection.execute(f"PRAGMA user_version = {number}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the database to one writer: commit at the end, roll back and pass on whatever is raised.

        Transactions do not nest. Transient where another process holds the database for 30 seconds.
        """
        connection = self._connection()
        if connection.in_transaction:
            raise sqlite3.ProgrammingError(f"{self._path}: a transaction may not start another")
        with self._writing:
            self._begin(connection)
            try:
                yield connection
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Return all rows of a query, read outside a transaction or in the one of this thread."""
        return self._connection().execute(query, parameters).fetchall()

    def close(self) -> None:
        """Close the connections of all threads; the database cannot be used any more."""
        with self._opening:
            self._closed = True
            for connection in self._connections.values():
                connection.close()
            self._connections.clear()

    def _begin(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise Transient(f"{self._path}: another process holds the database; try again") from error
            raise

    def _connection(self) -> sqlite3.Connection:
        connection = self._connections.get(threading.current_thread())
        return connection or self._open()

    def _open(self) -> sqlite3.Connection:
        with self._opening:
            if self._closed:
                raise sqlite3.ProgrammingError(f"{self._path}: the database is closed")
            for thread in [thread for thread in self._connections if not thread.is_alive()]:
                self._connections.pop(thread).close()
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connections[threading.current_thread()] = connection
            connection.row_factory = sqlite3.Row
            _use_wal(connection)
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to write-ahead logging; of processes that switch a new file at once, some are told it is busy.

    SQLite does not wait then, whatever the busy timeout; an empty write transaction waits in its stead.
    """
    for attempt in range(_WAL_ATTEMPTS):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or attempt == _WAL_ATTEMPTS - 1:
                raise
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
        else:
            return
