"""A transaction that sees a PostgreSQL schema as the source tables, and writes only its own results."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from audience_jobs.engines.needs import Needs
from audience_jobs.engines.time_limit import TimeLimit
from audience_jobs.errors import BadData, BadJob, MissingInDatabase, TooSlow, Unavailable
from audience_jobs.schema import CAST_FROM_TEXTS, ColumnType, Tables
from audience_jobs.sql import canonical, finite, quoted

_COLUMNS = """
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = $1 AND table_name = ANY($2)
"""

# The planner cannot estimate the views' converted ids. It expects few rows from every join and would choose nested
# loops, but jobs join whole tables, for which hash joins are right.
_SETTINGS = (
    "search_path = ''",
    "TimeZone = 'UTC'",
    "standard_conforming_strings = on",
    "enable_nestloop = off",
    "jit = off",
)


_NOT_OF_VALUES = "42"
"""Begins the codes of what PostgreSQL refuses before it reads any value: syntax, names, rights."""
_FAILS = "its SQL fails: "
_TEXTS = ("text", "character varying", "character", "USER-DEFINED")


class PostgresSession:
    """User data as tables; opened by `postgres_session`.

    The source tables are temporary views that convert each column to the schema's type. Texts are compared byte by
    byte. So a job yields the same rows in the same order as from files.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], tables: Tables, schema: str, job_id: str, limit: TimeLimit
    ) -> None:
        self._connection, self._tables, self._schema, self._job_id = connection, tables, schema, job_id
        self._limit = limit
        self._needs: Needs | None = None
        self._found: dict[str, dict[str, str]] = {}

    def prepare(self) -> None:
        """Set up the transaction: only PostgreSQL's own schema is in the search path, and instants are UTC."""
        self.rows(self._timeout())
        for setting in _SETTINGS:
            self.rows(f"SET LOCAL {setting}")
        encoding = self.rows("SHOW server_encoding")[0][0]
        if encoding != "UTF8":
            raise BadJob(self._job_id, f"the user database has the encoding {encoding}: md5 needs UTF8")
        there: dict[str, dict[str, str]] = {}
        for table, column, type_ in self.rows(_COLUMNS, [self._schema, [t.name for t in self._tables.values()]]):
            there.setdefault(str(table), {})[str(column)] = str(type_)
        self._found = {name: there[table.name] for name, table in self._tables.items() if table.name in there}
        for table, types in self._found.items():
            self._create_view(table, types)

    def provide(self, needs: Needs) -> None:
        """Raise MissingInDatabase if a table or a column that the job needs is missing or not readable."""
        self._needs = needs
        for table in needs.mentioned:
            if table in self._found:
                there = self._found[table]
                lacking = [name for name, c in self._tables[table].columns.items() if c.name not in there]
                self.require(table, [column for column in lacking if needs.column(table, column)])
            elif needs.table(table):
                self.require(table, ())

    def require(self, table: str, columns: Iterable[str]) -> None:
        """Raise MissingInDatabase if the table or one of the columns is missing or not readable."""
        found, known = self._found.get(table), self._tables[table]
        names = [known.columns[column].name for column in columns]
        lacking = [""] if found is None else [f".{name}" for name in names if name not in found]
        for column in lacking:
            raise MissingInDatabase(f"{known.name}{column}", self._schema)

    def create_table(self, name: str, types: Mapping[str, str]) -> None:
        """Create a temporary table; `name` and `types` go into the SQL unquoted."""
        columns = ", ".join(f"{quoted(column)} {type_}" for column, type_ in types.items())
        self.rows(f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP")

    def only_read(self) -> None:
        """Make the transaction read-only from now on. PostgreSQL still allows writes to temporary tables."""
        self.rows("SET TRANSACTION READ ONLY")

    def columns(self, sql: str, values: Sequence[object]) -> list[str]:
        """Return the names of the columns that a SELECT yields."""
        with self._statement() as cursor:
            cursor.execute(f"SELECT * FROM ({sql}) AS result LIMIT 0".encode(), values)  # noqa: S608 (parsed, checked and rewritten)
            return [column.name for column in cursor.description or ()]

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Run one statement with values for `$1` and so on, and return its rows."""
        with self._statement() as cursor:
            cursor.execute(sql.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def first_misfit(self, values: Sequence[str], type_: ColumnType) -> str:
        """Return the first of some texts that PostgreSQL cannot read as a type; empty where it reads them all."""
        if self._reads(values, type_):
            return ""
        good, bad = 0, len(values)  # it reads so many of the first ones, and not so many
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if self._reads(values[:middle], type_) else (good, middle)
        return values[good]

    def _reads(self, values: Sequence[str], type_: ColumnType) -> bool:
        read = _reading("g.value", "text", type_)
        self.rows("SAVEPOINT reading")
        try:
            self.rows(f"SELECT count({read}) FROM unnest(CAST($1 AS text[])) AS g(value)", [list(values)])  # noqa: S608 (our own SQL)
        except BadJob as refused:
            if not isinstance(refused.__cause__, psycopg.DataError):
                raise
            self.rows("ROLLBACK TO SAVEPOINT reading")
            return False
        return True

    def write_csv(self, select: str, path: Path) -> int:
        """Write a SELECT's result as CSV and return the number of rows. A write that fails leaves no file."""
        staged = path.with_name(f"{path.name}.part")
        copy = f"COPY ({select}) TO STDOUT (FORMAT csv, HEADER true, NULL '')"
        try:
            with self._statement() as cursor:
                with staged.open("wb") as file, cursor.copy(copy.encode()) as blocks:
                    file.writelines(blocks)
                count = cursor.rowcount
            staged.replace(path)
        finally:
            staged.unlink(missing_ok=True)
        return count

    def _create_view(self, table: str, types: Mapping[str, str]) -> None:
        readings = [
            f"{_reading(quoted(column.name), types[column.name], column.type)} AS {quoted(name)}"
            for name, column in self._tables[table].columns.items()
            if column.name in types
        ]
        source = f"{quoted(self._schema)}.{quoted(self._tables[table].name)}"
        select = f"SELECT {', '.join(readings) or '1 AS nothing'} FROM {source}"  # noqa: S608 (names of the schema)
        self.rows(f"CREATE TEMPORARY VIEW {quoted(table)} AS {select}")

    def _timeout(self) -> str:
        return f"SET LOCAL statement_timeout = {max(1, round(self._limit.left(self._job_id) * 1000)):d}"

    @contextmanager
    def _statement(self) -> Iterator[psycopg.Cursor[Any]]:
        """Open a cursor for one statement, and translate its error: a wrong statement, or a temporary problem."""
        try:
            with self._connection.cursor() as cursor:
                if self._limit.ends < math.inf:
                    cursor.execute(self._timeout().encode())
                yield cursor
        except psycopg.errors.QueryCanceled as error:
            raise TooSlow(self._job_id, self._limit.seconds) from error
        except psycopg.OperationalError as error:
            raise _unavailable(error) from error
        except psycopg.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: psycopg.Error) -> BadData | BadJob:
        reason, needs = f"{_FAILS}{str(error).splitlines()[0]}", self._needs
        if needs is None:
            return BadJob(self._job_id, reason)
        if isinstance(error, psycopg.DataError):
            with suppress(TooSlow, Unavailable):
                if fault := self._fault(needs):
                    return fault
        of_values = not (error.sqlstate or "").startswith(_NOT_OF_VALUES)
        return needs.failure(reason, kind=type(error).__name__, of_values=of_values)

    def _fault(self, needs: Needs) -> BadData | None:
        """Return the error that names a column of texts with a value that is not of its type; None without one.

        PostgreSQL does not name it, and ends the transaction. So each column that the job needs is read by itself.
        """
        self._connection.rollback()
        self._needs = None
        self.prepare()
        self.only_read()
        for table in needs.mentioned:
            for name, column in self._tables[table].columns.items():
                is_text = self._found.get(table, {}).get(column.name) in _TEXTS
                if is_text and column.type not in ("id", "text") and needs.column(table, name):
                    try:
                        self.rows(f"SELECT count({quoted(name)}) FROM {quoted(table)}")  # noqa: S608 (quoted names)
                    except BadJob as refused:
                        return self._bad_data(table, name, refused)
        return None

    def _bad_data(self, table: str, column: str, refused: BadJob) -> BadData:
        known = self._tables[table]
        private = known.private or column in known.private_columns
        said = "" if private else f" ({refused.reason.removeprefix(_FAILS)})"
        name, type_ = known.columns[column].name, known.types[column]
        way_out = 'correct the source, or write "text" in tables.toml'
        return BadData(
            f"{self._schema}.{known.name}", f"column {name!r} holds a value that is not {type_}{said}: {way_out}"
        )


@contextmanager
def postgres_session(
    url: str, tables: Tables, *, schema: str, job_id: str, limit: TimeLimit
) -> Iterator[PostgresSession]:
    """Open a transaction over a schema. Leaving the context removes everything it made.

    It sees one state of the database throughout. Errors name `job_id`.
    """
    try:
        connection = psycopg.connect(
            url,
            cursor_factory=psycopg.RawCursor,
            client_encoding="UTF8",
            application_name="tminus",
            prepare_threshold=None,
        )
    except psycopg.OperationalError as error:
        raise _unavailable(error) from error
    try:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = False  # temporary views first; `only_read` runs before any SQL of a job
        session = PostgresSession(connection, tables, schema, job_id, limit)
        session.prepare()
        yield session
    finally:
        connection.close()


def _unavailable(error: psycopg.OperationalError) -> Unavailable:
    return Unavailable(f"the user database: {str(error).splitlines()[0]}")


def _reading(raw: str, found: str, wanted: ColumnType) -> str:
    """Return the expression that reads a column as the schema's type; an empty text is NULL, as in files."""
    if found in _TEXTS and wanted in CAST_FROM_TEXTS:
        raw = f"nullif(CAST({raw} AS text), '')"
    if wanted == "timestamp":
        return f"{raw} AT TIME ZONE 'UTC'" if found == "timestamp with time zone" else f"CAST({raw} AS timestamp)"
    if wanted == "json":
        return raw if found in ("json", "jsonb") else f"CAST({raw} AS json)"
    if wanted in ("integer", "boolean"):
        return f"CAST({raw} AS {'bigint' if wanted == 'integer' else 'boolean'})"
    text = f"""(nullif(CAST({raw} AS text), '') COLLATE "C")"""
    is_text = found in _TEXTS
    if wanted in ("number", "date", "text[]"):
        return _newer(text if is_text else raw, found, wanted)
    return f"({canonical(text)})" if wanted == "id" and is_text else text


def _newer(raw: str, found: str, wanted: ColumnType) -> str:
    """Read a number, a day or a list; what is not finite is NULL, and so is a list without elements."""
    if wanted == "number":
        return finite(f"CAST({raw} AS double precision)")
    if wanted == "date":
        utc = f"{raw} AT TIME ZONE 'UTC'" if found == "timestamp with time zone" else raw
        day = f"CAST({utc} AS date)"
        return f"CASE WHEN isfinite({day}) THEN {day} END"
    of_json = f"CASE WHEN {raw} IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(CAST({raw} AS jsonb))) END"
    texts = f"CAST({raw} AS text[])" if found == "ARRAY" else of_json
    return f"""(nullif({texts}, CAST('{{}}' AS text[])) COLLATE "C")"""
