"""Files of user data, and how DuckDB is to read them as the tables of the schema."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

import duckdb

from audience_jobs.engines.user_folder import UserFolder, path_in
from audience_jobs.errors import BadData, NoUserData, Unavailable
from audience_jobs.schema import SOURCE_TABLES, ColumnType
from audience_jobs.sql import canonical, literal, quoted

_HEADER_LINES, _HEADER_LINE_BYTES = 1000, 2**20
_SUFFIXES = ("csv", "parquet")
# All is said, nothing guessed: a guess would turn on the first rows of a file. RFC 4180; an empty field is NULL.
_CSV_DIALECT = "header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = ''"
_SQL_TYPES = {"integer": "BIGINT", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP", "json": "JSON"}


def sql_type(type_: ColumnType) -> str:
    """Give DuckDB's type for a column of the schema: text where it has none of its own."""
    return _SQL_TYPES.get(type_, "VARCHAR")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How one column is read, as SQL expressions: `raw` is what the file holds (NULL if empty), `typed` its value."""

    type: ColumnType
    raw: str
    typed: str


@dataclass(frozen=True, kw_only=True)
class UserFile:
    """One table's file.

    `relation` is what to select from; `found` are the columns that the file has, `readings` those of them that the
    schema knows.
    """

    table: str
    path: str
    relation: str
    found: tuple[str, ...]
    readings: dict[str, Reading]


def tables_in(folder: UserFolder) -> Mapping[str, datetime]:
    """Give the names of the folder's files that hold a table, and when each was written; NoUserData without any."""
    known = {f"{table}.{suffix}" for table in SOURCE_TABLES for suffix in _SUFFIXES}
    tables = {name: written for name, written in folder.files().items() if name in known}
    if not tables:
        raise NoUserData(folder.address)
    return tables


def find_user_file(
    folder: UserFolder, files: Mapping[str, datetime], table: str, connection: duckdb.DuckDBPyConnection
) -> UserFile | None:
    """Give the table's file, of those in the folder, or None where there is none.

    Raises BadData where there are two files for the table or the file's columns cannot be read.
    """
    names = [name for suffix in _SUFFIXES if (name := f"{table}.{suffix}") in files]
    if len(names) > 1:
        old, new = sorted(names, key=lambda name: files[name])
        out_of_date = f"{new} is there too; remove the one that is out of date ({old} is the older)"
        raise BadData(path_in(folder, old), out_of_date)
    if not names:
        return None
    path = path_in(folder, names[0])
    if path.endswith(".csv"):
        with folder.open(names[0]) as file:
            return _csv_file(table, path, _header(path, file))
    return _parquet_file(table, path, connection)


def _csv_file(table: str, path: str, found: tuple[str, ...]) -> UserFile:
    fields = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(found)))
    readings: dict[str, Reading] = {}
    for place, name in enumerate(found):
        if name in readings:
            raise BadData(path, f"has the column {name!r} twice: remove one")
        if name in SOURCE_TABLES[table]:
            readings[name] = _reading(f"c{place}", "VARCHAR", SOURCE_TABLES[table][name])
    relation = f"read_csv({literal(path)}, {_CSV_DIALECT}, columns = {{{fields}}})"
    return UserFile(table=table, path=path, relation=relation, found=found, readings=readings)


def _header(path: str, file: BinaryIO) -> tuple[str, ...]:
    try:
        header = tuple(next(csv.reader(_first_lines(file), strict=True), ()))
    except UnicodeDecodeError as error:
        raise BadData(path, "its header is not valid UTF-8: export the file as UTF-8") from error
    except csv.Error as error:
        raise BadData(path, f"its header is not CSV: {error}") from error
    if not any(header):
        raise BadData(path, "has no header: its first line has to name the columns")
    return header


def _first_lines(file: BinaryIO) -> Iterator[str]:
    """Give what a header may consist of: a quote left open would otherwise read the whole file into memory."""
    for _ in range(_HEADER_LINES):
        if line := file.readline(_HEADER_LINE_BYTES):
            yield line.decode("utf-8-sig")


def _parquet_file(table: str, path: str, connection: duckdb.DuckDBPyConnection) -> UserFile:
    relation = f"read_parquet({literal(path)}, binary_as_string = true)"
    try:
        types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE FROM {relation}").fetchall()}
    except duckdb.OperationalError as error:
        raise Unavailable(str(error).splitlines()[0]) from error
    except duckdb.Error as error:
        raise BadData(path, f"is not a Parquet file: {str(error).splitlines()[0]}") from error
    readings: dict[str, Reading] = {}
    for name, type_ in types.items():
        if name in SOURCE_TABLES[table]:
            raw = f"nullif({quoted(name)}, '')" if type_ == "VARCHAR" else quoted(name)
            readings[name] = _reading(raw, type_, SOURCE_TABLES[table][name])
    return UserFile(table=table, path=path, relation=relation, found=tuple(types), readings=readings)


def _reading(raw: str, file_type: str, wanted: ColumnType) -> Reading:
    """Cast what the file holds; by way of text where its type has no cast, so that only a value can be at fault."""
    text = raw if file_type == "VARCHAR" else f"CAST({raw} AS VARCHAR)"
    castable = {
        "timestamp": file_type.startswith(("TIMESTAMP", "DATE")),
        "integer": file_type.endswith(("INT", "INTEGER")),
        "boolean": file_type.endswith(("INT", "INTEGER", "BOOLEAN")),
        "json": True,
    }
    if castable.get(wanted):
        typed = f"CAST({raw} AS {sql_type(wanted)})"
    elif wanted == "timestamp":
        typed = _timestamp(text)
    elif wanted == "id" and file_type == "VARCHAR":
        typed = canonical(raw)
    else:
        typed = f"CAST({text} AS {sql_type(wanted)})"
    return Reading(type=wanted, raw=raw, typed=typed)


def _timestamp(raw: str) -> str:
    """Read a time with or without offset as UTC; the session's time zone is UTC.

    DuckDB drops an offset when it casts text to TIMESTAMP, and takes five times as long by way of TIMESTAMPTZ, so
    that only what may have another offset than UTC goes that way.
    """
    is_utc = f"{raw} LIKE '%Z' OR {raw} LIKE '%+00' OR (length({raw}) = 19 AND substr({raw}, 17, 1) = ':')"
    return f"CASE WHEN {is_utc} THEN CAST({raw} AS TIMESTAMP) ELSE CAST(CAST({raw} AS TIMESTAMPTZ) AS TIMESTAMP) END"
