"""Translate a query from PostgreSQL's dialect to GoogleSQL, BigQuery's dialect, with the same results.

sqlglot translates syntax and names. Differences in meaning are corrected here, each with its reason;
tests/bigquery/test_meaning.py checks each on all engines.
"""

from collections.abc import Mapping

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from audience_jobs.errors import RefusedQuery
from audience_jobs.schema import Tables
from audience_jobs.typed_query import typed
from audience_jobs.wording import INTEGERS, Reworded, bare, filled_list, is_typed, reword, whole_division

_Type = exp.DataType.Type
_NO_TEXTS = (*INTEGERS, _Type.DOUBLE, _Type.DECIMAL, _Type.BOOLEAN, _Type.DATE, _Type.TIMESTAMP)
_UNITS = "MICROSECOND MILLISECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR".split()


def googlesql(tree: exp.Query, tables: Tables, more: Mapping[str, Mapping[str, str]] | None = None) -> exp.Query:
    """Return the tree that sqlglot writes as GoogleSQL, or raise RefusedQuery; `more` is as for `typed`."""
    said = typed(tree, tables, more)
    for scope in traverse_scope(said):
        _name_elements(scope)
    return reword(said, _REWORDED)


def _name_elements(scope: Scope) -> None:
    """Turn `unnest(list) AS g(x)` into `UNNEST(list) AS _g_x`: there it names the element, which has no columns."""
    for alias, (source, _) in scope.selected_sources.items():
        series = source.this if isinstance(source, exp.Table) else source
        if not isinstance(series, (exp.Unnest, exp.ExplodingGenerateSeries)):
            continue
        columns = source.args["alias"].columns
        if len(columns) != 1:
            raise RefusedQuery(f"reads a list as {alias}: name its element too, as in AS {alias}(x)")
        element = exp.to_identifier(f"_{alias}_{columns[0].name}")
        for column in scope.columns:
            if column.table == alias:
                column.replace(exp.Column(this=element.copy()))
        lists = series.expressions if isinstance(series, exp.Unnest) else [_series(series)]
        source.replace(exp.Unnest(expressions=lists, alias=exp.TableAlias(columns=[element])))


def _series(series: exp.Expr) -> exp.Expr:
    if not is_typed(series.args["start"], INTEGERS):
        raise RefusedQuery("calls generate_series() of other values than whole numbers, which BigQuery lacks")
    return exp.GenerateSeries(**series.args)


def _list(node: exp.Expr) -> exp.Expr:
    """It cuts at nothing but texts there, and knows no text for NULL."""
    if not isinstance(node.expression, exp.Literal) or not node.expression.name or node.args.get("null"):
        raise RefusedQuery("calls string_to_array() without a text to cut at, or with one for NULL")
    filled = filled_list(node)
    return exp.Anonymous(this="SPLIT", expressions=[filled.this, filled.expression])


def _moved(node: exp.Expr) -> exp.Expr:
    """Times of no zone are DATETIME there, and moved by functions, as only the newest BigQuery adds intervals."""
    moment, interval = node.this, _interval(node.expression)
    if interval is None and isinstance(node, exp.Add):
        moment, interval = node.expression, _interval(node.this)
    if interval is None:
        return node
    function = exp.DatetimeAdd if isinstance(node, exp.Add) else exp.DatetimeSub
    amount, unit = interval
    return function(this=_datetime(moment), expression=amount, unit=unit)


def _interval(node: exp.Expr) -> tuple[exp.Expr, exp.Var] | None:
    """Return amount and unit of `INTERVAL '1 day'` and of its multiples; None for other expressions."""
    node = bare(node)
    if isinstance(node, exp.Mul):
        for factor, other in ((node.this, node.expression), (node.expression, node.this)):
            if (one := _interval(other)) is not None:
                whole = bare(factor)
                if not is_typed(whole, INTEGERS):
                    raise RefusedQuery(f"moves a time by {node.sql('postgres')}: CAST the factor AS INTEGER")
                return (whole if one[0].name == "1" else exp.Mul(this=whole, expression=one[0])), one[1]
    if not isinstance(node, exp.Interval):
        return None
    unit = str(node.args.get("unit") or "").upper().removesuffix("S")
    if not isinstance(node.this, exp.Literal) or not node.this.name.lstrip("-").isdecimal() or unit not in _UNITS:
        raise RefusedQuery(f"moves a time by {node.sql('postgres')}: write a whole number of one unit")
    return exp.Literal.number(node.this.name), exp.var(unit)


def _truncated(node: exp.Expr) -> exp.Expr:
    """PostgreSQL's weeks start on Mondays, and BigQuery's on Sundays."""
    unit = str(node.args["unit"].name).upper()
    if unit not in _UNITS:
        raise RefusedQuery(f"cuts a time off at {unit.lower()!r}: the units are {', '.join(_UNITS).lower()}")
    moment = _datetime(node.this)
    if unit != "WEEK":
        return exp.DatetimeTrunc(this=moment, unit=exp.var(unit))
    of_week = exp.Extract(this=exp.var("DAYOFWEEK"), expression=moment.copy())  # 1 is Sunday
    since_monday = exp.Mod(this=exp.paren(of_week + 5), expression=exp.Literal.number(7))
    day = exp.DatetimeTrunc(this=moment, unit=exp.var("DAY"))
    return exp.DatetimeSub(this=day, expression=since_monday, unit=exp.var("DAY"))


def _datetime(node: exp.Expr) -> exp.Expr:
    return exp.Cast(this=node, to=exp.DataType.build("timestamp")) if is_typed(node, (_Type.DATE,)) else node


def _joined_texts(node: exp.Expr) -> exp.Expr:
    """`||` takes nothing but texts there."""
    for side in (node.this, node.expression):
        if is_typed(side, _NO_TEXTS):
            side.replace(_as_text(exp.Cast(this=side.copy(), to=exp.DataType.build("text"))))
    return node


def _as_text(node: exp.Expr) -> exp.Expr:
    """As a text a time has three or six digits after the point there, elsewhere as many as it needs."""
    if node.args["to"].this not in (_Type.TEXT, _Type.VARCHAR) or not is_typed(node.this, (_Type.TIMESTAMP,)):
        return node
    pattern, kept = exp.Literal.string(r"(\.[0-9]*[1-9])0+$"), exp.Literal.string(r"\1")
    return exp.RegexpReplace(this=node.copy(), expression=pattern, replacement=kept)


def _ignoring_nulls(node: exp.Expr) -> exp.Expr:
    """GREATEST and LEAST are NULL there as soon as one of theirs is: each NULL becomes one of the others."""
    terms = [node.this, *node.expressions]
    turned = [[*terms[place:], *terms[:place]] for place in range(len(terms))]
    filled = [exp.Coalesce(this=first.copy(), expressions=[o.copy() for o in others]) for first, *others in turned]
    return type(node)(this=filled[0], expressions=filled[1:]) if len(terms) > 1 else node


def _trimmed(node: exp.Expr) -> exp.Expr:
    """TRIM takes away all white space there, elsewhere spaces."""
    if node.expression is None:
        node.set("expression", exp.Literal.string(" "))
    return node


def _in_rows(node: exp.Expr) -> exp.Expr:
    """Several columns are compared with a query's as one STRUCT."""
    query = node.args.get("query")
    if isinstance(node.this, exp.Tuple) and query is not None:
        select = query.this if isinstance(query, exp.Subquery) else query
        if not isinstance(select, exp.Select):
            raise RefusedQuery("compares several columns with a union: put it in a WITH query")
        select.set("expressions", [exp.Tuple(expressions=[column.unalias() for column in select.expressions])])
    return node


def _ordered(node: exp.Expr) -> exp.Expr:
    """Where NULL is to be sorted cannot be said in every window there: it becomes a term of its own."""
    order = node.args.get("order")
    if order is None:
        return node
    terms: list[exp.Expr] = []
    for term in order.expressions:
        last = not term.args.get("nulls_first")
        is_null = exp.Is(this=term.this.copy(), expression=exp.Null())
        terms.append(exp.Ordered(this=is_null, desc=not last, nulls_first=last))
        descending = bool(term.args.get("desc"))
        terms.append(exp.Ordered(this=term.this, desc=descending, nulls_first=not descending))
    order.set("expressions", terms)
    return node


def _cut(node: exp.Expr) -> exp.Expr:
    """Places before the first count from the end there."""
    start = node.args.get("start")
    if not isinstance(start, exp.Literal) or not start.name.isdecimal() or int(start.name) < 1:
        raise RefusedQuery("calls substring() from a position that is not written as a number from 1")
    return node


_REWORDED: Reworded = {
    exp.Add: _moved,
    exp.Cast: _as_text,
    exp.DPipe: _joined_texts,
    exp.Div: whole_division,
    exp.Greatest: _ignoring_nulls,
    exp.In: _in_rows,
    exp.Least: _ignoring_nulls,
    exp.StringToArray: _list,
    exp.Sub: _moved,
    exp.Substring: _cut,
    exp.TimestampTrunc: _truncated,
    exp.Trim: _trimmed,
    exp.Window: _ordered,
}
