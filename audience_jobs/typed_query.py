"""Find the table and the type of every column of a query."""

from collections.abc import Mapping

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from audience_jobs.errors import RefusedQuery
from audience_jobs.schema import SOURCE_TABLES
from audience_jobs.sql import quoted

_SQL_TYPES = {"id": "TEXT", "integer": "BIGINT"}


def typed(tree: exp.Query, more: Mapping[str, Mapping[str, str]] | None = None) -> exp.Query:
    """Return a query in which columns name their table and expressions have a `type`, and no `*` is left.

    `more` are tables beside the source tables: their columns, each with its type in the schema's words. Raises
    RefusedQuery where a column cannot be found.
    """
    schema: dict[str, object] = {
        table: {quoted(name): _SQL_TYPES.get(type_, type_.upper()) for name, type_ in columns.items()}
        for table, columns in {**SOURCE_TABLES, **(more or {})}.items()
    }
    try:
        known = qualify(tree, schema=schema, dialect="postgres", quote_identifiers=False)
        annotated = annotate_types(known, schema=schema, dialect="postgres")
    except SqlglotError as error:
        raise RefusedQuery(f"cannot be understood: {str(error).splitlines()[0]}") from error
    assert isinstance(annotated, exp.Query)
    return annotated
