"""The tables of the stores: what has to be compared or sorted is a column, everything else is in the document."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from sqlite3 import Connection, Row
from typing import Any

from functions.domain.audit import AuditEntry
from functions.domain.instants import stamp
from functions.domain.push.shard import Shard
from functions.stores.alerts import ALERTS
from functions.stores.audit import ENTRIES
from functions.stores.devices import GRAVES
from functions.stores.documents import Collection, Keys, Place
from functions.stores.executions import EXECUTIONS, LOGS, SENDS
from functions.stores.ledger import DAYS, RULES
from functions.stores.recipes import RECIPES
from functions.stores.request_keys import REQUEST_KEYS
from functions.stores.shards import PROGRESS, PUSHES, SHARDS
from functions.stores.violations import VIOLATIONS
from local.embedded.documents import to_text
from local.embedded.instants import from_micros, to_micros

Columns = Mapping[str, object]


def _document_of(row: Row) -> Mapping[str, Any]:
    return json.loads(row["document"])  # type: ignore[no-any-return]


def _nothing(_: Any) -> Columns:
    return {}


def _of_fields(*fields: str) -> Mapping[str, str]:
    """Return the columns of fields, which are called as these are."""
    return {name: re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name) for name in fields}


@dataclass(frozen=True, kw_only=True)
class Table:
    """One row for each document: columns for its keys, for fields of it, and those that `more` makes of its value.

    The column `document` holds all of it, unless it is not `whole`. `found` are expressions for fields in it by which
    documents are found; `fixed` are keys that all documents have; `order` are columns that stand for the keys where
    documents are sorted.
    """

    name: str
    collection: Collection[Any]
    schema: str = ""
    keys: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    more: Callable[[Any], Columns] = _nothing
    whole: bool = True
    document: Callable[[Row], Mapping[str, Any]] = _document_of
    found: Mapping[str, str] = field(default_factory=dict)
    fixed: Keys = ()
    order: tuple[str, ...] = ()
    instant: Callable[[datetime], object] = to_micros

    def column(self, name: str) -> str:
        """Return the column, or the expression, that holds a field."""
        return self.found.get(name) or self.columns.get(name, name)

    def stored(self, value: object) -> object:
        """Return a key or the value of a field as it is stored."""
        if isinstance(value, datetime):
            return self.instant(value)
        return value.isoformat() if isinstance(value, date) else value

    def key(self, place: Place[Any]) -> dict[str, object]:
        """Return the columns of a document's keys, with their values."""
        return dict(zip(self.keys, map(self.stored, (*place.keys, *self.fixed)), strict=False))

    def row(self, value: Any) -> Columns:
        """Return the other columns of a document, with their values."""
        document = self.collection.write(value)
        fields = {**document, **self.collection.fields(value)}
        columns = {column: self.stored(fields.get(name)) for name, column in self.columns.items()}
        return {**columns, **self.more(value), **({"document": to_text(document)} if self.whole else {})}

    def read(self, rows: Sequence[Row]) -> Mapping[str, Any]:
        """Return the document that the rows of a place hold."""
        return self.document(rows[0])

    def put(self, connection: Connection, place: Place[Any], value: Any) -> None:
        """Create or replace a document; it keeps its rowid, which is the order of creation."""
        columns = self.row(value)
        changes = ", ".join(f"{name} = excluded.{name}" for name in columns)
        otherwise = f"ON CONFLICT ({', '.join(self.keys)}) DO UPDATE SET {changes}"
        self._insert(connection, {**self.key(place), **columns}, otherwise)

    def create(self, connection: Connection, place: Place[Any], value: Any) -> bool:
        """Create a document; False where there is one."""
        return self._insert(connection, {**self.key(place), **self.row(value)}, "ON CONFLICT DO NOTHING") == 1

    def _insert(self, connection: Connection, columns: Columns, otherwise: str) -> int:
        marks = ", ".join("?" * len(columns))
        query = f"INSERT INTO {self.name} ({', '.join(columns)}) VALUES ({marks}) {otherwise}"  # noqa: S608 - ours
        return connection.execute(query, tuple(columns.values())).rowcount


class _RulesTable(Table):
    """One document in several rows: one for each rule."""

    def read(self, rows: Sequence[Row]) -> Mapping[str, Any]:
        """Return the rules in their order."""
        return {"rules": [_document_of(row) for row in sorted(rows, key=lambda row: row["position"])]}

    def put(self, connection: Connection, place: Place[Any], value: Any) -> None:  # noqa: ARG002
        """Replace the rules."""
        connection.execute("DELETE FROM cadence_rules")
        rows = [(position, to_text(rule.document())) for position, rule in enumerate(value)]
        connection.executemany("INSERT INTO cadence_rules VALUES (?, ?)", rows)


_SUMMED = ("rows", "sent", "failed", "unknown", "lost", "excluded")


def _tally(shard: Shard) -> Columns:
    tally = shard.tally
    counted = {name: getattr(tally, name) for name in ("sent", "failed", "unknown", "lost")}
    return {"rows": tally.audience_size, "excluded": sum(tally.excluded.values()), **counted}


def _read_line(row: Row) -> Mapping[str, Any]:
    return {"at": stamp(from_micros(row["at"])), **{name: row[name] for name in ("phase", "level", "message")}}


def _parts(entry: AuditEntry) -> Columns:
    parts = {name: part(entry) for name, part in ENTRIES.parts.items()}
    return {name: None if part is None else to_text(part) for name, part in parts.items()}


def _read_entry(row: Row) -> Mapping[str, Any]:
    parts = {name: None if row[name] is None else json.loads(row[name]) for name in ENTRIES.parts}
    return {**{name: row[name] for name in ("number", "by", "at", "action")}, **parts}


def _packed(row: Row) -> Mapping[str, Any]:
    return {"packed": bytes(row["packed"])}


_ALL = (
    Table(
        collection=RECIPES,
        name="recipes",
        schema="CREATE TABLE IF NOT EXISTS recipes (id TEXT PRIMARY KEY, document TEXT NOT NULL)",
        keys=("id",),
    ),
    Table(
        collection=ENTRIES,
        name="audit",
        schema="""CREATE TABLE IF NOT EXISTS audit (
            recipe_id TEXT NOT NULL, number INTEGER NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL,
            action TEXT NOT NULL, before TEXT, after TEXT, PRIMARY KEY (recipe_id, number))""",
        keys=("recipe_id", "number"),
        columns=_of_fields("by", "at", "action"),
        more=_parts,
        whole=False,
        document=_read_entry,
        instant=stamp,
    ),
    Table(
        collection=EXECUTIONS,
        name="executions",
        schema="""CREATE TABLE IF NOT EXISTS executions (
            id TEXT PRIMARY KEY, recipe_id TEXT NOT NULL, send_at INTEGER NOT NULL, created_at INTEGER NOT NULL,
            claim TEXT NOT NULL, state TEXT NOT NULL, unfinished INTEGER NOT NULL, document TEXT NOT NULL);
            CREATE INDEX IF NOT EXISTS executions_of_recipe ON executions (recipe_id, send_at, id);
            CREATE INDEX IF NOT EXISTS executions_of_recipe_by_state ON executions (recipe_id, state, send_at, id);
            CREATE INDEX IF NOT EXISTS executions_by_state ON executions (state, send_at, id);
            CREATE INDEX IF NOT EXISTS executions_by_send ON executions (send_at, id);
            CREATE INDEX IF NOT EXISTS executions_unfinished ON executions (created_at) WHERE unfinished""",
        keys=("id",),
        columns=_of_fields("recipeId", "sendAt", "createdAt", "claim", "state", "unfinished"),
    ),
    Table(
        collection=SENDS,
        name="sends_accounted",
        schema="CREATE TABLE IF NOT EXISTS sends_accounted (one INTEGER PRIMARY KEY, until INTEGER NOT NULL)",
        keys=("one",),
        fixed=(1,),
        more=lambda until: {"until": to_micros(until)},
        whole=False,
        document=lambda row: SENDS.write(from_micros(row["until"])),
    ),
    Table(
        collection=LOGS,
        name="log_entries",
        schema="""CREATE TABLE IF NOT EXISTS log_entries (execution_id TEXT NOT NULL, at INTEGER NOT NULL,
            phase TEXT NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL);
            CREATE INDEX IF NOT EXISTS log_of_execution ON log_entries (execution_id, at)""",
        keys=("execution_id",),
        columns=_of_fields("at", "phase", "level", "message"),
        whole=False,
        document=_read_line,
        order=("at", "rowid"),
    ),
    Table(
        collection=PUSHES,
        name="pushes",
        schema="""CREATE TABLE IF NOT EXISTS pushes (
            execution_id TEXT, push INTEGER, document TEXT NOT NULL, PRIMARY KEY (execution_id, push))""",
        keys=("execution_id", "push"),
    ),
    Table(
        collection=SHARDS,
        name="shards",
        schema="""CREATE TABLE IF NOT EXISTS shards (
            execution_id TEXT, key TEXT, push INTEGER NOT NULL, test INTEGER NOT NULL, number INTEGER NOT NULL,
            done INTEGER NOT NULL, lease_until INTEGER, rows INTEGER NOT NULL, sent INTEGER NOT NULL,
            failed INTEGER NOT NULL, unknown INTEGER NOT NULL, lost INTEGER NOT NULL, excluded INTEGER NOT NULL,
            version INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (execution_id, key));
            CREATE INDEX IF NOT EXISTS shards_under_way ON shards (lease_until) WHERE lease_until IS NOT NULL""",
        keys=("execution_id", "key"),
        columns=_of_fields("push", "test", "number", "done", "leaseUntil", "version"),
        more=_tally,
    ),
    Table(
        collection=PROGRESS,
        name="""(SELECT execution_id, sum(rows) AS rows, sum(sent) AS sent, sum(failed) AS failed,
            sum(unknown) AS unknown, sum(lost) AS lost, sum(excluded) AS excluded
            FROM shards WHERE done AND NOT test GROUP BY execution_id)""",
        keys=("execution_id",),
        document=lambda row: {name: row[name] for name in _SUMMED},
    ),
    Table(
        collection=VIOLATIONS,
        name="violations",
        schema="""CREATE TABLE IF NOT EXISTS violations (
            execution_id TEXT, id TEXT, at INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (execution_id, id));
            CREATE INDEX IF NOT EXISTS violations_open ON violations (at)
            WHERE json_extract(document, '$.resolved') = 0""",
        keys=("execution_id", "id"),
        columns=_of_fields("at"),
        found={name: f"json_extract(document, '$.{name}')" for name in ("resolved", "recipeId")},
    ),
    Table(
        collection=REQUEST_KEYS,
        name="request_keys",
        schema="""CREATE TABLE IF NOT EXISTS request_keys (
            key TEXT PRIMARY KEY, until INTEGER NOT NULL, document TEXT NOT NULL)""",
        keys=("key",),
        columns={"expireAt": "until"},
        more=lambda asked: {"document": to_text(asked.asked)},
        whole=False,
        document=lambda row: {"asked": _document_of(row)},
    ),
    Table(
        collection=DAYS,
        name="cadence_days",
        schema="""CREATE TABLE IF NOT EXISTS cadence_days (
            partition INTEGER, day TEXT, packed BLOB NOT NULL, PRIMARY KEY (partition, day))""",
        keys=("partition", "day"),
        columns=_of_fields("packed"),
        whole=False,
        document=_packed,
    ),
    _RulesTable(
        collection=RULES,
        name="cadence_rules",
        schema="CREATE TABLE IF NOT EXISTS cadence_rules (position INTEGER PRIMARY KEY, document TEXT NOT NULL)",
    ),
    Table(
        collection=GRAVES,
        name="graves",
        schema="CREATE TABLE IF NOT EXISTS graves (partition INTEGER PRIMARY KEY, packed BLOB NOT NULL)",
        keys=("partition",),
        columns=_of_fields("packed"),
        whole=False,
        document=_packed,
    ),
    Table(
        collection=ALERTS,
        name="alerts",
        schema="""CREATE TABLE IF NOT EXISTS alerts (
            id TEXT PRIMARY KEY, at INTEGER NOT NULL, waiting_quietly_since INTEGER, document TEXT NOT NULL);
            CREATE INDEX IF NOT EXISTS alerts_waiting ON alerts (at) WHERE waiting_quietly_since IS NOT NULL""",
        keys=("id",),
        columns=_of_fields("waitingQuietlySince"),
        more=lambda outgoing: {"at": to_micros(outgoing.at)},
    ),
)
TABLES: Mapping[Collection[Any], Table] = {table.collection: table for table in _ALL}
