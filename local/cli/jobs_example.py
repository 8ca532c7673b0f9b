"""The SELECT of the job that `tminus jobs new` writes: one over a table of users that the workspace has."""

from collections.abc import Mapping
from dataclasses import dataclass

from audience_jobs.schema import ColumnType, Tables
from audience_jobs.sql import quoted
from functions.domain.errors import BadInput

_PEOPLE = ("people", "users", "members", "customers", "accounts")
_IDS = ("user_id", "userid", "member_id", "memberid", "customer_id", "customerid", "id")
"""What columns of users' ids are called, the surest first."""
_MOST_TEXTS = 2
_DELETED = "deleted_at"
_LATELY = "CAST($now AS TIMESTAMP) - CAST($days AS INTEGER) * INTERVAL '1 day'"


@dataclass(frozen=True, kw_only=True)
class Example:
    """A table, its column of users' ids, some texts, a time if it has one, and conditions; names are SQL's."""

    table: str
    user_id: str
    texts: list[str]
    at: str | None
    conditions: list[str]

    def select(self, *before: str) -> str:
        """Return the SELECT; `before` are expressions that come first."""
        ids = "user_id" if self.user_id == "user_id" else f"{_named(self.user_id)} AS user_id"
        select = f"SELECT {', '.join([*before, ids, *map(_named, self.texts)])}\nFROM {_named(self.table)}"
        return f"{select}\nWHERE {' AND '.join(self.conditions)}" if self.conditions else select


def example_over(tables: Tables) -> Example:
    """Return an example over the table that is most likely one of users; BadInput where none is."""
    found = [example for name in tables if (example := _example(name, tables)) is not None]
    if not found:
        raise BadInput("no table of tables.toml has a public column of users' ids, such as user_id (id)")
    return min(found, key=lambda each: (each.table not in _PEOPLE, [*_IDS, each.user_id].index(each.user_id)))


def _example(name: str, tables: Tables) -> Example | None:
    types = tables[name].public_types
    user_id = next((column for column in [*_IDS, *_of_type("id", types)] if column in types), None)
    if user_id is None or name in tables.private:
        return None
    at = next((column for column in _of_type("timestamp", types) if column != _DELETED), None)
    conditions = [f"{_named(at)} >= {_LATELY}"] if at else []
    if _DELETED in types:
        conditions.append(f"{_DELETED} = 0" if types[_DELETED] == "integer" else f"{_DELETED} IS NULL")
    texts = [column for column in _of_type("text", types) if column != user_id]
    return Example(table=name, user_id=user_id, texts=texts[:_MOST_TEXTS], at=at, conditions=conditions)


def _of_type(type_: ColumnType, types: Mapping[str, ColumnType]) -> list[str]:
    return [column for column, each in types.items() if each == type_]


def _named(name: str) -> str:
    """Return a name as SQL takes it: in quotes where it is a word of SQL's own, or has capitals."""
    from sqlglot import Dialect  # noqa: PLC0415 - it takes a while to load

    # sqlglot has no list for PostgreSQL; Redshift reserves all that PostgreSQL does.
    reserved = Dialect.get_or_raise("redshift").generator_class.RESERVED_KEYWORDS
    return quoted(name) if name in reserved or name != name.lower() else name
