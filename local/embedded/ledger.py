"""The cadence ledger in SQLite: one row for each partition and UTC day, and the rules."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeVar

from functions.domain.audit import Deed
from functions.domain.cadence.rule_changes import SUBJECT, rules_document
from functions.domain.cadence.rules import DEFAULT_RULES, CadenceRule
from functions.domain.errors import LedgerUnreadable
from local.embedded.audit import append, define
from local.embedded.database import Database
from local.embedded.documents import to_text

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS cadence_days (
    partition INTEGER, day TEXT, packed BLOB NOT NULL, PRIMARY KEY (partition, day));
CREATE TABLE IF NOT EXISTS cadence_rules (position INTEGER PRIMARY KEY, document TEXT NOT NULL)
"""


class SqliteCadenceLedger:
    """Plays CadenceLedger; LedgerUnreadable for a defect of its tables, StoreUnavailable as the whole database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)
        define(database)

    def transact(
        self,
        partition: int,
        days: Sequence[date],
        change: Callable[[Mapping[date, bytes]], tuple[Mapping[date, bytes], T]],
    ) -> T:
        """Read days, write what `change` makes of them, in one transaction; a day never written is empty bytes."""
        try:
            with self._database.transaction() as connection:
                written, result = change({day: self._day(partition, day) for day in days})
                values = [(partition, day.isoformat(), packed) for day, packed in written.items()]
                connection.executemany("INSERT OR REPLACE INTO cadence_days VALUES (?, ?, ?)", values)
                return result
        except sqlite3.Error as error:
            raise LedgerUnreadable(f"cadence ledger, partition {partition}: {error}") from error

    def rules(self) -> Sequence[CadenceRule]:
        """Return the rules in force: those saved last, else the default ones."""
        try:
            rows = self._database.rows("SELECT document FROM cadence_rules ORDER BY position")
        except sqlite3.Error as error:
            raise LedgerUnreadable(f"cadence rules: {error}") from error
        return tuple(CadenceRule.read(json.loads(row["document"])) for row in rows) or DEFAULT_RULES

    def change_rules(
        self, change: Callable[[Sequence[CadenceRule]], Sequence[CadenceRule]], deed: Deed
    ) -> Sequence[CadenceRule]:
        """Replace the rules, in one transaction with an entry of the audit log; none bring the default ones back."""
        with self._database.transaction() as connection:
            before = self.rules()
            rules = tuple(change(before))
            values = [(position, to_text(rule.document())) for position, rule in enumerate(rules)]
            connection.execute("DELETE FROM cadence_rules")
            connection.executemany("INSERT INTO cadence_rules VALUES (?, ?)", values)
            append(connection, SUBJECT, deed, rules_document(before), rules_document(rules or DEFAULT_RULES))
        return rules or DEFAULT_RULES

    def _day(self, partition: int, day: date) -> bytes:
        query = "SELECT packed FROM cadence_days WHERE partition = ? AND day = ?"
        rows = self._database.rows(query, (partition, day.isoformat()))
        return bytes(rows[0]["packed"]) if rows else b""
