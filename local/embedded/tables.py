"""The tables of the stores: fields that are compared or sorted are columns, everything else is in the document."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from sqlite3 import Connection, Row
from typing import Any

from functions.domain import retention
from functions.domain.access import KEPT
from functions.domain.audit import AuditEntry
from functions.domain.documents import FORMAT
from functions.domain.instants import stamp
from functions.domain.push.shard import Shard
from functions.stores.accesses import ACCESS_KEYS, ACCESSES
from functions.stores.alerts import ALERTS
from functions.stores.audit import ENTRIES, HEADS
from functions.stores.devices import GRAVES
from functions.stores.documents import Collection, Keys, Place
from functions.stores.executions import EXECUTIONS, LOGS, SENDS
from functions.stores.ledger import DAYS, RULES
from functions.stores.recipes import PLANS, RECIPES
from functions.stores.request_keys import REQUEST_KEYS, Asked
from functions.stores.segments import SEGMENTS
from functions.stores.shards import PROGRESS, PUSHES, SHARDS
from functions.stores.testers import TESTERS
from functions.stores.violations import VIOLATIONS
from local.embedded.documents import to_text
from local.embedded.instants import from_micros, to_micros

Columns = Mapping[str, object]
SCHEMA = """
CREATE TABLE IF NOT EXISTS recipes (id TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS plans (id TEXT PRIMARY KEY, next_send_at INTEGER NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS plans_by_send ON plans (next_send_at, id);
CREATE TABLE IF NOT EXISTS audit (
    recipe_id TEXT NOT NULL, number INTEGER NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL,
    action TEXT NOT NULL, before TEXT, after TEXT, link TEXT, salts TEXT, redactions INTEGER,
    PRIMARY KEY (recipe_id, number));
CREATE TABLE IF NOT EXISTS audit_heads (subject TEXT PRIMARY KEY, open INTEGER NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS audit_heads_open ON audit_heads (subject) WHERE open;
CREATE TABLE IF NOT EXISTS executions (
    id TEXT PRIMARY KEY, recipe_id TEXT NOT NULL, send_at INTEGER NOT NULL, created_at INTEGER NOT NULL,
    claim TEXT NOT NULL, state TEXT NOT NULL, unfinished INTEGER NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS executions_of_recipe ON executions (recipe_id, send_at, id);
CREATE INDEX IF NOT EXISTS executions_of_recipe_by_state ON executions (recipe_id, state, send_at, id);
CREATE INDEX IF NOT EXISTS executions_by_state ON executions (state, send_at, id);
CREATE INDEX IF NOT EXISTS executions_by_send ON executions (send_at, id);
CREATE INDEX IF NOT EXISTS executions_unfinished ON executions (created_at) WHERE unfinished;
CREATE TABLE IF NOT EXISTS sends_accounted (one INTEGER PRIMARY KEY, until INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS log_entries (execution_id TEXT NOT NULL, at INTEGER NOT NULL,
    phase TEXT NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS log_of_execution ON log_entries (execution_id, at);
CREATE TABLE IF NOT EXISTS pushes (
    execution_id TEXT, push INTEGER, document TEXT NOT NULL, PRIMARY KEY (execution_id, push));
CREATE TABLE IF NOT EXISTS shards (
    execution_id TEXT, key TEXT, push INTEGER NOT NULL, test INTEGER NOT NULL, number INTEGER NOT NULL,
    done INTEGER NOT NULL, lease_until INTEGER, rows INTEGER NOT NULL, sent INTEGER NOT NULL,
    failed INTEGER NOT NULL, unknown INTEGER NOT NULL, lost INTEGER NOT NULL, excluded INTEGER NOT NULL,
    version INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (execution_id, key));
CREATE INDEX IF NOT EXISTS shards_under_way ON shards (lease_until) WHERE lease_until IS NOT NULL;
CREATE TABLE IF NOT EXISTS violations (
    execution_id TEXT, id TEXT, at INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (execution_id, id));
CREATE INDEX IF NOT EXISTS violations_open ON violations (at)
    WHERE json_extract(document, '$.resolved') = 0;
CREATE TABLE IF NOT EXISTS request_keys (
    key TEXT PRIMARY KEY, until INTEGER NOT NULL, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS segments (id TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cadence_days (
    partition INTEGER, day TEXT, packed BLOB NOT NULL, PRIMARY KEY (partition, day));
CREATE TABLE IF NOT EXISTS cadence_rules (position INTEGER PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS test_people (one INTEGER PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS graves (partition INTEGER PRIMARY KEY, packed BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS alerts (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, waiting_quietly_since INTEGER, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS alerts_waiting ON alerts (at) WHERE waiting_quietly_since IS NOT NULL;
CREATE TABLE IF NOT EXISTS accesses (id TEXT PRIMARY KEY, at INTEGER NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS accesses_by_time ON accesses (at, id);
CREATE TABLE IF NOT EXISTS access_keys (id TEXT PRIMARY KEY, document TEXT NOT NULL)
"""
ADDED = {"audit": {"link": "TEXT", "salts": "TEXT", "redactions": "INTEGER"}}
"""Columns that tables of older releases lack, with their types."""


def _document_of(row: Row) -> Mapping[str, Any]:
    return json.loads(row["document"])  # type: ignore[no-any-return]


def _nothing(_: Any) -> Columns:
    return {}


@cache
def _column(field: str) -> str:
    return re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", field)


@dataclass(frozen=True)
class Table:
    """One row for each document: columns for its keys, for `fields` of it, and those that `more` makes of its value.

    The column `document` holds all of it, unless `document` makes it of the columns. Documents are found by columns,
    and by fields `inside` that column. `fixed` are keys that all documents have; `order` are columns that stand for
    the keys where documents are sorted.
    """

    collection: Collection[Any]
    name: str
    keys: tuple[str, ...] = ()
    fields: str = ""
    more: Callable[[Any], Columns] = _nothing
    document: Callable[[Row], Mapping[str, Any]] = _document_of
    inside: tuple[str, ...] = ()
    fixed: Keys = ()
    order: tuple[str, ...] = ()
    instant: Callable[[datetime], object] = to_micros
    expires_at: str = ""
    """The instant after which a row can be deleted, as an expression in microseconds since 1970."""

    @property
    def computed(self) -> bool:
        """Whether the rows are computed of another table."""
        return self.name.startswith("(")

    def with_format(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a document with its format; rows without a whole document have the format of the database."""
        return document if self.document is _document_of else {FORMAT: self.collection.format, **document}

    def column(self, name: str) -> str:
        """Return the column, or the expression, of a field."""
        return f"json_extract(document, '$.{name}')" if name in self.inside else _column(name)

    def stored(self, value: object) -> object:
        """Return the stored form of a key or field."""
        if isinstance(value, datetime):
            return self.instant(value)
        return value.isoformat() if isinstance(value, date) else value

    def key(self, place: Place[Any]) -> dict[str, object]:
        """Return the columns of a document's keys, with their values."""
        return dict(zip(self.keys, map(self.stored, (*place.keys, *self.fixed)), strict=False))

    def row(self, value: Any) -> Columns:
        """Return the other columns of a document, with their values."""
        document = self.collection.document(value)
        fields = {**document, **self.collection.fields(value)}
        columns = {_column(name): self.stored(fields.get(name)) for name in self.fields.split()}
        whole = {"document": to_text(document)} if self.document is _document_of else {}
        return {**columns, **self.more(value), **whole}

    def read(self, rows: Sequence[Row]) -> Mapping[str, Any]:
        """Return the document in the rows of a place."""
        return self.document(rows[0])

    def put(self, connection: Connection, place: Place[Any], value: Any) -> None:
        """Create or replace a document. It keeps its rowid, which is the order of creation."""
        columns = self.row(value)
        changes = ", ".join(f"{name} = excluded.{name}" for name in columns)
        otherwise = f"ON CONFLICT ({', '.join(self.keys)}) DO UPDATE SET {changes}"
        self._insert(connection, {**self.key(place), **columns}, otherwise)

    def create(self, connection: Connection, place: Place[Any], value: Any) -> bool:
        """Create a document; False if it exists."""
        return self._insert(connection, {**self.key(place), **self.row(value)}, "ON CONFLICT DO NOTHING") == 1

    def _insert(self, connection: Connection, columns: Columns, otherwise: str) -> int:
        marks = ", ".join("?" * len(columns))
        query = f"INSERT INTO {self.name} ({', '.join(columns)}) VALUES ({marks}) {otherwise}"  # noqa: S608 - ours
        return connection.execute(query, tuple(columns.values())).rowcount


class _RulesTable(Table):
    """One document in several rows, one per rule."""

    def read(self, rows: Sequence[Row]) -> Mapping[str, Any]:
        """Return the rules in their order."""
        return {"rules": [_document_of(row) for row in sorted(rows, key=lambda row: row["position"])]}

    def put(self, connection: Connection, place: Place[Any], value: Any) -> None:  # noqa: ARG002
        """Replace the rules."""
        connection.execute("DELETE FROM cadence_rules")
        rows = [(position, to_text(rule.document())) for position, rule in enumerate(value)]
        connection.executemany("INSERT INTO cadence_rules VALUES (?, ?)", rows)


_SUMMED = ("rows", "sent", "failed", "unknown", "lost", "excluded")
_PROGRESS = f"""(SELECT execution_id, {", ".join(f"sum({name}) AS {name}" for name in _SUMMED)}
    FROM shards WHERE done AND NOT test GROUP BY execution_id)"""  # noqa: S608 - our columns


def _read_progress(row: Row) -> Mapping[str, Any]:
    return {name: row[name] for name in _SUMMED}


def _asked(asked: Asked) -> Columns:
    return {"until": to_micros(asked.until) if asked.until else 0, "document": to_text(asked.asked)}


def _tally(shard: Shard) -> Columns:
    tally = shard.tally
    counted = {name: getattr(tally, name) for name in ("sent", "failed", "unknown", "lost")}
    return {"rows": tally.audience_size, "excluded": sum(tally.excluded.values()), **counted}


def _read_line(row: Row) -> Mapping[str, Any]:
    return {"at": stamp(from_micros(row["at"])), **{name: row[name] for name in ("phase", "level", "message")}}


_LINKED = ("link", "salts")


def _parts(entry: AuditEntry) -> Columns:
    written = ENTRIES.write(entry)
    parts = {name: part(entry) for name, part in ENTRIES.parts.items()} | {
        name: written.get(name) for name in _LINKED
    }
    return {name: None if part is None else to_text(part) for name, part in parts.items()}


def _read_entry(row: Row) -> Mapping[str, Any]:
    try:
        parts = {name: None if row[name] is None else json.loads(row[name]) for name in (*ENTRIES.parts, *_LINKED)}
    except ValueError:
        return {}  # the store knows what an entry without fields means
    return {**{name: row[name] for name in ("number", "by", "at", "action", "redactions")}, **parts}


def _read_packed(row: Row) -> Mapping[str, Any]:
    return {"packed": bytes(row["packed"])}


_MICROSECOND = timedelta(microseconds=1)
_ALL = (
    Table(RECIPES, "recipes", ("id",)),
    Table(SEGMENTS, "segments", ("id",)),
    Table(PLANS, "plans", ("id",), "nextSendAt"),
    Table(ENTRIES, "audit", ("recipe_id", "number"), "by at action redactions", _parts, _read_entry, instant=stamp),
    Table(HEADS, "audit_heads", ("subject",), "open"),
    Table(ACCESSES, "accesses", ("id",), "at", expires_at=f"at + {KEPT // _MICROSECOND}"),
    Table(ACCESS_KEYS, "access_keys", ("id",)),
    Table(EXECUTIONS, "executions", ("id",), "recipeId sendAt createdAt claim state unfinished"),
    Table(
        *(SENDS, "sends_accounted", ("one",)),
        more=lambda until: {"until": to_micros(until)},
        document=lambda row: SENDS.write(from_micros(row["until"])),
        fixed=(1,),
    ),
    Table(
        *(LOGS, "log_entries", ("execution_id",), "at phase level message"),
        document=_read_line,
        order=("at", "rowid"),
    ),
    Table(PUSHES, "pushes", ("execution_id", "push")),
    Table(SHARDS, "shards", ("execution_id", "key"), "push test number done leaseUntil version", _tally),
    Table(PROGRESS, _PROGRESS, ("execution_id",), document=_read_progress),
    Table(VIOLATIONS, "violations", ("execution_id", "id"), "at", inside=("resolved", "recipeId")),
    Table(
        REQUEST_KEYS,
        "request_keys",
        ("key",),
        more=_asked,
        document=lambda row: {"asked": _document_of(row)},
        expires_at="until",
    ),
    Table(
        *(DAYS, "cadence_days", ("partition", "day"), "packed"),
        document=_read_packed,
        expires_at=f"CAST(strftime('%s', day) AS INTEGER) * 1000000 + {retention.LEDGER // _MICROSECOND}",
    ),
    _RulesTable(RULES, "cadence_rules"),
    Table(TESTERS, "test_people", ("one",), fixed=(1,)),
    Table(GRAVES, "graves", ("partition",), "packed", document=_read_packed),
    Table(
        *(ALERTS, "alerts", ("id",), "waitingQuietlySince"),
        more=lambda outgoing: {"at": to_micros(outgoing.at)},
        expires_at=f"at + {retention.ALERTS // _MICROSECOND}",
    ),
)
TABLES: Mapping[Collection[Any], Table] = {table.collection: table for table in _ALL}
