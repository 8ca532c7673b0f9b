"""Files of user data, and how DuckDB reads them as the tables of the schema."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from audience_jobs.engines.csv_files import CsvForm, read_form
from audience_jobs.engines.user_folder import UserFolder, path_in
from audience_jobs.errors import BadData, NoUserData, Unavailable
from audience_jobs.schema import ColumnType, SourceTable, Tables
from audience_jobs.sql import canonical, finite, literal, quoted

_SUFFIXES = ("csv", "parquet")
# RFC 4180; an empty field is NULL. Nothing is auto-detected, because that would depend on a file's first rows.
_CSV_DIALECT = "header = true, auto_detect = false, quote = '\"', escape = '\"', nullstr = ''"
_DAY = r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*"
_WHOLE = r"\s*[+-]?[0-9]+\.0*\s*"
"""A whole number with a decimal point, as pandas writes it if a column has gaps. DuckDB would round fractions."""
_SQL_TYPES = {
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "json": "JSON",
    "text[]": "VARCHAR[]",
}


def sql_type(type_: ColumnType) -> str:
    """Return DuckDB's type for a column of the schema; text if it has no special type."""
    return _SQL_TYPES.get(type_, "VARCHAR")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How one column is read, as SQL: `raw` is the file's content (NULL if empty), `typed` its value."""

    type: ColumnType
    raw: str
    typed: str


@dataclass(frozen=True, kw_only=True)
class UserFile:
    """One table's file; `table` is the table's name in SQL.

    `relation` is the SQL to select from. `found` are the file's columns, `readings` those that the schema knows.
    `form` is the format of a CSV file.
    """

    table: str
    path: str
    relation: str
    found: tuple[str, ...]
    readings: dict[str, Reading]
    form: CsvForm | None = None

    @property
    def name(self) -> str:
        """The file's name in its folder."""
        return self.path.rpartition("/")[2]


def table_of(file: str) -> str | None:
    """Return the table that a file holds by its name, None if none: `.CSV` is a suffix like `.csv`."""
    name, _, suffix = file.rpartition(".")
    return name if suffix.lower() in _SUFFIXES else None


def files_of(table: str, files: Iterable[str]) -> list[str]:
    """Return those of some files that hold a table."""
    return sorted(name for name in files if table_of(name) == table)


def tables_in(folder: UserFolder, tables: Tables) -> Mapping[str, datetime]:
    """Return the folder's files that hold a table, with their modification times; NoUserData without any."""
    known = {table.name for table in tables.values()}
    found = {name: written for name, written in folder.files().items() if table_of(name) in known}
    if not found:
        raise NoUserData(folder.address)
    return found


def find_user_file(
    folder: UserFolder, files: Mapping[str, datetime], table: SourceTable, connection: duckdb.DuckDBPyConnection
) -> UserFile | None:
    """Return the table's file in the folder, or None.

    Raises BadData if the table has two files or the file's columns cannot be read.
    """
    names = files_of(table.name, files)
    if len(names) > 1:
        old, *_, new = sorted(names, key=lambda name: files[name])
        out_of_date = f"{new} exists too; remove the outdated one ({old} is older)"
        raise BadData(path_in(folder, old), out_of_date)
    if not names:
        return None
    path = path_in(folder, names[0])
    if path.lower().endswith(".csv"):
        with folder.open(names[0]) as file:
            return _csv_file(table, path, read_form(path, file, table.columns))
    return _parquet_file(table, path, connection)


def _csv_file(table: SourceTable, path: str, form: CsvForm) -> UserFile:
    fields = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(form.columns)))
    readings: dict[str, Reading] = {}
    for name, place in _places(path, form.columns, table).items():
        raw = f"nullif(trim(c{place}), '')" if form.padded else f"c{place}"
        readings[name] = _reading(raw, "VARCHAR", table.types[name])
    dialect = f"{_CSV_DIALECT}, delim = {literal(form.delimiter)}, skip = {form.lines_before}"
    relation = f"read_csv({literal(path)}, {dialect}, columns = {{{fields}}})"
    return UserFile(
        table=table.name.lower(), path=path, relation=relation, found=form.columns, readings=readings, form=form
    )


def _parquet_file(table: SourceTable, path: str, connection: duckdb.DuckDBPyConnection) -> UserFile:
    relation = f"read_parquet({literal(path)}, binary_as_string = true)"
    try:
        types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE FROM {relation}").fetchall()}
    except duckdb.OperationalError as error:
        raise Unavailable(str(error).splitlines()[0]) from error
    except duckdb.Error as error:
        raise BadData(path, f"is not a Parquet file: {str(error).splitlines()[0]}") from error
    readings: dict[str, Reading] = {}
    found = tuple(types)
    for name, place in _places(path, found, table).items():
        written, type_ = quoted(found[place]), types[found[place]]
        raw = f"nullif({written}, '')" if type_ == "VARCHAR" else written
        readings[name] = _reading(raw, type_, table.types[name])
    return UserFile(table=table.name.lower(), path=path, relation=relation, found=found, readings=readings)


def _places(path: str, found: Sequence[str], table: SourceTable) -> dict[str, int]:
    """Return each schema column's position in a file. `USER_ID` counts as user_id if no other column does."""
    places: dict[str, int] = {}
    written, folded = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    for place, column in enumerate(found):
        written[column].append(place)
        folded[column.casefold()].append(place)
    for name, wanted in table.columns.items():
        exact = written.get(wanted.name, [])
        alike = exact or folded.get(name, [])
        if len(exact) > 1:
            raise BadData(path, f"has the column {name!r} twice: remove one")
        if len(alike) > 1:
            columns = " and ".join(repr(found[place]) for place in alike)
            raise BadData(path, f"has the columns {columns}, which both mean {name}: remove one")
        if alike:
            places[name] = alike[0]
    return dict(sorted(places.items(), key=lambda each: each[1]))


def _reading(raw: str, file_type: str, wanted: ColumnType) -> Reading:
    """Cast the file's content, through text if its type has no direct cast, so that only values can fail."""
    if wanted == "number" and file_type in ("FLOAT", "DOUBLE"):
        raw = finite(raw)
    if wanted == "text[]":
        return _list(raw, file_type)
    text = raw if file_type == "VARCHAR" else f"CAST({raw} AS VARCHAR)"
    has_day = file_type.startswith(("TIMESTAMP", "DATE"))
    castable = {
        "number": file_type.startswith(("FLOAT", "DOUBLE", "DECIMAL")) or file_type.endswith(("INT", "INTEGER")),
        "integer": file_type.endswith(("INT", "INTEGER")),
        "boolean": file_type.endswith(("INT", "INTEGER", "BOOLEAN")),
        "json": True,
    }
    if wanted in ("timestamp", "date") and has_day:
        type_ = sql_type(wanted)
        no_time = f"WHEN {raw} IS NOT NULL THEN CAST({text} || '?' AS {type_})"
        typed = f"CASE WHEN isfinite({raw}) THEN CAST({raw} AS {type_}) {no_time} END"
    elif castable.get(wanted):
        typed = f"CAST({raw} AS {sql_type(wanted)})"
    elif wanted == "integer":
        typed = f"CAST(CASE WHEN {text} LIKE '%.%' AND NOT {text} ~ '{_WHOLE}' THEN 'no' ELSE {text} END AS BIGINT)"
    elif wanted == "timestamp":
        typed = _timestamp(text)
    elif wanted == "date":
        typed = f"CAST(CASE WHEN {text} ~ '{_DAY}' THEN {text} WHEN {text} IS NOT NULL THEN 'no' END AS DATE)"
    elif wanted == "number":
        typed = f"CAST(CASE WHEN contains(lower({text}), 'n') THEN 'no' ELSE {text} END AS DOUBLE)"
    elif wanted in ("id", "text") and file_type == "VARCHAR":
        typed = canonical(_without_nul(raw)) if wanted == "id" else _without_nul(raw)
    else:
        typed = f"CAST({text} AS {sql_type(wanted)})"
    return Reading(type=wanted, raw=raw, typed=typed)


def _list(raw: str, file_type: str) -> Reading:
    """Read a list of texts: one of the file, or JSON. BigQuery knows no empty lists, so that they are NULL."""
    if file_type.endswith("[]"):
        filled = f"CASE WHEN len({raw}) > 0 THEN {raw} END"
        texts = f"CAST({filled} AS VARCHAR[])"
    else:
        filled = f"nullif(trim(CAST({raw} AS VARCHAR)), '[]')"
        texts = f"CAST(CAST({filled} AS JSON) AS VARCHAR[])"
    return Reading(type="text[]", raw=filled, typed=f"CASE WHEN len({texts}) > 0 THEN {texts} END")


def _without_nul(raw: str) -> str:
    """Make a value with a NUL character fail like the cast of a bad value, because TRY does not catch error()."""
    return f"CASE WHEN contains({raw}, chr(0)) THEN CAST(CAST({raw} AS BIGINT) AS VARCHAR) ELSE {raw} END"


def _timestamp(raw: str) -> str:
    """Read a time with or without offset as UTC, the session's time zone. `infinity` and `epoch` are invalid.

    DuckDB drops an offset when it casts text to TIMESTAMP, and the cast through TIMESTAMPTZ takes five times as long.
    So only values that may have an offset other than UTC go through TIMESTAMPTZ. That cast accepts neither a time
    without seconds before an offset, nor a blank between the two, as in `10:00 +0000`.
    """
    ends = f"{raw} LIKE '%Z' OR {raw} LIKE '%+00' OR substr({raw}, 20) = ''"
    is_utc = f"length({raw}) >= 19 AND substr({raw}, 17, 1) = ':' AND ({ends})"
    closed = f"regexp_replace({raw}, ' ([+-][0-9:]+)$', '\\1')"
    in_seconds = f"regexp_replace({closed}, '^([0-9-]+[ T][0-9]+:[0-9]{{2}})([Z+-].*)$', '\\1:00\\2')"
    dated = f"CASE WHEN regexp_matches({raw}, '^\\s*[0-9]') THEN {in_seconds} WHEN {raw} IS NOT NULL THEN 'no' END"
    zoned = f"CAST(CAST({dated} AS TIMESTAMPTZ) AS TIMESTAMP)"
    return f"CASE WHEN {is_utc} THEN CAST({raw} AS TIMESTAMP) ELSE {zoned} END"
