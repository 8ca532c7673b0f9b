"""A DuckDB connection that sees a folder of user data as the source tables, and no other files of the machine."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import duckdb

from audience_jobs.engines.csv_files import first_fault, mixed_line_ends
from audience_jobs.engines.needs import Needs
from audience_jobs.engines.sealed_database import copy_to_csv, sealed_database
from audience_jobs.engines.time_limit import TimeLimit
from audience_jobs.engines.user_files import Reading, UserFile, find_user_file, tables_in
from audience_jobs.engines.user_folder import UserFolder
from audience_jobs.errors import AudienceJobError, BadData, MissingColumn, MissingTable, TooSlow, Unavailable
from audience_jobs.schema import Tables
from audience_jobs.sql import quoted

_STOPPED = "tminus is stopping, and stopped this query"
_AGAIN_SECONDS = 0.2
_NOT_OF_VALUES = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.SyntaxException)
"""What DuckDB refuses before it reads any value."""
_WAYS_OUT = {
    "timestamp": "write the year first, as in 2026-11-23 18:00:00+00",
    "integer": "write a whole number without separators, as in 1000",
    "boolean": "write true or false",
    "number": "write a point before the fraction and no other separator, as in 1234.5",
    "date": "write year, month and day, as in 2026-11-23",
    "text[]": """write a list of texts as JSON, as in ["pro", "beta"]""",
}


class UserDatabase:
    """User data as tables; opened by `user_database`.

    DuckDB's errors about data become BadData, those about SQL become BadJob. A full disk, a lack of memory or a
    broken connection becomes Unavailable, because the machine is at fault. A statement that takes longer than
    its limit is stopped and raises TooSlow.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: UserFolder,
        tables: Tables,
        work_dir: Path,
        limit: TimeLimit,
    ) -> None:
        self._connection, self._folder, self._tables, self._work_dir = connection, folder, tables, work_dir
        self._limit = limit
        self._files: dict[str, UserFile] = {}
        self._stopped = False

    def stop(self) -> None:
        """Stop the running statement of another thread. It and all later statements raise Unavailable."""
        self._stopped = True
        self._connection.interrupt()

    def provide(self, needs: Needs) -> None:
        """Create views of the tables that the SQL needs. Raises MissingTable, MissingColumn, BadData, NoUserData."""
        lacking = [table for table in needs.mentioned if table not in self._files]
        files = tables_in(self._folder, self._tables) if lacking else {}
        for table in lacking:
            file = find_user_file(self._folder, files, self._tables[table], self._connection)
            if file is not None:
                self._add(file, needs)
            elif needs.table(table):
                raise MissingTable(self._tables[table].name, self._folder.address)

    def rows(self, needs: Needs, sql: str, values: Mapping[str, object]) -> list[tuple[object, ...]]:
        """Run one statement with values for its parameters, and return its rows."""
        if self._stopped:
            raise Unavailable(_STOPPED)
        try:
            (statement,) = self._connection.extract_statements(sql)
            used = {name: values[name] for name in statement.named_parameters}
            with self._time_limit(needs.job_id):
                return self._connection.execute(statement, used).fetchall()
        except duckdb.InterruptException as error:
            if self._stopped:
                raise Unavailable(_STOPPED) from error
            raise TooSlow(needs.job_id, self._limit.seconds) from error
        except duckdb.OperationalError as error:
            raise Unavailable(str(error).splitlines()[0]) from error
        except duckdb.Error as error:
            raise self._explained(error, needs) from error
        except RuntimeError as error:
            if isinstance(error.__cause__, KeyboardInterrupt):  # how DuckDB reports Ctrl-C
                self._connection.interrupt()  # or it continues until it is closed
                raise KeyboardInterrupt from error
            raise

    @contextmanager
    def _time_limit(self, job_id: str) -> Iterator[None]:
        """Interrupt the statement in the context when its time is over, until it ends.

        DuckDB forgets an interrupt that comes while it still plans the statement.
        """
        ended, first = Event(), self._limit.left(job_id)

        def interrupt() -> None:
            wait = first
            while not ended.wait(wait):
                self._connection.interrupt()
                wait = _AGAIN_SECONDS

        watching = Thread(target=interrupt, daemon=True)
        watching.start()
        try:
            yield
        finally:
            ended.set()
            watching.join()

    def write_csv(self, needs: Needs, select: str, values: Mapping[str, object], path: Path) -> int:
        """Write a SELECT's result as CSV and return the number of rows. A write that fails leaves no file."""
        staged = self._work_dir / "rows.csv"
        count = self.rows(needs, copy_to_csv(select, staged), values)[0][0]
        shutil.move(staged, path)
        return int(str(count))

    def _add(self, file: UserFile, needs: Needs) -> None:
        table = self._tables[file.table]
        for name, column in table.columns.items():
            if name not in file.readings and needs.column(file.table, name):
                raise MissingColumn(file.path, column.name, file.found)
        columns = [f"{reading.typed} AS {quoted(name)}" for name, reading in file.readings.items()]
        self._files[file.table] = file
        select = f"FROM {file.relation} SELECT {', '.join(columns) or '1'}"
        self.rows(needs, f"CREATE VIEW {quoted(file.table)} AS {select}", {})
        flag = "deleted_at" in file.readings and table.types["deleted_at"] == "integer"
        if flag and needs.column(file.table, "deleted_at"):
            self._check_deleted_at(file, needs)

    def _check_deleted_at(self, file: UserFile, needs: Needs) -> None:
        """Raise BadData if `deleted_at` is empty in all rows, because a job would then silently find no user."""
        some = f"SELECT 1 FROM {file.relation} WHERE"  # noqa: S608 (our own SQL)
        said = self.rows(needs, f"{some} {file.readings['deleted_at'].raw} IS NOT NULL LIMIT 1", {})
        if not said and self.rows(needs, f"{some} true LIMIT 1", {}):
            raise BadData(file.path, "column 'deleted_at' is empty in every row: write 0 for rows not deleted")

    def _explained(self, error: duckdb.Error, needs: Needs) -> AudienceJobError:
        """Return the error that names the bad file. DuckDB may not name it, and cannot be used afterwards."""
        text = str(error)
        named = re.findall(r"^  file = (.*)$", text, re.MULTILINE)
        lost = isinstance(error, (duckdb.FatalException, duckdb.InternalException))
        if named or lost:
            for file in self._files.values():
                if (file.path in named or lost) and (fault := self._csv_fault(file)):
                    return BadData(file.path, fault)
            if named:
                return BadData(named[-1], self._line_ends(named[-1]) or "is not CSV as in RFC 4180")
        for file in self._files.values():
            for column, reading in file.readings.items():
                if needs.column(file.table, column) and (fault := self._fault(file, column, reading)):
                    return BadData(file.path, fault)
        reason, kind = f"its SQL fails: {text.splitlines()[0]}", text.partition(":")[0]
        return needs.failure(reason, kind=kind, of_values=not isinstance(error, _NOT_OF_VALUES))

    def _line_ends(self, path: str) -> str | None:
        with self._folder.open(path.rpartition("/")[2]) as content:
            return mixed_line_ends(content)

    def _csv_fault(self, file: UserFile) -> str | None:
        if file.form is None:
            return None
        with self._folder.open(file.name) as content:
            return first_fault(content, file.form)

    def _fault(self, file: UserFile, column: str, reading: Reading) -> str | None:
        bad = f"{reading.raw} IS NOT NULL AND TRY({reading.typed}) IS NULL"
        query = f"SELECT CAST({reading.raw} AS VARCHAR) FROM {file.relation} WHERE {bad} LIMIT 1"  # noqa: S608 (our own SQL)
        try:
            row = self._connection.execute(query).fetchone()
        except duckdb.Error as error:
            why = "" if self._is_private(file, column) else f": {str(error).splitlines()[0]}"
            return self._csv_fault(file) or f"column {column!r} cannot be read as {reading.type}{why}"
        if not row:
            return None
        if "\0" in row[0]:
            return self._csv_fault(file) or f"column {column!r} holds a NUL character: export it without"
        way_out = f": {_WAYS_OUT[reading.type]}" if reading.type in _WAYS_OUT else ""
        value = "a private value" if self._is_private(file, column) else repr(row[0][:60])
        return f"column {column!r} holds {value}, which is not a valid {reading.type}{way_out}"

    def _is_private(self, file: UserFile, column: str) -> bool:
        table = self._tables[file.table]
        return table.private or column in table.private_columns


@contextmanager
def user_database(
    folder: UserFolder,
    tables: Tables,
    *,
    memory_limit_mib: int,
    most_spill_mib: int | None,
    temp_dir: Path | None,
    limit: TimeLimit,
) -> Iterator[UserDatabase]:
    """Open the folder's tables in a database in memory, which spills to its own folder below `temp_dir`."""
    with folder.access(), TemporaryDirectory(prefix="tminus-audience-", dir=temp_dir) as work_name:
        work_dir = Path(work_name).resolve()
        with sealed_database(
            folder, work_dir, memory_limit_mib=memory_limit_mib, most_spill_mib=most_spill_mib
        ) as connection:
            yield UserDatabase(connection, folder, tables, work_dir, limit)
