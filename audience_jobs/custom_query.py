"""Reads a recipe's own SELECT: whether it only reads, and what columns it yields."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlglot import exp

from audience_jobs.contract import Column
from audience_jobs.errors import RefusedQuery
from audience_jobs.private_data import public_sql, read_public
from audience_jobs.query import read_query, refusing_depth
from audience_jobs.query_growth import check_growth
from audience_jobs.query_size import check_size
from audience_jobs.schema import Tables

_DEEPEST = 500
"""Half of what Python's stack allows: engines walk the same query again, with more around it."""
_Type = exp.DataType.Type
_WRITTEN_ALIKE: dict[Any, Literal["text", "integer", "timestamp"]] = {
    **dict.fromkeys([_Type.TEXT, _Type.VARCHAR, _Type.BOOLEAN, _Type.DATE], "text"),
    **dict.fromkeys([_Type.INT, _Type.BIGINT], "integer"),
    _Type.TIMESTAMP: "timestamp",
}


@dataclass(frozen=True, kw_only=True)
class CustomQuery:
    """A SELECT that only reads what is public, as PostgreSQL without comments, and its columns but `user_id`."""

    sql: str
    columns: tuple[Column, ...]


def read_custom_query(sql: str, tables: Tables) -> CustomQuery:
    """Read one SELECT over these tables that yields `user_id`; it may read `$now` and no other parameter.

    Raises RefusedQuery where it is anything else, where it reads private data, where a column has no name or no
    type that all engines write alike, or where it makes too many rows (`query_size`)
    or too long texts (`query_growth`).
    """
    query = read_public_select(sql, tables, parameters=["now"], limited=True)
    if "audience" in [column.name.lower() for column in query.columns]:
        raise RefusedQuery("yields a column audience, which Tminus reserves: give it another name")
    return query


def read_public_select(sql: str, tables: Tables, *, parameters: Sequence[str], limited: bool = False) -> CustomQuery:
    """Read a SELECT as `read_custom_query` does, with these parameters; it may yield a column `audience`.

    Only if `limited`, it may not make more than `check_size` and `check_growth` allow.
    """
    query = read_query(sql, parameters=parameters, tables=tables)
    with refusing_depth():
        _check_depth(query.tree())
        _check_names(query.tree())
        known = read_public(query, tables)
        if limited:
            check_size(known)
            check_growth(known)
        sql = public_sql(query, known, tables)
    columns = [_column(selected) for selected in known.selects]
    if "user_id" not in [column.name for column in columns]:
        raise RefusedQuery("yields no column user_id: name the column of the users' ids so, as in id AS user_id")
    names = [column.name.lower() for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise RefusedQuery(f"yields the column {name} twice: engines do not distinguish capitals")
    return CustomQuery(sql=sql, columns=tuple(column for column in columns if column.name != "user_id"))


def _check_depth(tree: exp.Query) -> None:
    level: list[exp.Expr] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in node.iter_expressions()]
    if level:
        reason = f"is nested deeper than {_DEEPEST} levels, and each AND or OR of a chain is one"
        raise RefusedQuery(f"{reason}: write IN (...) for a long OR")


def _check_names(tree: exp.Query) -> None:
    for select in tree.selects:
        if select.is_star:
            raise RefusedQuery("selects *: name the columns, so that nothing gets into a push by accident")
        if not isinstance(select, (exp.Alias, exp.Column)):
            raise RefusedQuery(f"yields {select.sql('postgres')} without a name: add AS and a name")


def _column(selected: exp.Expr) -> Column:
    name, kind = selected.alias_or_name, selected.type.this if selected.type else _Type.UNKNOWN
    if kind in (_Type.DOUBLE, _Type.FLOAT, _Type.DECIMAL):
        raise RefusedQuery(
            f"yields {name} with a fraction, which engines write differently: "
            f"make it a whole number, as in CAST(floor({name}) AS BIGINT)"
        )
    if kind not in _WRITTEN_ALIKE:
        raise RefusedQuery(f"does not show the type of {name}: cast it, as in CAST(... AS TEXT) AS {name}")
    return Column(name=name, type=_WRITTEN_ALIKE[kind], meaning="a column of the recipe's own query")
