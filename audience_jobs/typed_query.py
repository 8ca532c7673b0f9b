"""Find the table and the type of every column of a query."""

import re
from collections.abc import Mapping

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from audience_jobs.errors import RefusedQuery
from audience_jobs.schema import Tables

_SQL_TYPES = {"id": "TEXT", "integer": "BIGINT", "number": "DOUBLE PRECISION"}
_LACKING = re.compile(r"(?:Unknown column: |Column ')(\w+)")
_METADATA = {**Postgres.EXPRESSION_METADATA, exp.JSONExtractScalar: {"returns": exp.DataType.Type.TEXT}}
"""What sqlglot knows of functions, and that `->>` gives a text, which it says for other dialects only."""


def typed(tree: exp.Query, tables: Tables, more: Mapping[str, Mapping[str, str]] | None = None) -> exp.Query:
    """Return a query in which columns name their table and expressions have a `type`, and no `*` is left.

    `more` are other tables, or what is to be known of a source table instead: their columns, each with its type in
    the schema's words. Raises RefusedQuery where a column cannot be found.
    """
    known: dict[str, Mapping[str, str]] = {name: table.types for name, table in tables.items()}
    types: dict[str, object] = {
        table: {name: _SQL_TYPES.get(type_, type_.upper()) for name, type_ in columns.items()}
        for table, columns in {**known, **(more or {})}.items()
    }
    # The names are in lower case already; to normalize them would take 0.1 ms each.
    schema = MappingSchema(types, dialect="postgres", normalize=False)
    try:
        qualified = qualify(tree, schema=schema, dialect="postgres", quote_identifiers=False)
        annotated = annotate_types(qualified, schema=schema, expression_metadata=_METADATA, dialect="postgres")
    except SqlglotError as error:
        reason = str(error).splitlines()[0]
        way_out = _unquoted(reason) or _of_model(reason, tree, tables)
        raise RefusedQuery(f"cannot be understood: {reason}{way_out}") from error
    assert isinstance(annotated, exp.Query)
    return annotated


def _unquoted(reason: str) -> str:
    """Return the way out where a query quotes a name with capitals, which PostgreSQL then keeps."""
    named = _LACKING.match(reason)
    return f"; write {named[1]} without quotes" if named and named[1] != named[1].lower() else ""


def _of_model(reason: str, tree: exp.Query, tables: Tables) -> str:
    """Return the columns of a model where a query names one of the table that the model hides."""
    named, read = _LACKING.match(reason), sorted({table.name for table in tree.find_all(exp.Table)})
    for table in (tables[name] for name in read if name in tables):
        if named and named[1] in table.hidden:
            columns = ", ".join(table.public_types)
            return f"; {table.name} is the model {table.name} here, and not the table: its columns are {columns}"
    return ""
