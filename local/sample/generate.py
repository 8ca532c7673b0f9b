"""Writes the sample world as one file a table, in the shape of an export of the source database."""

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal, get_args

import duckdb

from local.sample import catalogue, chance, closets, members, offers, people
from local.sample.table import Table
from local.sample.words import WORDS

FileFormat = Literal["csv", "parquet"]

# The order matters: each part reads the tables of the parts before it.
_PARTS = (catalogue.PART, members.PART, closets.PART, offers.PART, people.PART)

_COPY = {
    "csv": "COPY ({query}) TO $path (FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%d %H:%M:%S+00')",
    "parquet": "COPY ({query}) TO $path (FORMAT parquet, COMPRESSION zstd)",
}


def _quietly(table: str, rows: int) -> None:
    """Report nothing."""


def generate(
    directory: Path,
    *,
    users: int,
    seed: int,
    at: datetime,
    file_format: FileFormat = "csv",
    progress: Callable[[str, int], None] = _quietly,
    threads: int | None = None,
) -> dict[str, int]:
    """Write the sample world of `users` members, anchored at the aware instant `at`, into `directory`.

    Every table that the audience jobs read becomes `<table>.csv` (UTF-8, header first, RFC 4180 quoting, `\\n` line
    endings, instants as `2026-01-31 09:00:00+00`) or `<table>.parquet` (instants as UTC TIMESTAMP). Each file is
    replaced atomically. Equal `users`, `seed` and `at` give equal bytes, on any number of `threads` (default: one a
    core). `progress` is called with each table's name and rows. Returns the number of rows of each table.

    Raises ValueError for a negative `users`, a naive `at` or an unknown format, and FileExistsError if a table
    exists in the other format, because a reader could not tell which one to use.
    """
    _refuse_nonsense(users=users, at=at, file_format=file_format)
    directory.mkdir(parents=True, exist_ok=True)
    tables = [table for part in _PARTS for table in part.tables]
    _refuse_ambiguity(directory, tables, file_format)
    rows: dict[str, int] = {}
    with (
        tempfile.TemporaryDirectory(prefix=".sample-", dir=directory) as aside,
        _world(Path(aside), users=users, seed=seed, at=at, threads=threads) as connection,
    ):
        for table in tables:
            rows[table.name] = _export(connection, table, directory, Path(aside), file_format)
            progress(table.name, rows[table.name])
    return rows


def _refuse_nonsense(*, users: int, at: datetime, file_format: str) -> None:
    if users < 0:
        raise ValueError(f"users is {users}: ask for 0 (headers only) or more")
    if at.tzinfo is None:
        raise ValueError(f"at is {at.isoformat()}, which has no time zone: pass an aware instant, such as UTC")
    if file_format not in get_args(FileFormat):
        raise ValueError(f"file_format is {file_format!r}: choose one of {', '.join(get_args(FileFormat))}")


def _refuse_ambiguity(directory: Path, tables: list[Table], file_format: FileFormat) -> None:
    (other,) = set(get_args(FileFormat)) - {file_format}
    for table in tables:
        rival = directory / f"{table.name}.{other}"
        if rival.exists():
            raise FileExistsError(
                f"{rival} exists, so {table.name}.{file_format} beside it would be ambiguous: "
                f"remove it, ask for {other}, or choose another directory"
            )


def _world(scratch: Path, *, users: int, seed: int, at: datetime, threads: int | None) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        config={"memory_limit": "800MB", "temp_directory": str(scratch), "preserve_insertion_order": True}
    )
    connection.execute("SET enable_progress_bar = false")  # on a slow machine it is drawn on standard output
    if threads is not None:
        connection.execute("SET threads = $threads", {"threads": threads})
    connection.execute("SET VARIABLE seed = $seed", {"seed": str(seed)})
    connection.execute("SET VARIABLE users = $users", {"users": users})
    connection.execute("SET VARIABLE at_seconds = $seconds", {"seconds": int(at.timestamp() // 1)})
    for name, words in WORDS.items():
        connection.execute(f"SET VARIABLE {name} = $words", {"words": words})
    for script in (chance.MACROS, *(part.build for part in _PARTS)):
        connection.execute(script)
    return connection


def _export(
    connection: duckdb.DuckDBPyConnection, table: Table, directory: Path, aside: Path, file_format: FileFormat
) -> int:
    """Write the table to a temporary file and rename it into place; return its number of rows."""
    draft = aside / f"{table.name}.{file_format}"
    written = connection.execute(_COPY[file_format].format(query=table.query), {"path": str(draft)}).fetchone()
    assert written is not None, f"COPY of {table.name} answered no row count"
    draft.replace(directory / draft.name)
    return int(written[0])
