"""Looks at a folder of user data, on this machine or in a bucket: which tables and columns its files have."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from audience_jobs.engines.csv_files import first_fault, mixed_line_ends
from audience_jobs.engines.sealed_database import sealed_database
from audience_jobs.engines.user_files import UserFile, files_of, find_user_file, table_of
from audience_jobs.engines.user_folder import UserFolder, user_folder
from audience_jobs.errors import BadData, NoUserData, Unavailable
from audience_jobs.schema import ColumnType, Tables
from audience_jobs.workspace.catalog import (
    Catalog,
    Finding,
    FoundColumn,
    Progress,
    rows_to_sample,
    source_table,
)
from audience_jobs.workspace.guess import Guess, Sample, guess, is_a

_OF_DATA = re.compile(r"\.(csv|tsv|parquet|xlsx?|ods|jsonl?|ndjson|avro|orc)(\.\w+)?$", re.IGNORECASE)
_MOST_BYTES, _MOST_JUDGED = 512 * 2**20, 500
"""Beyond this size, or number of columns that are not texts, only the first rows of a file are looked at."""
_AT_ONCE = 1_500
"""How many columns one statement reads: DuckDB keeps thousands of rows of each in memory."""
_DECLARED: Sequence[tuple[re.Pattern[str], ColumnType]] = [
    (re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?"), "integer"),
    (re.compile(r"FLOAT|DOUBLE|DECIMAL.*"), "number"),
    (re.compile("BOOLEAN"), "boolean"),
    (re.compile(r"TIMESTAMP[^\[]*"), "timestamp"),
    (re.compile("DATE"), "date"),
    (re.compile("UUID"), "id"),
    (re.compile(r"VARCHAR\[\]"), "text[]"),
    (re.compile(r"JSON|(STRUCT|MAP|UNION)\(.*|.*\]", re.DOTALL), "json"),
]
"""DuckDB's types, and what they are here; all others are text."""


def folder_catalog(
    place: Path | str, known: Tables, progress: Progress, *, memory_limit_mib: int = 768, temp_dir: Path | None = None
) -> Catalog:
    """Return what a folder holds; `known` is what tables.toml says about it.

    Raises NoFolder, NoUserData, NoCredentials and Unavailable. A file that cannot be read is among the problems.
    """
    folder, finding = user_folder(place), Finding(known=known)
    with folder.access(), TemporaryDirectory(prefix="tminus-tables-", dir=temp_dir) as name:
        work_dir = Path(name).resolve()
        there = folder.files()
        files = {name: at for name, at in there.items() if table_of(name) is not None}
        if not files:
            raise NoUserData(folder.address)
        for file in sorted(filter(_OF_DATA.search, there.keys() - files)):
            finding.leave_out_table(file, "only CSV and Parquet files are read, not packed: export it as one", "file")
        with sealed_database(folder, work_dir, memory_limit_mib=memory_limit_mib) as connection:
            looking = _Looking(folder, files, connection, finding)
            for table in finding.usable_tables({table for name in files if (table := table_of(name)) is not None}):
                progress(table)
                looking.add(table)
    return finding.catalog(folder.address, ignores_capitals=True)


class _Looking:
    """Looks at files one by one."""

    def __init__(
        self,
        folder: UserFolder,
        files: Mapping[str, datetime],
        connection: duckdb.DuckDBPyConnection,
        finding: Finding,
    ) -> None:
        self._folder, self._files, self._connection, self._finding = folder, files, connection, finding

    def add(self, table: str) -> None:
        """Add a table to what is found, or say why it cannot be read."""
        names = files_of(table, self._files)
        if len(names) == 1 and self._is_empty(names[0]):
            self._finding.leave_out_table(names[0], "it is empty: export it with its header", "file")
            return
        try:
            self._finding.add(table, self._columns(table))
        except BadData as error:
            self._finding.problems.append(str(error))

    def _is_empty(self, name: str) -> bool:
        with self._folder.open(name) as file:
            return not file.read(1)

    def _columns(self, table: str) -> Sequence[FoundColumn]:
        known = self._finding.known_table(table)
        header = self._file(table, {c.name: c.type for c in known.columns.values()} if known else {}).found
        columns = self._finding.usable_columns(table, header)
        file = self._file(table, dict.fromkeys(columns, "text"))
        try:
            declared, values = self._declared(file), self._values(file, columns)
            samples = [Sample(name=name, values=values[name], declared=declared[name]) for name in columns]
            private = self._finding.is_private
            guesses = {each.name: guess(each, private=private(table, each.name)) for each in samples}
            broken = self._broken(table, [each for each in samples if each.declared is None], guesses)
        except duckdb.IOException as error:
            raise Unavailable(str(error).splitlines()[0]) from error
        except duckdb.Error as error:
            raise BadData(file.path, self._fault(file) or str(error).splitlines()[0]) from error
        return [
            self._finding.column(table, sample, guesses[sample.name], broken.get(sample.name)) for sample in samples
        ]

    def _file(self, table: str, types: Mapping[str, ColumnType]) -> UserFile:
        file = find_user_file(self._folder, self._files, source_table(table, types), self._connection)
        assert file is not None, "its name comes from the folder"
        return file

    def _declared(self, file: UserFile) -> Mapping[str, ColumnType | None]:
        if file.form is not None:
            return dict.fromkeys(file.found)
        described = self._connection.execute(f"DESCRIBE FROM {file.relation}").fetchall()
        fitting = ((row[0], [type_ for form, type_ in _DECLARED if form.fullmatch(row[1])]) for row in described)
        return {name: next(iter(types), None) for name, types in fitting}

    def _values(self, file: UserFile, names: Sequence[str]) -> Mapping[str, Sequence[str | None]]:
        values: dict[str, Sequence[str | None]] = {}
        for some in _in_parts(names):
            raw = ", ".join(f"CAST({file.readings[name.lower()].raw} AS VARCHAR)" for name in some)
            query = f"SELECT {raw} FROM {file.relation} LIMIT {rows_to_sample(len(names))}"  # noqa: S608 (our own SQL)
            rows = self._connection.execute(query).fetchall()
            values |= {name: [row[place] for row in rows] for place, name in enumerate(some)}
        return values

    def _broken(self, table: str, samples: Sequence[Sample], guesses: Mapping[str, Guess]) -> Mapping[str, str]:
        """Return for columns a value that the engine cannot read as their type; empty where it reads them all.

        It looks at all rows of a file. Of a large or wide file it looks at the first rows, and only at columns of
        which the sample seems not to have the type.
        """
        known = self._finding.known_type
        types = {each.name: known(table, each.name) or guesses[each.name].type for each in samples}
        judged = {name: type_ for name, type_ in types.items() if type_ not in ("id", "text")}
        file = self._file(table, judged)
        rows = file.relation
        if len(judged) > _MOST_JUDGED or not self._is_small(file):
            doubtful = [each.name for each in samples if any(not is_a(types[each.name], v) for v in each.filled)]
            judged = {name: judged[name] for name in doubtful[:_MOST_JUDGED] if name in judged}
            rows = f"(FROM {file.relation} LIMIT {rows_to_sample(len(file.found))})"
        if not judged:
            return {}
        bad = (
            f"any_value(CAST({r.raw} AS VARCHAR)) FILTER ({r.raw} IS NOT NULL AND TRY({r.typed}) IS NULL)"
            for r in (file.readings[name.lower()] for name in judged)
        )
        row = self._connection.execute(f"SELECT {', '.join(bad)} FROM {rows}").fetchone()  # noqa: S608 (our own SQL)
        return {name: value or "" for name, value in zip(judged, row or (), strict=True)}

    def _is_small(self, file: UserFile) -> bool:
        return "://" not in file.path and Path(file.path).stat().st_size <= _MOST_BYTES

    def _fault(self, file: UserFile) -> str | None:
        if file.form is None:
            return None
        with self._folder.open(file.name) as content:
            if fault := first_fault(content, file.form):
                return fault
        with self._folder.open(file.name) as content:
            return mixed_line_ends(content)


def _in_parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE))
