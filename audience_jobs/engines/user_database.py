"""A DuckDB connection that sees a folder of user data as the source tables, and nothing else of the machine."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer

import duckdb

from audience_jobs.engines.needs import Needs
from audience_jobs.engines.sealed_database import copy_to_csv, sealed_database
from audience_jobs.engines.user_files import Reading, UserFile, find_user_file, tables_in
from audience_jobs.engines.user_folder import UserFolder
from audience_jobs.errors import AudienceJobError, BadData, BadJob, MissingColumn, MissingTable, TooSlow, Unavailable
from audience_jobs.schema import SOURCE_TABLES
from audience_jobs.sql import quoted

_CSV_FAULTS = {
    r"Expected Number of Columns: (\d+) Found: (\d+)": "has {1} fields instead of {0}",
    r"Value with unterminated quote": "has a quote that does not end a value: write quotes inside of a value twice",
    r"Invalid unicode": "is not valid UTF-8: export the file as UTF-8",
    r"Maximum line size": "is longer than 2 MB: is a quote left open?",
}


class UserDatabase:
    """User data as tables; opened by `user_database`.

    What DuckDB says about bad data comes out as BadData and what it says about SQL as BadJob. A full disk, a lack
    of memory or a broken connection is Unavailable: it is the fault of the machine, not of the data. A statement that
    takes longer than `timeout_seconds` is stopped, and comes out as TooSlow.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, folder: UserFolder, work_dir: Path, timeout_seconds: float
    ) -> None:
        self._connection, self._folder, self._work_dir = connection, folder, work_dir
        self._timeout_seconds = timeout_seconds
        self._files: dict[str, UserFile] = {}

    def provide(self, needs: Needs) -> None:
        """Make the tables readable that the SQL needs. Raises MissingTable, MissingColumn, BadData, NoUserData."""
        lacking = [table for table in needs.mentioned if table not in self._files]
        files = tables_in(self._folder) if lacking else {}
        for table in lacking:
            file = find_user_file(self._folder, files, table, self._connection)
            if file is not None:
                self._add(file, needs)
            elif needs.table(table):
                raise MissingTable(table, self._folder.address)

    def rows(self, needs: Needs, sql: str, values: Mapping[str, object]) -> list[tuple[object, ...]]:
        """Run one statement with the parameters that it reads, and give its rows."""
        timer = Timer(self._timeout_seconds, self._connection.interrupt)
        try:
            (statement,) = self._connection.extract_statements(sql)
            used = {name: values[name] for name in statement.named_parameters}
            timer.start()
            return self._connection.execute(statement, used).fetchall()
        except duckdb.InterruptException as error:
            raise TooSlow(needs.job_id, self._timeout_seconds) from error
        except duckdb.OperationalError as error:
            raise Unavailable(str(error).splitlines()[0]) from error
        except duckdb.Error as error:
            raise self._explained(error, needs) from error
        finally:
            timer.cancel()

    def write_csv(self, needs: Needs, select: str, values: Mapping[str, object], path: Path) -> int:
        """Write what a SELECT yields as CSV and give the number of rows; a file that fails midway never appears."""
        staged = self._work_dir / "rows.csv"
        count = self.rows(needs, copy_to_csv(select, staged), values)[0][0]
        shutil.move(staged, path)
        return int(str(count))

    def _add(self, file: UserFile, needs: Needs) -> None:
        for column in (name for name in SOURCE_TABLES[file.table] if name not in file.readings):
            if needs.column(file.table, column):
                raise MissingColumn(file.path, column, file.found)
        columns = [f"{reading.typed} AS {quoted(name)}" for name, reading in file.readings.items()]
        self._files[file.table] = file
        self.rows(needs, f"CREATE VIEW {file.table} AS FROM {file.relation} SELECT {', '.join(columns) or '1'}", {})

    def _explained(self, error: duckdb.Error, needs: Needs) -> AudienceJobError:
        text = str(error)
        files = re.findall(r"^  file = (.*)$", text, re.MULTILINE)
        if files:
            return BadData(files[-1], _csv_fault(text))
        for file in self._files.values():
            for column, reading in file.readings.items():
                if needs.column(file.table, column) and (fault := self._fault(file, reading)):
                    return BadData(file.path, f"column {column!r} {fault}")
        return BadJob(needs.job_id, f"its SQL fails: {text.splitlines()[0]}")

    def _fault(self, file: UserFile, reading: Reading) -> str | None:
        bad = f"{reading.raw} IS NOT NULL AND TRY({reading.typed}) IS NULL"
        query = f"SELECT CAST({reading.raw} AS VARCHAR) FROM {file.relation} WHERE {bad} LIMIT 1"  # noqa: S608 (our own SQL)
        try:
            row = self._connection.execute(query).fetchone()
        except duckdb.Error as error:
            return f"cannot be read as {reading.type}: {str(error).splitlines()[0]}"
        return f"holds {row[0][:60]!r}, which is not a valid {reading.type}" if row else None


@contextmanager
def user_database(
    folder: UserFolder, *, memory_limit_mib: int, temp_dir: Path | None, timeout_seconds: float
) -> Iterator[UserDatabase]:
    """Open the folder's tables in a database in memory, which spills to a folder of its own below `temp_dir`."""
    with TemporaryDirectory(prefix="tminus-audience-", dir=temp_dir) as work_name:
        work_dir = Path(work_name).resolve()
        with sealed_database(folder, work_dir, memory_limit_mib=memory_limit_mib) as connection:
            yield UserDatabase(connection, folder, work_dir, timeout_seconds)


def _csv_fault(text: str) -> str:
    line = re.search(r"CSV Error on Line: (\d+)", text)
    place = f"line {line[1]}" if line else "some line"
    for pattern, fault in _CSV_FAULTS.items():
        if found := re.search(pattern, text):
            return f"{place} {fault.format(*found.groups())}"
    return f"{place} is not CSV as in RFC 4180: look for stray quotes and mixed line ends"
