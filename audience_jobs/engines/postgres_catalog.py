"""Looks at a schema of PostgreSQL: which tables and columns it has."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from audience_jobs.engines.postgres_session import PostgresSession, postgres_session
from audience_jobs.engines.time_limit import TimeLimit
from audience_jobs.errors import NoTables
from audience_jobs.schema import ColumnType, Tables
from audience_jobs.sql import quoted
from audience_jobs.workspace.catalog import Catalog, Finding, Progress, rows_to_sample
from audience_jobs.workspace.guess import Sample

# Partitions are read through the table that they belong to. The information schema lists only what the role has a
# right to, and no materialized views.
_COLUMNS = """
SELECT c.relname, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
    k.column_name, k.data_type, k.udt_name, c.relkind = 'm'
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN information_schema.columns AS k ON k.table_schema = n.nspname AND k.table_name = c.relname
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'f', 'm') AND NOT c.relispartition
ORDER BY c.relname COLLATE "C", k.ordinal_position
"""
_UNREADABLE = "the role may not read it: grant it USAGE on the schema and SELECT on the table"
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

    Raises Unavailable where the database cannot be reached, NoTables where the role can read no table of the schema.
    """
    finding = Finding(known=known)
    with postgres_session(
        url, Tables([]), schema=schema, job_id="tables", limit=TimeLimit(timeout_seconds)
    ) as session:
        session.only_read()
        there = dict(_tables(session, schema, finding))
        if not there:
            raise NoTables(schema)
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
            finding.add(name, columns)
    return finding.catalog(f"the schema {schema} of the user database")


def _tables(session: PostgresSession, schema: str, finding: Finding) -> Iterator[tuple[str, Sequence[_Column]]]:
    for (name, readable, stored), rows in groupby(session.rows(_COLUMNS, [schema]), key=itemgetter(0, 1, 5)):
        columns = [(str(row[2]), _declared(str(row[3]), str(row[4]))) for row in rows if row[2] is not None]
        if stored:
            finding.leave_out_table(str(name), "is a materialized view: read it through a view")
        elif not readable:
            finding.leave_out_table(str(name), _UNREADABLE)
        else:
            yield str(name), columns


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
