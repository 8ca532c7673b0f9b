"""A DuckDB database that can reach only two folders, and the SQL with which it writes CSV."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from audience_jobs.contract import Column
from audience_jobs.engines.user_folder import UserFolder
from audience_jobs.sql import literal, quoted

MEMORY_LIMIT_MIB = 704
"""What DuckDB may keep in memory. A process takes up to 300 MiB beside it, so that a build stays below 1 GiB."""


@contextmanager
def sealed_database(
    folder: UserFolder, work_dir: Path, *, memory_limit_mib: int, most_spill_mib: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory that reads `folder`, and spills to `work_dir` beyond `memory_limit_mib`.

    It spills at most `most_spill_mib`, by default as much as the disk has room for.

    Statements cannot read or write outside these two folders, and cannot load extensions, because a job's SQL may
    come from a recipe.
    """
    with duckdb.connect() as connection:
        folder.admit(connection)
        if most_spill_mib is not None:
            connection.execute(f"SET max_temp_directory_size = '{most_spill_mib}MiB'")
        connection.execute(f"""
            SET TimeZone = 'UTC';
            SET memory_limit = '{memory_limit_mib}MiB';
            SET preserve_insertion_order = false;
            SET enable_progress_bar = false;
            SET temp_directory = {literal(work_dir / "spill")};
            SET autoinstall_known_extensions = false;
            SET autoload_known_extensions = false;
            SET allowed_directories = [{literal(f"{folder.address}/")}, {literal(work_dir)}];
            SET enable_external_access = false;
            SET lock_configuration = true;
        """)
        yield connection


def copy_to_csv(select: str, path: Path) -> str:
    """Return the statement that writes a SELECT's result as an audience's CSV; it yields the number of rows."""
    options = "FORMAT csv, HEADER true, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR ''"
    return f"COPY ({select}) TO {literal(path)} ({options})"


def as_written(column: Column) -> str:
    """Return the SQL of an audience's column as its file has it; a timestamp may also come from a text."""
    name = quoted(column.name)
    if column.type == "timestamp":
        return f"strftime(CAST({name} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%SZ') AS {name}"
    return f"CAST({name} AS {'BIGINT' if column.type == 'integer' else 'VARCHAR'}) AS {name}"
