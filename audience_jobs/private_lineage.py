"""Find which columns of a query carry private data, so that what is made of it stays private.

A column carries private data if any private column is read where its value is computed: in an expression, in a
subquery of it, or in what it takes from a WITH query. Conditions (WHERE, JOIN) decide which rows there are, and carry
nothing. Where it is not certain that a column is public, it counts as private.
"""

from collections.abc import Iterator
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from audience_jobs.schema import Tables

Outputs = list[tuple[str, bool]]
"""The columns of a query in their order, each with whether it is private."""


def private_outputs(known: exp.Query, tables: Tables) -> frozenset[str]:
    """Return the names of the private columns of a query over these tables, as `typed` returns it."""
    if not any(table.name in tables and _has_private(table.name, tables) for table in known.find_all(exp.Table)):
        return frozenset()
    lineage = _Lineage(tables)
    for scope in traverse_scope(known):
        lineage.add(scope)
    return frozenset(name for name, private in lineage.of(known) if private)


def _has_private(name: str, tables: Tables) -> bool:
    return tables[name].private or bool(tables[name].private_columns)


class _Lineage:
    """Works out the columns of queries, of which each comes after those that it reads."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._outputs: dict[int, Outputs] = {}
        self._scopes: dict[int, Scope] = {}

    def of(self, query: exp.Expr) -> Outputs:
        """Return the columns of a query that has been added; all are private where it is of no known kind."""
        unknown = [(name, True) for name in query.named_selects] if isinstance(query, exp.Query) else []
        return self._outputs.get(id(query), unknown)

    def add(self, scope: Scope) -> None:
        """Work out the columns of one query."""
        query = scope.expression
        self._scopes[id(query)] = scope
        if isinstance(query, exp.SetOperation):
            sides = [self.of(side.expression) for side in scope.set_operation_scopes]
            self._outputs[id(query)] = [
                (columns[0][0], any(private for _, private in columns)) for columns in zip(*sides, strict=True)
            ]
        elif isinstance(query, exp.Select):
            self._outputs[id(query)] = [
                (selected.alias_or_name, self._reads_private(selected, scope)) for selected in query.selects
            ]

    def _reads_private(self, node: exp.Expr, scope: Scope) -> bool:
        return any(self._is_private(column, within) for column, within in self._columns(node, scope))

    def _columns(self, node: exp.Expr, scope: Scope) -> Iterator[tuple[exp.Column, Scope]]:
        """Yield the columns below a node, each with the query that it belongs to."""
        if isinstance(node, exp.Column):
            yield node, scope
        inner = self._scopes.get(id(node), scope)
        for child in (*node.iter_expressions(), *_named_windows(node, scope)):
            yield from self._columns(child, inner)

    def _is_private(self, column: exp.Column, scope: Scope) -> bool:
        source, within = _source(column.table, scope)
        if source is None or within is None:
            return True
        if not isinstance(source, Scope):
            if isinstance(source.this, exp.Identifier):
                return self._is_private_in(source.name, column.name)
            return self._reads_private(source, within)  # a function in the place of a table
        if id(source.expression) in self._outputs:
            # Engines do not distinguish capitals, and DuckDB takes the first of several columns of one name.
            alike = [private for name, private in self.of(source.expression) if name.lower() == column.name.lower()]
            return any(alike) or not alike
        return self._reads_private(source.expression, within)  # a list that becomes rows

    def _is_private_in(self, name: str, column: str) -> bool:
        table = self._tables.get(name)
        return table is None or table.private or column not in table.public_types


def _named_windows(node: exp.Expr, scope: Scope) -> Iterator[exp.Expr]:
    """Yield what the windows of a query are that it names below, where a node is one of their users."""
    named = scope.expression.args.get("windows") or []
    if isinstance(node, exp.Window) and not any(node is each for each in named):
        yield from named


def _source(alias: str, scope: Scope) -> tuple[Any, Scope | None]:
    """Return what an alias stands for, and the query that names it: a subquery sees those of the query around it."""
    within: Scope | None = scope
    while within is not None:
        if alias in within.sources:
            return within.sources[alias], within
        within = within.parent
    return None, None
