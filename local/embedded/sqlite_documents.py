"""The document port on SQLite: a transaction locks the whole database, so no change is tried twice."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from functions.domain.errors import Misconfigured
from functions.stores.documents import Batch, Collection, E, Guard, GuardFailed, Keys, Overtaken, Place, Query, T
from local.embedded.database import Database
from local.embedded.instants import to_micros
from local.embedded.tables import ADDED, SCHEMA, TABLES, Table

_KEPT = """
    CREATE TRIGGER IF NOT EXISTS audit_{name} BEFORE {verb} ON audit {unless}
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END
"""
_REDACTED = """WHEN NOT (new.redactions > coalesce(old.redactions, 0) AND new.recipe_id = old.recipe_id
    AND new.number = old.number AND new.by = old.by AND new.at = old.at AND new.action = old.action
    AND new.link IS old.link)"""
"""A redaction leaves everything but the documents and their salts."""


class SqliteDocuments:
    """Implements Documents. Raises StoreUnavailable, and Misconfigured for a defect of the database's tables."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(SCHEMA)
        with database.transaction() as connection:
            for table, columns in ADDED.items():
                _add_columns(connection, table, columns)
            connection.execute("DROP TRIGGER IF EXISTS audit_UPDATE")  # of an older release, which redacted nothing
            for name, verb, unless in (("changed", "UPDATE", _REDACTED), ("DELETE", "DELETE", "")):
                connection.execute(_KEPT.format(name=name, verb=verb, unless=unless))

    def get(self, place: Place[E]) -> E | None:
        table, rows = TABLES[place.collection], self._rows_of(place)
        return _value(place.collection, rows[0], table.read(rows)) if rows else None

    def get_all(self, places: Sequence[Place[E]]) -> Sequence[E | None]:
        """Return documents in the order of the places, all of one collection, in one query."""
        if not places:
            return []
        collection, table = places[0].collection, TABLES[places[0].collection]
        keys = [tuple(table.key(place).values()) for place in places]
        one = f"({', '.join('?' * len(table.keys))})"
        condition = f"({', '.join(table.keys)}) IN (VALUES {', '.join([one] * len(keys))})"
        rows = self._rows(collection, "*", [condition], [value for key in keys for value in key])
        found = {tuple(row[name] for name in table.keys): _value(collection, row, table.read([row])) for row in rows}
        return [found.get(key) for key in keys]

    def create(self, place: Place[E], value: E) -> bool:
        with self._transaction() as connection:
            return TABLES[place.collection].create(connection, place, value)

    def change(self, places: Sequence[Place[Any]], work: Callable[[Batch], T]) -> T:  # noqa: ARG002
        """Let `work` read and write documents in one transaction, and return its result."""
        with self._transaction() as connection:
            batch = _SqliteBatch(self)
            result = work(batch)
            for write in batch.writes:
                write(connection)
        return result

    def replace(self, place: Place[E], value: E, *, version: int, guard: Guard) -> None:
        table = TABLES[place.collection]
        changes, known = table.row(value), {**table.key(place), "version": version}
        query = f"UPDATE {table.name} SET {', '.join(f'{name} = ?' for name in changes)} WHERE {_all_of(known)}"  # noqa: S608
        with self._transaction() as connection:
            rows = self._rows_of(guard.place)
            found = rows[0][TABLES[guard.place.collection].column(guard.field)] if rows else None
            if found != guard.value:
                raise GuardFailed(found)
            if not connection.execute(query, (*changes.values(), *known.values())).rowcount:
                raise Overtaken

    def find(self, collection: Collection[E], query: Query) -> Sequence[E]:
        table = TABLES[collection]
        conditions, parameters = _conditions(table, query)
        order = [table.column(query.order)] if query.order else []
        if query.order or not query.where:
            order += table.order or table.keys[len(query.under) :]
        if query.after:
            marks = ", ".join("?" * len(order))
            conditions.append(f"({', '.join(order)}) {'<' if query.descending else '>'} ({marks})")
            parameters += map(table.stored, query.after)
        sorting = ", ".join(f"{name} DESC" if query.descending else name for name in order)
        sorting = f"ORDER BY {sorting}" if sorting else ""
        if query.most is not None:
            sorting += f" LIMIT {query.most:d}"
        rows = self._rows(collection, "*", conditions, parameters, sorting)
        values = (_value(collection, row, table.document(row)) for row in rows)
        return [value for value in values if value is not None]

    def count(self, collection: Collection[Any], query: Query) -> int:
        [row] = self._rows(collection, "count(*) AS found", *_conditions(TABLES[collection], query))
        return int(row["found"])

    def delete_all(self, collection: Collection[Any], keys: Keys) -> None:
        table = TABLES[collection]
        if table.computed:
            return
        query = f"DELETE FROM {table.name} WHERE {_all_of(table.keys[: len(keys)])}"  # noqa: S608 - our tables
        with self._transaction() as connection:
            connection.execute(query, tuple(map(table.stored, keys)))

    def expire(self, collection: Collection[Any], now: datetime) -> None:
        table = TABLES[collection]
        query = f"DELETE FROM {table.name} WHERE {table.expires_at} <= ?"  # noqa: S608 - our tables
        with self._transaction() as connection:
            connection.execute(query, (to_micros(now),))

    def fill(self, collection: Collection[Any], query: Query, field: str) -> None:
        """Rewrite the documents that a query finds without a field."""
        table = TABLES[collection]
        conditions, parameters = _conditions(table, query)
        rows = self._rows(collection, "*", [*conditions, f"{table.column(field)} IS NULL"], parameters)
        with self._transaction() as connection:
            for row in rows:
                place = collection.at(*(row[name] for name in table.keys))
                table.put(connection, place, self.get(place))

    def _rows_of(self, place: Place[Any]) -> list[sqlite3.Row]:
        key = TABLES[place.collection].key(place)
        return self._rows(place.collection, "*", [_all_of(key)] if key else [], tuple(key.values()))

    def _rows(
        self,
        collection: Collection[Any],
        columns: str,
        conditions: Sequence[str],
        parameters: Sequence[object],
        sorting: str = "",
    ) -> list[sqlite3.Row]:
        numbered = ", rowid AS creation" if collection.numbered and columns == "*" else ""
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""  # without one, SQLite counts pages
        query = f"SELECT {columns}{numbered} FROM {TABLES[collection].name} {where} {sorting}"  # noqa: S608 - our tables
        with _sound():
            return self._database.rows(query, parameters)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _sound(), self._database.transaction() as connection:
            yield connection


def _add_columns(connection: sqlite3.Connection, table: str, columns: Mapping[str, str]) -> None:
    """Add the columns that a table of an older release lacks."""
    present = {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}
    for name in columns.keys() - present:
        connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")


class _SqliteBatch:
    """Implements Batch in this thread's transaction; `writes` are made at its end."""

    def __init__(self, documents: SqliteDocuments) -> None:
        self._documents = documents
        self.writes: list[Callable[[sqlite3.Connection], object]] = []

    def read(self, place: Place[E]) -> E | None:
        return self._documents.get(place)

    def write(self, place: Place[E], value: E) -> None:
        self.writes.append(lambda connection: TABLES[place.collection].put(connection, place, value))

    def create(self, place: Place[E], value: E) -> bool:
        if self.read(place) is not None:
            return False
        self.write(place, value)
        return True

    def delete(self, place: Place[Any]) -> None:
        table, key = TABLES[place.collection], TABLES[place.collection].key(place)
        query = f"DELETE FROM {table.name} WHERE {_all_of(key)}"  # noqa: S608 - our tables
        self.writes.append(lambda connection: connection.execute(query, tuple(key.values())))

    def add(self, place: Place[Mapping[str, int]], amounts: Mapping[str, int]) -> None:
        """Do nothing: sums are computed when they are read."""

    def touch(self, place: Place[None]) -> None:
        """Do nothing: no other change can happen at the same time."""

    def left_behind(self, place: Place[Any], version: int) -> bool:  # noqa: ARG002
        """Return False: a write that failed was never stored."""
        return False


def _value(collection: Collection[E], row: sqlite3.Row, document: Mapping[str, Any]) -> E | None:
    table = TABLES[collection]
    value = collection.value(table.with_format(document), [str(row[name]) for name in table.keys])
    return collection.numbered(value, row["creation"]) if collection.numbered and value is not None else value


def _conditions(table: Table, query: Query) -> tuple[list[str], list[object]]:
    """Return the conditions of a query and their parameters, with booleans in the form of the partial indexes."""
    conditions = [f"{name} = ?" for name in table.keys[: len(query.under)]]
    parameters = [table.stored(key) for key in query.under]
    for field, comparison, value in query.where:
        column = table.column(field)
        if isinstance(value, bool):
            conditions.append(column if value else f"{column} = 0")
        else:
            conditions.append(f"{column} {'=' if comparison == '==' else comparison} ?")
            parameters.append(table.stored(value))
    return conditions, parameters


def _all_of(names: Iterable[str]) -> str:
    return " AND ".join(f"{name} = ?" for name in names)


@contextmanager
def _sound() -> Iterator[None]:
    """Raise Misconfigured if SQLite rejects a statement, because the tables were changed by hand."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Misconfigured("STATE_DIR", f"its database is not as this release has made it: {error}") from error
