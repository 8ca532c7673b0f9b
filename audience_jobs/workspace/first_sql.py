"""The SQL that the first models of a workspace are made of: names, columns, and which rows count."""

import re
from collections.abc import Collection, Iterator, Sequence

from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.postgres import Postgres

from audience_jobs.sql import quoted
from audience_jobs.workspace.catalog import FoundColumn, FoundTable

_KEYWORDS = frozenset(
    word
    for words in (*Postgres.Tokenizer.KEYWORDS, *DuckDB.Tokenizer.KEYWORDS, "USER", "AT")
    for word in words.split()
)
_TRAITS = ("id", "text", "integer", "number", "boolean", "timestamp", "date")
_DELETED = re.compile(r"(is_?)?(deleted|removed|erased)(_?(at|on))?", re.IGNORECASE)
TIMES = ("timestamp", "date")


def sql_name(name: str) -> str:
    """Return a name of a table or column as SQL reads it: in lower case, quoted where SQL has a meaning for it."""
    lower = name.lower()
    return quoted(lower) if lower.upper() in _KEYWORDS else lower


def reading(alias: str, column: FoundColumn) -> str:
    """Return a column of the table with an alias."""
    return f"{alias}.{sql_name(column.name)}"


def as_text(alias: str, column: FoundColumn) -> str:
    """Return a column as a text."""
    written = reading(alias, column)
    return written if column.type in ("id", "text") else f"CAST({written} AS TEXT)"


def as_time(alias: str, column: FoundColumn) -> str:
    """Return a column of days or times as a time."""
    written = reading(alias, column)
    return written if column.type == "timestamp" else f"CAST({written} AS TIMESTAMP)"


def named_as(written: str, name: str) -> str:
    """Return an expression under a name; a column that has the name already keeps it."""
    return written if written.partition(".")[2] == name else f"{written} AS {name}"


def own_name(alias: str, column: FoundColumn) -> str:
    """Return a column under its own name; capitals, which templates distinguish, take an alias."""
    written = reading(alias, column)
    return written if column.name == column.name.lower() else f"{written} AS {quoted(column.name)}"


def public_columns(
    table: FoundTable, *, without: Sequence[FoundColumn | None], names: Collection[str]
) -> list[FoundColumn]:
    """Return the columns that conditions can read, but for some, and for those with these names."""
    left_out = {id(column) for column in without}
    return [
        column
        for column in table.columns
        if column.type in _TRAITS
        and not column.guess.private
        and id(column) not in left_out
        and column.name.lower() not in names
    ]


def deleted_column(table: FoundTable, unsure: list[str]) -> FoundColumn | None:
    """Return the column that says which rows are deleted; adds a line about it to `unsure`."""
    found = next((column for column in table.columns if _DELETED.fullmatch(column.name)), None)
    if found is None or found.type not in ("boolean", "integer", *TIMES):
        return None
    unsure.append(f"{table.name}.{found.name}: rows that it says are deleted are left out")
    return found


def kept(alias: str, deleted: FoundColumn | None) -> Iterator[str]:
    """Yield the condition that a row is not deleted; none without such a column."""
    if deleted is None:
        return
    column = reading(alias, deleted)
    if deleted.type in TIMES:
        yield f"{column} IS NULL"
    else:
        unset = "FALSE" if deleted.type == "boolean" else "0"
        yield f"coalesce({column}, {unset}) = {unset}"


def is_kept(deleted: FoundColumn, value: str | None) -> bool:
    """Whether a row with this value is not deleted, as the condition of `kept` has it."""
    return not value or (deleted.type not in TIMES and value.lower() in ("0", "false", "f", "no", "n"))


def select(selected: Sequence[str], source: str, conditions: Sequence[str]) -> str:
    """Return a SELECT, its columns one a line."""
    where = f"\nWHERE {' AND '.join(conditions)}" if conditions else ""
    return "SELECT\n    " + ",\n    ".join(selected) + f"\nFROM {source}{where}"
