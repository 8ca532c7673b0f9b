"""The types that each part of the sample world passes to the generator."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file of the export: its name, and the SQL whose columns and row order the file has.

    The SQL projects one table that a part built in order, and neither filters, sorts nor joins. DuckDB streams such
    rows, keeps their order, and cuts parquet row groups at the same rows on any number of threads
    (duckdb.org/docs/stable/sql/dialect/order_preservation).
    """

    name: str
    query: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the sample world: the SQL that builds it in memory, and the tables exported from it."""

    build: str
    tables: tuple[Table, ...]
