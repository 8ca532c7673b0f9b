"""Refuse queries that make more rows than any audience needs: cross joins of many tables, and endless series.

A cross join multiplies rows: four times a table of a million users are 10^24 rows, which no time limit makes cheap.
Tables that an equality connects, in ON, USING or WHERE, count as one.
"""

from collections.abc import Iterator, Mapping

from sqlglot import exp

from audience_jobs.errors import RefusedQuery

MOST_CROSSED = 2
"""How many tables a query may multiply: each row of one with each row of another."""
MOST_IN_SERIES = 10_000
"""How many numbers generate_series() may make in a query."""
_WAY_OUT = "join them by columns that are equal, as in ON a.user_id = b.user_id"


def check_size(query: exp.Query) -> None:
    """Raise RefusedQuery for a query whose columns name their tables, as `typed` returns it, if it makes too much."""
    for series in query.find_all(exp.ExplodingGenerateSeries, exp.GenerateSeries):
        _check_series(series)
    _crossed(query, {})


def _check_series(series: exp.Expr) -> None:
    start, end = _whole(series.args.get("start")), _whole(series.args.get("end"))
    step = 1 if series.args.get("step") is None else _whole(series.args["step"])
    if start is None or end is None or not step:
        raise RefusedQuery("calls generate_series() with bounds that are not written as whole numbers")
    if (end - start) // step + 1 > MOST_IN_SERIES:
        raise RefusedQuery(f"calls generate_series() for more than {MOST_IN_SERIES:,} numbers")


def _whole(node: exp.Expr | None) -> int | None:
    """Return the whole number that is written; None for any other expression."""
    if isinstance(node, exp.Neg):
        number = _whole(node.this)
        return None if number is None else -number
    written = isinstance(node, exp.Literal) and not node.is_string and node.name.isdecimal()
    return int(node.name) if node is not None and written else None


def _crossed(query: exp.Expr, known: Mapping[str, int]) -> int:
    """Return how many tables a query multiplies in the rows that it yields; `known` has those of WITH queries."""
    if isinstance(query, exp.Subquery):
        return _crossed(query.this, known)
    for cte in query.ctes if isinstance(query, exp.Query) else ():
        known = {**known, cte.alias: _crossed(cte.this, known)}
    if isinstance(query, exp.SetOperation):
        return max(_crossed(query.this, known), _crossed(query.expression, known))
    if not isinstance(query, exp.Select):
        return 0
    for inner in _inner_queries(query):
        _crossed(inner, known)
    sources = {source.alias_or_name: _size(source, known) for source in _sources(query)}
    multiplied = sum(max(sources[name] for name in group) for group in _groups(query, sources))
    if multiplied > MOST_CROSSED:
        raise RefusedQuery(f"multiplies {multiplied} tables, at most {MOST_CROSSED} are allowed: {_WAY_OUT}")
    return 0 if _is_one_row(query) else multiplied


def _size(source: exp.Expr, known: Mapping[str, int]) -> int:
    if isinstance(source, exp.Subquery):
        return _crossed(source, known)
    if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
        return known.get(source.name, 1)
    return 1 if source.find(exp.ExplodingGenerateSeries, exp.GenerateSeries) else 0  # VALUES, or the list in a row


def _sources(select: exp.Select) -> Iterator[exp.Expr]:
    """Yield what a SELECT reads: tables, subqueries, lists; also those of a join in parentheses."""
    begun = select.args.get("from_") or select.args.get("from")
    for source in [*([begun.this] if begun else []), *(join.this for join in _joins(select))]:
        in_parentheses = isinstance(source, exp.Subquery) and not isinstance(source.this, exp.Query)
        yield source.this if in_parentheses else source


def _joins(select: exp.Select) -> Iterator[exp.Join]:
    """Yield the joins of a SELECT, without those of queries inside it."""
    for join in select.find_all(exp.Join):
        if join.find_ancestor(exp.Select) is select:
            yield join


def _inner_queries(select: exp.Select) -> Iterator[exp.Query]:
    """Yield the queries in a SELECT's expressions and conditions, but not those that it reads from."""
    read = {id(source) for source in _sources(select)}
    for inner in select.find_all(exp.Query):
        outside = inner is not select and inner.parent_select is select and not isinstance(inner.parent, exp.CTE)
        if outside and id(inner) not in read and id(inner.parent) not in read:
            yield inner


def _groups(select: exp.Select, sources: Mapping[str, int]) -> list[set[str]]:
    """Return the sources in groups that equalities connect."""
    groups = [{name} for name in sources]
    for tables in _equalities(select):
        touched = [group for group in groups if group & tables]
        groups = [group for group in groups if not group & tables]
        groups += [set[str]().union(*touched)] if touched else []
    return groups


def _equalities(select: exp.Select) -> Iterator[set[str]]:
    """Yield the tables in each equality between columns of several tables that every row has to fulfil."""
    conditions = [*(join.args.get("on") for join in _joins(select)), select.args.get("where")]
    for condition in filter(None, conditions):
        whole = condition.this if isinstance(condition, exp.Where) else condition
        for term in _terms(whole):
            if isinstance(term, (exp.EQ, exp.NullSafeEQ)):
                left, right = _tables(term.this), _tables(term.expression)
                if left and right and left != right:
                    yield left | right


def _terms(condition: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the terms of an AND."""
    if isinstance(condition, exp.Paren):
        yield from _terms(condition.this)
    elif isinstance(condition, exp.And):
        for side in condition.flatten():
            yield from _terms(side) if isinstance(side, (exp.And, exp.Paren)) else [side]
    else:
        yield condition


def _tables(side: exp.Expr) -> set[str]:
    return {column.table for column in side.find_all(exp.Column)} - {""}


def _is_one_row(select: exp.Select) -> bool:
    """Return whether a SELECT yields one row, because it aggregates without GROUP BY or asks for one."""
    limit = select.args.get("limit")
    if isinstance(limit, exp.Limit) and limit.expression is not None and limit.expression.name == "1":
        return True
    aggregates = any(
        node.find_ancestor(exp.Select) is select and not isinstance(node.parent, exp.Window)
        for expression in select.expressions
        for node in expression.find_all(exp.AggFunc)
    )
    return aggregates and select.args.get("group") is None
