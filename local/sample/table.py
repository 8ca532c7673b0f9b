"""What every part of the sample world hands to the generator."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file of the export: its name, and the SQL whose columns and row order the file has.

    The SQL projects one table that a part built in order, and neither filters, sorts nor joins: DuckDB keeps such
    rows in order and cuts parquet row groups at the same rows on any number of threads
    (duckdb.org/docs/stable/sql/dialect/order_preservation), and streams them.
    """

    name: str
    query: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """A corner of the sample world: the SQL that builds it in memory and the tables exported from it."""

    build: str
    tables: tuple[Table, ...]
