"""One SQLite file, shared by several threads and processes, that survives a kill at any instant."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from functions.domain.errors import Misconfigured, StoreUnavailable
from local.embedded.unavailable import database_trouble, is_busy

T = TypeVar("T")

_PATIENCE_SECONDS = 30.0
"""How long a statement waits for another process, or for another writer of this one."""
_PROBE_SECONDS = 1.0
_RETRY_SECONDS = 0.005
_CLOSE_SECONDS = 1.0


class _Connection:
    """A thread's connection. The thread holds `lock` while it uses it, and so does a thread that closes it."""

    def __init__(self, sqlite: sqlite3.Connection) -> None:
        self.sqlite = sqlite
        self.lock = threading.RLock()
        self.uses = 0


class Database:
    """Connections to an SQLite file, one per thread.

    Committed transactions survive `kill -9` in every mode. They survive a power cut only with `synchronous` FULL, the
    default, which waits for the disk at each commit.

    Every use raises StoreUnavailable while the file cannot be read or written: on a full or read-only disk, while
    another process holds the database for 30 seconds, where the file is damaged, or gone from its folder. The next
    use tries again.
    """

    def __init__(self, path: Path, *, synchronous: Literal["FULL", "NORMAL"] = "FULL") -> None:
        self._path = path
        self._synchronous = synchronous
        self._connections: dict[threading.Thread, _Connection] = {}
        self._opening = threading.Lock()
        self._writing = threading.Lock()
        self._closed = threading.Event()
        self._file: tuple[int, int] | None = None
        path.parent.mkdir(parents=True, exist_ok=True)

    def define(self, schema: str) -> None:
        """Create tables and indexes; every statement says IF NOT EXISTS."""
        with self.transaction() as connection:
            for statement in schema.split(";"):
                connection.execute(statement)

    def check_format(self, number: int) -> None:
        """Mark a new file with its format; Misconfigured if the file has another one."""
        with self.transaction() as connection:
            [found] = connection.execute("PRAGMA user_version").fetchone()
            if found != number and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                reason = f"{self._path} was made by another version of Tminus; move it away, or name another folder"
                raise Misconfigured("STATE_DIR", reason)
            connection.execute(f"PRAGMA user_version = {number}")

    def check(self) -> None:
        """Write to the disk without a change; StoreUnavailable if that takes longer than a second."""
        with self.transaction(patience_seconds=_PROBE_SECONDS) as connection:
            [number] = connection.execute("PRAGMA user_version").fetchone()
            connection.execute(f"PRAGMA user_version = {number}")

    @contextmanager
    def transaction(self, *, patience_seconds: float = _PATIENCE_SECONDS) -> Iterator[sqlite3.Connection]:
        """Run a write transaction: commit at the end, or roll back and raise the error.

        Transactions do not nest.
        """
        with self._connection() as connection:
            if connection.in_transaction:
                raise sqlite3.ProgrammingError(f"{self._path}: a transaction cannot start another")
            if not self._writing.acquire(timeout=patience_seconds):
                raise StoreUnavailable(f"{self._path}: other writers are waiting for the database; try again")
            try:
                self._patiently(lambda: connection.execute("BEGIN IMMEDIATE"), patience_seconds)
                yield connection
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
            finally:
                self._writing.release()

    def scrub(self) -> None:
        """Rewrite the file and its log, so that no page holds bytes of deleted rows any more."""
        with self._connection() as connection:
            for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                self._patiently(partial(_run, connection, statement))

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Return all rows of a query, in this thread's transaction, if there is one."""
        with self._connection() as connection:
            return self._patiently(lambda: connection.execute(query, parameters).fetchall())

    def close(self) -> None:
        """Close the connections of all threads; the database cannot be used any more.

        A connection is closed when its thread has left it: closing it before crashes the process. One whose thread
        stays inside for longer than a second is left to the end of the process.
        """
        self._closed.set()
        with self._opening:
            connections = list(self._connections.values())
            self._connections.clear()
        for connection in connections:
            if connection.lock.acquire(timeout=_CLOSE_SECONDS):
                connection.sqlite.close()
                connection.lock.release()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection. After a problem the thread gets a new one."""
        own = self._connections.get(threading.current_thread()) or self._open()
        with own.lock:
            self._check_open()
            self._check_file()
            own.uses += 1
            try:
                yield own.sqlite
            except sqlite3.Error as error:
                trouble = database_trouble(self._path, error)
                if trouble is None:
                    raise
                if own.uses == 1:
                    self._discard(own)
                raise trouble from error
            finally:
                own.uses -= 1

    def _patiently(self, attempt: Callable[[], T], patience_seconds: float = _PATIENCE_SECONDS) -> T:
        """Repeat an attempt while another process blocks it: SQLite itself does not always wait."""
        for left in reversed(range(int(patience_seconds / _RETRY_SECONDS))):
            try:
                return attempt()
            except sqlite3.OperationalError as error:
                if not (left and is_busy(error)):
                    raise
            self._closed.wait(_RETRY_SECONDS)
            self._check_open()
        raise AssertionError("the last attempt returns or raises")

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise StoreUnavailable(f"{self._path}: the database is closed, as tminus stops")

    def _check_file(self) -> None:
        """Refuse to use a file that is no longer in its folder, because its writes would be lost."""
        try:
            found = self._path.stat()
        except OSError as error:
            reason = f"{error.strerror}; put the folder back, or stop tminus and start with a new state"
            raise StoreUnavailable(f"{self._path}: {reason}") from error
        if (found.st_dev, found.st_ino) != self._file:
            raise StoreUnavailable(f"{self._path}: another file has taken its place; start tminus again to use it")

    def _open(self) -> _Connection:
        self._check_open()
        if self._file is not None:
            self._check_file()  # SQLite would create a new file
        try:
            opened = _Connection(self._connect())
        except sqlite3.Error as error:
            raise database_trouble(self._path, error) or error from error
        with self._opening:
            if self._file is None:
                made = self._path.stat()
                self._file = (made.st_dev, made.st_ino)
            for thread in [thread for thread in self._connections if not thread.is_alive()]:
                self._connections.pop(thread).sqlite.close()
            self._connections[threading.current_thread()] = opened
        return opened

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            self._patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"))
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA secure_delete = ON")  # rows that expire leave no bytes behind
        except BaseException:
            connection.close()
            raise
        return connection

    def _discard(self, own: _Connection) -> None:
        """Close this thread's connection: a connection opened on a read-only disk stays read-only."""
        with self._opening:
            if self._connections.get(threading.current_thread()) is own:
                del self._connections[threading.current_thread()]
        own.sqlite.close()


def _run(connection: sqlite3.Connection, statement: str) -> None:
    connection.execute(statement).fetchall()
