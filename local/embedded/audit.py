"""The audit log in SQLite."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from functions.domain.audit import Action, AuditEntry, Deed
from functions.domain.documents import known
from functions.domain.instants import instant, stamp
from functions.ports.stores import AuditPlace
from local.embedded.database import Database
from local.embedded.documents import to_text

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS audit (
        recipe_id TEXT NOT NULL,
        number INTEGER NOT NULL,
        by TEXT NOT NULL,
        at TEXT NOT NULL,
        action TEXT NOT NULL,
        before TEXT,
        after TEXT,
        PRIMARY KEY (recipe_id, number)
    )
"""
_ROW_OF_ENTRY = "(SELECT rowid FROM audit WHERE recipe_id = ? AND number = ?)"
_KEPT = """
    CREATE TRIGGER IF NOT EXISTS audit_{verb} BEFORE {verb} ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END
"""


class SqliteAuditLog:
    """Plays AuditLog on a table that the database itself keeps from being changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        define(database)

    def add(self, subject: str, deed: Deed, after: Mapping[str, Any]) -> None:
        """Add an entry about something that is no document of its own."""
        with self._database.transaction() as connection:
            append(connection, subject, deed, None, after)

    def of_recipe(self, recipe_id: str, *, before: int | None = None, most: int) -> Sequence[AuditEntry]:
        """Return a recipe's newest entries, newest first, at most so many: all, or those numbered before another."""
        rows = self._database.rows(
            "SELECT * FROM audit WHERE recipe_id = ? AND (? IS NULL OR number < ?) ORDER BY number DESC LIMIT ?",
            (recipe_id, before, before, most),
        )
        return [_read(row) for row in rows]

    def newest(self, *, most: int, after: AuditPlace | None = None) -> Sequence[AuditEntry]:
        """Return entries of all recipes and of the rules, newest first, at most so many: the first, or the next."""
        following, place = "", list[object]()
        if after is not None:
            following = f"WHERE (at, rowid) < (?, {_ROW_OF_ENTRY})"
            place = [stamp(after[0]), *after[1:]]
        query = f"SELECT * FROM audit {following} ORDER BY at DESC, rowid DESC LIMIT ?"  # noqa: S608 - constants
        rows = self._database.rows(query, [*place, most])
        return [_read(row) for row in rows]


def define(database: Database) -> None:
    """Create the table, and what keeps its rows from being changed."""
    database.define(_SCHEMA)
    with database.transaction() as connection:
        for verb in ("UPDATE", "DELETE"):
            connection.execute(_KEPT.format(verb=verb))


def append(
    connection: sqlite3.Connection,
    recipe_id: str,
    deed: Deed,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    """Add a recipe's next entry, in the transaction of the change itself."""
    connection.execute(
        "INSERT INTO audit SELECT ?, 1 + COALESCE(MAX(number), 0), ?, ?, ?, ?, ? FROM audit WHERE recipe_id = ?",
        (recipe_id, deed.by, stamp(deed.at), deed.action.value, _text(before), _text(after), recipe_id),
    )


def _text(document: Mapping[str, Any] | None) -> str | None:
    return None if document is None else to_text(document)


def _read(row: sqlite3.Row) -> AuditEntry:
    return AuditEntry(
        recipe_id=row["recipe_id"],
        number=row["number"],
        deed=Deed(by=row["by"], at=instant(row["at"]), action=known(Action, row["action"], Action.CHANGED)),
        before=None if row["before"] is None else json.loads(row["before"]),
        after=None if row["after"] is None else json.loads(row["after"]),
    )
