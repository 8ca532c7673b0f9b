"""Looks at a schema of PostgreSQL: which tables and columns it has."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from audience_jobs.engines.postgres_session import PostgresSession, postgres_session
from audience_jobs.engines.time_limit import TimeLimit
from audience_jobs.errors import NoUserData
from audience_jobs.schema import ColumnType, Tables
from audience_jobs.sql import quoted
from audience_jobs.workspace.catalog import Catalog, Finding, FoundTable, Progress, rows_to_sample, shown_name
from audience_jobs.workspace.guess import Sample

# Partitions are read through the table that they belong to. What the role may not see at all is not listed.
_COLUMNS = """
SELECT c.relname, has_table_privilege(c.oid, 'SELECT'), k.column_name, k.data_type, k.udt_name
FROM information_schema.columns AS k
JOIN pg_catalog.pg_namespace AS n ON n.nspname = k.table_schema
JOIN pg_catalog.pg_class AS c ON c.relname = k.table_name AND c.relnamespace = n.oid AND NOT c.relispartition
WHERE k.table_schema = $1 ORDER BY c.relname COLLATE "C", k.ordinal_position
"""
_DECLARED: Mapping[str, ColumnType] = {
    **dict.fromkeys(["smallint", "integer", "bigint"], "integer"),
    **dict.fromkeys(["numeric", "real", "double precision"], "number"),
    "boolean": "boolean",
    **dict.fromkeys(["timestamp with time zone", "timestamp without time zone"], "timestamp"),
    "date": "date",
    "uuid": "id",
    **dict.fromkeys(["json", "jsonb"], "json"),
}
_TEXT_ARRAYS = ("_text", "_varchar", "_bpchar")
_Column = tuple[str, ColumnType | None]


def postgres_catalog(url: str, known: Tables, progress: Progress, *, schema: str, timeout_seconds: float) -> Catalog:
    """Return what a schema holds; `known` is what tables.toml says about it.

    Raises Unavailable where the database cannot be reached, NoUserData where the schema has no table to be seen.
    """
    finding, where = Finding(known=known), f"the schema {schema} of the user database"
    with postgres_session(
        url, Tables([]), schema=schema, job_id="tables", limit=TimeLimit(timeout_seconds)
    ) as session:
        session.only_read()
        there = dict(_tables(session, schema, finding))
        if not there:
            raise NoUserData(where, "has no table in it that the role may read")
        for name in finding.usable_tables(there):
            progress(name)
            names = finding.usable_columns(name, [column for column, _ in there[name]])
            samples = _samples(session, f"{quoted(schema)}.{quoted(name)}", names)
            types = dict(there[name])
            found = (Sample(name=column, values=samples[column], declared=types[column]) for column in names)
            columns = [
                finding.column(name, sample, broken=_broken(session, sample, finding.known_type(name, sample.name)))
                for sample in found
            ]
            if columns:
                finding.tables.append(FoundTable(name=name, columns=columns))
    return finding.catalog(where)


def _tables(session: PostgresSession, schema: str, finding: Finding) -> Iterator[tuple[str, Sequence[_Column]]]:
    for (name, readable), rows in groupby(session.rows(_COLUMNS, [schema]), key=lambda row: (str(row[0]), row[1])):
        columns = [(str(column), _declared(str(type_), str(base))) for _, _, column, type_, base in rows]
        if readable:
            yield name, columns
        else:
            finding.left_out.append(f"{shown_name(name)} (table): the role may not read it: grant SELECT on it")


def _broken(session: PostgresSession, sample: Sample, wanted: ColumnType | None) -> str | None:
    """Return a value of texts that PostgreSQL cannot read as their type in tables.toml; None without such a type."""
    judged = wanted is not None and wanted not in ("id", "text") and sample.declared is None
    return session.first_misfit(sample.filled, wanted) if wanted and judged else None


def _declared(type_: str, base: str) -> ColumnType | None:
    if type_ == "ARRAY":
        return "text[]" if base in _TEXT_ARRAYS else None
    return _DECLARED.get(type_)


def _samples(session: PostgresSession, table: str, names: Sequence[str]) -> Mapping[str, Sequence[str | None]]:
    if not names:
        return {}
    written = ", ".join(f"CAST({quoted(name)} AS text)" for name in names)
    rows = session.rows(f"SELECT {written} FROM {table} LIMIT {rows_to_sample(len(names))}")  # noqa: S608 (quoted names)
    return {
        name: [None if row[place] is None else str(row[place]) for row in rows] for place, name in enumerate(names)
    }
