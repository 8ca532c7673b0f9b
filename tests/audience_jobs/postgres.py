"""A real PostgreSQL for tests: started by them on a free port, filled from folders of CSV files."""

import csv
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from audience_jobs.schema import Tables
from audience_jobs.sql import quoted
from local.runtime.emulators import EmulatorMissing, free_port
from tests.audience_jobs.marketplace import MARKETPLACE

_USUAL_PLACES = Path("/usr/lib/postgresql")
_OPEN_TO_ALL = Path("/tmp")
"""Where another user than the one who runs the tests may have a folder; pytest's are closed to them."""
_TYPES = {
    "text": "text",
    "integer": "bigint",
    "number": "double precision",
    "boolean": "boolean",
    "timestamp": "timestamptz",
    "date": "date",
    "json": "jsonb",
    "text[]": "jsonb",
}


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run PostgreSQL and yield its URL; it sorts texts as in English, so that no query relies on their bytes."""
    programs = _programs()
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    home = Path(tempfile.mkdtemp(prefix="tminus-postgres-", dir=_OPEN_TO_ALL if user else None))
    if user:
        shutil.chown(home, user)
    data, port = home / "data", free_port()

    def run(program: str, *arguments: str) -> None:
        log = home / "output.log"
        with log.open("ab") as output:
            subprocess.run(
                [programs / program, "-D", data, *arguments],
                user=user,
                stdout=output,
                stderr=output,
                check=True,
                cwd=home,
            )

    options = f"-p {port} -k '' -c listen_addresses=127.0.0.1 -c fsync=off -c max_wal_size=2GB"
    try:
        run(
            "initdb",
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
            "--no-sync",
            "--locale-provider=icu",
            "--icu-locale=en-US",
            "--locale=C.UTF-8",
        )
        run("pg_ctl", "start", "-w", "-l", str(home / "server.log"), "-o", options)
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "stop", "-w", "-m", "immediate")
    finally:
        shutil.rmtree(home)


def fill(
    url: str,
    folder: Path,
    tables: Tables = MARKETPLACE.tables,
    *,
    id_type: str = "text",
    schema: str = "public",
) -> None:
    """Replace the schema's tables by those of a folder of CSV files."""
    with psycopg.connect(url) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}".encode())
        for table in tables.values():
            types = {column.name: _TYPES.get(column.type, id_type) for column in table.columns.values()}
            declared = ", ".join(f"{quoted(name)} {type_}" for name, type_ in types.items())
            connection.execute(f"CREATE TABLE {schema}.{quoted(table.name)} ({declared})".encode())
            _load(connection, f"{schema}.{quoted(table.name)}", folder / f"{table.name}.csv")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")


def _load(connection: psycopg.Connection[object], table: str, path: Path) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file))
    copy = f"COPY {table} ({', '.join(map(quoted, header))}) FROM STDIN (FORMAT csv, HEADER true)"
    with path.open("rb") as file, connection.cursor().copy(copy.encode()) as target:
        while block := file.read(2**20):
            target.write(block)


def _programs() -> Path:
    found = [Path(place).parent for name in ("initdb",) if (place := shutil.which(name))]
    found += [path.parent for path in sorted(_USUAL_PLACES.glob("*/bin/initdb"), reverse=True)]
    for folder in found:
        if (folder / "pg_ctl").exists():
            return folder
    raise EmulatorMissing(
        "PostgreSQL is missing: `apt-get install postgresql-15`, or put initdb and pg_ctl on the PATH"
    )
