"""Finds which columns of the source tables a query reads."""

from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from audience_jobs.query import Query
from audience_jobs.schema import ColumnType, Needed, Tables
from audience_jobs.typed_query import typed


def columns_read(query: Query, tables: Tables) -> Needed:
    """Return the columns that a query over these tables reads, with their types."""
    found: dict[str, dict[str, ColumnType]] = {}
    for scope in traverse_scope(typed(query.tree(), tables)):
        for column in scope.columns:
            source = scope.sources.get(column.table)
            if isinstance(source, exp.Table) and source.name in tables:
                type_ = tables[source.name].types[column.name]
                found.setdefault(source.name, {})[column.name] = type_
    return found
