"""Parse a query, one SELECT over the source tables, and generate it in the dialect of an engine.

What is not on the lists below is refused: statements that write, functions that touch anything but their arguments,
tables that are not the product's. What an engine runs is generated from the parsed query, so that no comment, quote
or second statement of the original reaches it.
"""

import logging
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError

from audience_jobs.errors import RefusedQuery
from audience_jobs.schema import Tables
from audience_jobs.wording import for_duckdb, for_postgres

Dialect = Literal["postgres", "duckdb", "bigquery"]

# It warns of every statement that it knows by name only; those are refused here.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_CLASS = re.compile(r"<class '(?:\w+\.)*(\w+)'>")
"""How messages of the parser name a part of a query."""
_LONGEST = 200_000
_LONGEST_SHOWN = 60
_PARSER = sqlglot.Dialect.get_or_raise("postgres").parser_class
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
"""BigQuery reads a dot in a name as a path to another table, and PostgreSQL cuts names off at 63 letters."""
_WORDS_OF_THE_SESSION = {"user", "localtime", "localtimestamp", "session_user", "system_user"}

_STRUCTURE = (
    *(exp.Select, exp.Union, exp.Except, exp.Intersect, exp.Subquery, exp.With, exp.CTE, exp.Values, exp.Tuple),
    *(exp.From, exp.Join, exp.Table, exp.TableAlias, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered),
    *(exp.Limit, exp.Offset, exp.Distinct, exp.Window, exp.WindowSpec, exp.Filter, exp.Alias, exp.Paren, exp.Star),
    *(exp.Identifier, exp.Column, exp.Literal, exp.Null, exp.Boolean, exp.Parameter, exp.Var, exp.Interval),
    *(exp.DataType, exp.DataTypeParam, exp.JSONPath, exp.JSONPathRoot, exp.JSONPathKey),
)
_OPERATORS = (
    *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between),
    *(exp.NullSafeEQ, exp.NullSafeNEQ, exp.Like, exp.ILike, exp.RegexpLike, exp.Add, exp.Sub, exp.Mul, exp.Div),
    *(exp.Mod, exp.Neg, exp.DPipe, exp.Exists, exp.Case, exp.If, exp.Cast, exp.JSONExtractScalar),
)
_FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.Abs: "abs",
    exp.Avg: "avg",
    exp.Ceil: "ceil",
    exp.Coalesce: "coalesce",
    exp.Count: "count",
    exp.DenseRank: "dense_rank",
    exp.ExplodingGenerateSeries: "generate_series",
    exp.FirstValue: "first_value",
    exp.Floor: "floor",
    exp.Greatest: "greatest",
    exp.LastValue: "last_value",
    exp.Least: "least",
    exp.Length: "length",
    exp.Lower: "lower",
    exp.Max: "max",
    exp.MD5: "md5",
    exp.Min: "min",
    exp.Nullif: "nullif",
    exp.Rank: "rank",
    exp.Replace: "replace",
    exp.Round: "round",
    exp.RowNumber: "row_number",
    exp.StringToArray: "string_to_array",
    exp.Substring: "substring",
    exp.Sum: "sum",
    exp.TimestampTrunc: "date_trunc",
    exp.Trim: "trim",
    exp.Unnest: "unnest",
    exp.Upper: "upper",
}
_ALLOWED = {*_STRUCTURE, *_OPERATORS, *_FUNCTIONS}
_TYPES = {
    *(exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR, exp.DataType.Type.INT, exp.DataType.Type.BIGINT),
    *(exp.DataType.Type.DOUBLE, exp.DataType.Type.DECIMAL, exp.DataType.Type.BOOLEAN, exp.DataType.Type.ARRAY),
    *(exp.DataType.Type.TIMESTAMP, exp.DataType.Type.DATE, exp.DataType.Type.INTERVAL),
}
_BY_NAME = ("by_name", "side", "kind", "on")
"""What UNION BY NAME and CORRESPONDING say; the columns of others are matched in their order."""
_CLOCKS = (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.Localtimestamp, exp.Localtime)
_OTHER_JSON = (exp.JSONValue, exp.JSONExtract, exp.JSONBExtract, exp.JSONBExtractScalar)
_REASONS: dict[tuple[type[exp.Expr], ...], str] = {
    (exp.Placeholder, exp.SessionParameter): "has a place to fill in: write parameters as $name",
    _CLOCKS: "asks for the time: read it as $now, so that a repeat gives the same rows",
    (exp.Into,): "writes a table by INTO: a query can only read",
    (exp.Lock,): "locks rows: a query can only read",
}


class Query:
    """One read-only SELECT; made by `read_query`.

    `tables` are the names that it reads of those it was allowed to, `parameters` what it reads as `$name`, each once,
    in the order of the text.
    """

    def __init__(self, tree: exp.Query, tables: frozenset[str], known: Tables) -> None:
        self._tree, self.tables, self._known = tree, tables, known
        self.parameters = tuple(dict.fromkeys(p.name for p in tree.find_all(exp.Parameter, bfs=False)))

    def tree(self) -> exp.Query:
        """Return a copy of the query as it was read."""
        return self._tree.copy()

    def sql(self, dialect: Dialect) -> str:
        """Return the query in an engine's dialect, PostgreSQL's as it was written; RefusedQuery where it has none."""
        with refusing_depth():
            if dialect == "bigquery":
                from audience_jobs.googlesql import googlesql  # noqa: PLC0415 - its optimizer takes a while to load

                return generated(googlesql(self.tree(), self._known), dialect)
            return generated(for_duckdb(self.tree(), self._known) if dialect == "duckdb" else self._tree, dialect)

    def numbered(self) -> str:
        """Return the query as PostgreSQL runs it, with `$1` for the first of `parameters` and so on."""
        places = {name: exp.Literal.number(place) for place, name in enumerate(self.parameters, start=1)}

        def number(node: exp.Expr) -> exp.Expr:
            return exp.Parameter(this=places[node.name].copy()) if isinstance(node, exp.Parameter) else node

        with refusing_depth():
            return generated(for_postgres(self._tree.transform(number)), "postgres")


@contextmanager
def refusing_depth() -> Iterator[None]:
    """Raise RefusedQuery if a query is nested too deeply for sqlglot, which walks most queries by recursion."""
    try:
        yield
    except RecursionError:
        raise RefusedQuery("is nested too deeply to be read: write IN (...) for a long OR, or fewer levels") from None


def read_query(sql: str, *, parameters: Collection[str], tables: Tables, more: Collection[str] = ()) -> Query:
    """Read PostgreSQL's SQL as one SELECT over these tables, which may read these parameters as `$name`.

    `more` are the names of other tables that it may read. Raises RefusedQuery, with the reason, for anything else.
    """
    with refusing_depth():
        return _read(_parsed(sql), sql, parameters, tables, more)


def _read(tree: exp.Query, sql: str, parameters: Collection[str], tables: Tables, more: Collection[str]) -> Query:
    for node in tree.walk():
        _check_allowed(node, sql)
        if isinstance(node, exp.Parameter) and node.name not in parameters:
            known = ", ".join(f"${name}" for name in parameters) or "none"
            raise RefusedQuery(f"reads ${node.name}, which is not one of its parameters; known: {known}")
    return Query(tree, frozenset(_tables_read(tree, frozenset([*tables, *more]), frozenset())), tables)


def _parsed(sql: str) -> exp.Query:
    if len(sql) > _LONGEST or "\0" in sql:
        raise RefusedQuery(f"is longer than {_LONGEST:,} characters, or holds one of code 0")
    try:
        # The line end is for its tokenizer, which after a $name takes '' at the very end for a text left open.
        with refusing_depth():
            parsed = sqlglot.parse(f"{sql}\n", read="postgres")
    except SqlglotError as error:
        raise RefusedQuery(f"cannot be read as PostgreSQL: {_first_error(error)}") from error
    statements = [tree for tree in parsed if tree is not None and not isinstance(tree, exp.Semicolon)]
    if len(statements) != 1:
        raise RefusedQuery(f"is {len(statements)} statements: write one SELECT")
    tree = statements[0]
    if not isinstance(tree, exp.Query):
        raise RefusedQuery(f"is not a SELECT but {_name(tree)}: write one SELECT, which only reads")
    if isinstance(tree, exp.Select) and not tree.expressions:
        raise RefusedQuery("selects nothing")
    return tree


def _first_error(error: SqlglotError) -> str:
    details = getattr(error, "errors", None) or [{}]
    line, reason = details[0].get("line"), details[0].get("description")
    told = f"{reason} in line {line}" if reason and line else str(error).splitlines()[0]
    told = _CLASS.sub(r"\1", told)
    return told if told.startswith("Expecting") else f"{told}: write one SELECT in PostgreSQL's SQL"


def _check_allowed(node: exp.Expr, sql: str) -> None:
    if isinstance(node, exp.Anonymous):
        raise RefusedQuery(f"calls {node.name.lower()}(), which is not allowed; allowed functions: {_callable()}")
    if type(node) not in _ALLOWED:
        raise RefusedQuery(_reason_against(node, sql))
    if isinstance(node, exp.DataType) and node.this not in _TYPES:
        raise RefusedQuery(f"uses the type {node.sql('postgres')}, which not every engine has")
    if isinstance(node, exp.With) and node.args.get("recursive"):
        raise RefusedQuery("uses WITH RECURSIVE, which may never end")
    if isinstance(node, exp.Parameter) and not isinstance(node.this, exp.Var):
        raise RefusedQuery(f"reads {node.sql('postgres')}: write parameters as $name")
    if isinstance(node, exp.SetOperation) and any(node.args.get(word) for word in _BY_NAME):
        raise RefusedQuery(f"uses {node.key.upper()} by the names of columns: put them in the same order instead")
    if isinstance(node, exp.Column):
        _check_column(node)
    if isinstance(node, exp.Identifier) and not _PLAIN_NAME.fullmatch(node.name):
        name = node.name[:_LONGEST_SHOWN]
        raise RefusedQuery(f"uses the name {name!r}: a name has up to 63 letters, digits and _, no digit first")


def _reason_against(node: exp.Expr, sql: str) -> str:
    for kinds, reason in _REASONS.items():
        if isinstance(node, kinds):
            return reason
    if isinstance(node, (exp.DML, exp.DDL, exp.Command)):
        return f"contains a statement of {_name(node)}: a query can only read"
    if isinstance(node, _OTHER_JSON):
        return f"uses {_written(node)}, which not every engine has: read a field of JSON as text, by ->> 'name'"
    if isinstance(node, exp.Func) and (name := _function(node, sql)):
        return f"calls {name}(), which is not allowed; allowed functions: {_callable()}"
    return f"uses {_written(node)}, which not every engine has, or which can do more than read"


def _function(node: exp.Func, sql: str) -> str:
    """Return the name by which a query calls a function, which sqlglot knows by another; empty for an operator."""
    spelled = None if isinstance(node, exp.Binary) else re.match(r"(\w+)\(", _written(node))
    tokens = sqlglot.tokenize(sql, read="postgres")
    called = [
        word.text.lower() for word, bracket in pairwise(tokens) if bracket.token_type is sqlglot.TokenType.L_PAREN
    ]
    if spelled and spelled[1].lower() in called:
        return spelled[1].lower()
    known = {name.lower() for name in [*_PARSER.FUNCTIONS, *_PARSER.FUNCTION_PARSERS]}
    others = [word for word in called if word in known and word not in _FUNCTIONS.values()]
    return others[0] if spelled and others else ""


def _written(node: exp.Expr) -> str:
    operator = f"{node.this.sql('postgres')} ^ {node.expression.sql('postgres')}" if isinstance(node, exp.Pow) else ""
    text = operator or node.sql("postgres", comments=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _check_column(column: exp.Column) -> None:
    if column.args.get("db"):
        raise RefusedQuery(f"reads {column.sql('postgres')}: name columns as alias.column, without schema")
    name = column.this
    bare = isinstance(name, exp.Identifier) and not name.quoted and not column.table
    if bare and column.name.lower() in _WORDS_OF_THE_SESSION:
        raise RefusedQuery(f"asks for {column.name.lower()}, which depends on the caller and the time")


def _tables_read(node: exp.Expr, allowed: frozenset[str], known: frozenset[str]) -> Iterator[str]:
    """Yield the allowed tables below a node, where `known` are the WITH names that are visible there.

    A WITH name is visible after its definition, in its own query: elsewhere the same name would be a real table.
    """
    ctes = node.ctes if isinstance(node, exp.Query) else []
    for cte in ctes:
        yield from _tables_read(cte.this, allowed, known)
        name = _folded(cte.args["alias"].this)
        if name.lower() in allowed:
            raise RefusedQuery(f"gives a WITH query the name of the table {name}: give it another")
        known |= {name}
    if isinstance(node, exp.Table):
        yield from _table(node, allowed, known)
    for child in node.iter_expressions():
        if not isinstance(child, exp.With):
            yield from _tables_read(child, allowed, known)


def _table(table: exp.Table, allowed: frozenset[str], known: frozenset[str]) -> Iterator[str]:
    if not isinstance(table.this, exp.Identifier):
        return  # a function in its place, which the lists have checked
    if table.args.get("db") or table.args.get("catalog"):
        raise RefusedQuery(f"reads {exp.table_name(table)}: name the table alone, without schema or database")
    name = _folded(table.this)
    if name in known:
        return
    if name not in allowed:
        raise RefusedQuery(
            f"reads {name!r}, which is not a table this query can read; those are {', '.join(sorted(allowed))}"
        )
    yield name


def _folded(name: exp.Identifier) -> str:
    """Return a name as PostgreSQL reads it: in lower case unless it is quoted."""
    return name.name if name.quoted else name.name.lower()


def generated(tree: exp.Expr, dialect: Dialect) -> str:
    """Write a tree in an engine's dialect, without comments; RefusedQuery if the dialect lacks something."""
    try:
        return tree.sql(dialect, comments=False, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise RefusedQuery(f"cannot be translated for {dialect}: {str(error).splitlines()[0]}") from error


def _callable() -> str:
    return ", ".join(sorted(_FUNCTIONS.values()))


def _name(node: exp.Expr) -> str:
    if isinstance(node, exp.Command):
        return str(node.this).upper()
    return node.key.upper()
