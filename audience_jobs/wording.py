"""Translate a query from PostgreSQL's dialect for DuckDB and PostgreSQL, with the same results as in BigQuery.

sqlglot translates syntax and names. Differences in meaning are corrected here and, for BigQuery, in `googlesql.py`,
each with its reason; tests/bigquery/test_meaning.py checks each on all engines.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from sqlglot import exp

from audience_jobs.errors import RefusedQuery
from audience_jobs.schema import Tables

_Tree = TypeVar("_Tree", bound=exp.Expr)
_Type = exp.DataType.Type
INTEGERS = (_Type.INT, _Type.BIGINT)

Reworded = Mapping[type[exp.Expr], Callable[[exp.Expr], exp.Expr]]
"""For a kind of node, what gives the node to say in its place; it may be the same."""


def reword(tree: _Tree, reworded: Reworded) -> _Tree:
    """Put every node of a tree as `reworded` has it, what is inside of others first, and give the tree."""
    for node in reversed(list(tree.walk())):
        put = next((put for kind, put in reworded.items() if isinstance(node, kind)), None)
        new = put(node) if put else node
        if new is not node:
            new.type = node.type
            node.replace(new)
    return tree


def for_duckdb(tree: exp.Query, tables: Tables) -> exp.Query:
    """Return the tree that sqlglot writes for DuckDB."""
    if tree.find(exp.Div):
        from audience_jobs.typed_query import typed  # noqa: PLC0415 - sqlglot's optimizer takes a while to load

        with suppress(RefusedQuery):  # the columns of the result that a job's check reads are not known here
            tree = typed(tree, tables)
    return reword(tree, _DUCKDB)


def for_postgres(tree: exp.Expr) -> exp.Expr:
    """Return the tree that sqlglot writes for PostgreSQL."""
    return reword(tree, _POSTGRES)


def whole_division(node: exp.Expr) -> exp.Expr:
    """`/` between whole numbers gives one in PostgreSQL only."""
    if is_typed(node.this, INTEGERS) and is_typed(node.expression, INTEGERS):
        return exp.IntDiv(this=bare(node.this), expression=bare(node.expression))
    return node


def filled_list(node: exp.Expr) -> exp.Expr:
    """An empty text is a list of no elements in PostgreSQL, elsewhere of one."""
    node.set("this", exp.Nullif(this=node.this, expression=exp.Literal.string("")))
    return node


def is_typed(node: exp.Expr, types: tuple[Any, ...]) -> bool:
    """Whether a node is known to have one of these types."""
    return node.type is not None and node.type.this in types


def bare(node: exp.Expr) -> exp.Expr:
    """Return what is inside of parentheses."""
    return bare(node.this) if isinstance(node, exp.Paren) else node


def _escaped(node: exp.Expr) -> exp.Expr:
    r"""DuckDB has no character that says `%` itself; elsewhere it is `\`."""
    pattern = node.expression
    plain = isinstance(pattern, exp.Literal) and "\\" not in pattern.name
    if plain or isinstance(node.parent, exp.Escape):
        return node
    return exp.Escape(this=node.copy(), expression=exp.Literal.string("\\"))


def _in_unicode(node: exp.Expr) -> exp.Expr:
    """Texts are compared byte by byte, in the collation "C", in which PostgreSQL knows capitals of ASCII alone."""
    collated = exp.Collate(this=exp.paren(node.this.copy()), expression=exp.to_identifier("und-x-icu", quoted=True))
    node.set("this", collated)
    return node if isinstance(node, exp.ILike) else _in_bytes(node)


def _in_bytes(node: exp.Expr) -> exp.Expr:
    return exp.paren(exp.Collate(this=node.copy(), expression=exp.to_identifier("C", quoted=True)))


_DUCKDB: Reworded = {
    exp.Div: whole_division,
    exp.Like: _escaped,
    exp.ILike: _escaped,
    exp.StringToArray: filled_list,
}
_POSTGRES: Reworded = {exp.ILike: _in_unicode, exp.Lower: _in_unicode, exp.Upper: _in_unicode}
