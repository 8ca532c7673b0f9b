"""Keep private data out of queries from recipes, API calls and the command line.

A check of names is not enough: `*`, a whole row (`CAST(u AS TEXT)`), aliases in order (`users AS u(a, b, c, d)`) and
NATURAL joins read columns without naming them. So each table with private columns is replaced by a subquery that has
only public ones, and the query finds nothing else there, however it asks.
"""

from sqlglot import exp

from audience_jobs.errors import RefusedQuery
from audience_jobs.query import Query, generated
from audience_jobs.schema import DEVICES, Tables
from audience_jobs.typed_query import typed


def read_public(query: Query, tables: Tables) -> exp.Query:
    """Return a query as `typed` does, once it is known to name nothing private.

    Raises RefusedQuery where it names a private table or column, or reads columns without naming them.
    """
    for table in sorted(query.tables & tables.private):
        who = (
            "only Tminus reads device tokens"
            if table == DEVICES
            else "only Tminus and audience jobs in Python read it"
        )
        raise RefusedQuery(f"reads {table}, which is private: {who}")
    tree = query.tree()
    for node in tree.walk():
        _check_name(node, query, tables)
        _check_named(node, tables)
    known = typed(tree, tables, {name: table.public_types for name, table in tables.with_private_columns.items()})
    _check_rows(known)
    return known


def read_private(query: Query, tables: Tables) -> exp.Query:
    """Return a query that may read private data as `typed` does; RefusedQuery where it reads columns unnamed."""
    tree = query.tree()
    for node in tree.walk():
        _check_named(node, tables)
    known = typed(tree, tables)
    _check_rows(known)
    return known


def public_sql(query: Query, known: exp.Query, tables: Tables) -> str:
    """Return the query as PostgreSQL in which tables with private columns are subqueries without them.

    `known` is what `read_public` returns for it. The subqueries have only the columns that the query reads, so that
    an export may lack the others.
    """
    tree = query.tree()
    for node in list(tree.find_all(exp.Table)):
        name = _source(node, tables)
        if name in tables.with_private_columns:
            read: list[exp.Expr] = [exp.column(column, quoted=True) for column in _read_of(name, known, tables)]
            public = exp.select(*(read or [exp.alias_("1", "nothing")])).from_(exp.table_(name, quoted=True))
            alias = node.args.get("alias")
            subquery = public.subquery((alias or node).this.copy())
            subquery.set("joins", node.args.get("joins"))
            node.replace(subquery)
    return generated(tree, "postgres")


def _check_name(node: exp.Expr, query: Query, tables: Tables) -> None:
    if isinstance(node, exp.Identifier):
        for name, table in tables.with_private_columns.items():
            if name in query.tables and node.name.lower() in map(str.lower, table.private_columns):
                raise RefusedQuery(f"names {node.name}, and {name}.{node.name.lower()} is private: leave it out")


def _check_named(node: exp.Expr, tables: Tables) -> None:
    """Refuse what reads columns in their order, or all that two tables share, and what only sqlglot reads."""
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table) and not node.this.args.get("joins"):
        raise RefusedQuery(f"has the table {node.this.name} in parentheses: leave them out")
    if isinstance(node, exp.Join) and node.method == "NATURAL":
        raise RefusedQuery("uses NATURAL JOIN, which compares columns that are not named: write them with ON")
    alias = node.args.get("alias")
    source = _source(node, tables)
    if source and alias is not None and alias.columns:
        raise RefusedQuery(f"renames the columns of {source} in their order: name each with AS in a SELECT")


def _check_rows(known: exp.Query) -> None:
    for row in known.find_all(exp.TableColumn):
        raise RefusedQuery(f"reads {row.name} as a whole row: name its columns")


def _source(node: exp.Expr, tables: Tables) -> str:
    """Return the source table that a node stands for; no WITH query has the name of one."""
    name = node.name.lower() if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier) else ""
    return name if name in tables else ""


def _read_of(table: str, known: exp.Query, tables: Tables) -> list[str]:
    """Return which of a table's public columns a query reads, by all names that it gives the table."""
    aliases = {node.alias_or_name for node in known.find_all(exp.Table) if _source(node, tables) == table}
    read = {column.name for column in known.find_all(exp.Column) if column.table in {*aliases, ""}}
    return [name for name in tables[table].public_types if name in read]
