"""Executions in SQLite, with their pushes, shards, logs and violations."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from sqlite3 import Connection

from functions.domain.errors import Conflict, Halted, NotFound
from functions.domain.execution.execution import Execution, State
from functions.domain.execution.safeguards import Violation
from functions.domain.execution.violations import read_violation, write_violation
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import PushFiles, Shard
from functions.ports.executions import ExecutionSearch, LogEntry, Place
from functions.ports.violations import ViolationPlace
from local.embedded.database import Database
from local.embedded.documents import to_text
from local.embedded.instants import from_micros, to_micros

_SCHEMA = """
CREATE TABLE IF NOT EXISTS executions (
    id TEXT PRIMARY KEY, recipe_id TEXT NOT NULL, send_at INTEGER NOT NULL, created_at INTEGER NOT NULL,
    claim TEXT NOT NULL, state TEXT NOT NULL, unfinished INTEGER NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS executions_of_recipe ON executions (recipe_id, send_at, id);
CREATE INDEX IF NOT EXISTS executions_of_recipe_by_state ON executions (recipe_id, state, send_at, id);
CREATE INDEX IF NOT EXISTS executions_by_state ON executions (state, send_at, id);
CREATE INDEX IF NOT EXISTS executions_by_send ON executions (send_at, id);
CREATE INDEX IF NOT EXISTS executions_unfinished ON executions (created_at) WHERE unfinished;
CREATE TABLE IF NOT EXISTS pushes (
    execution_id TEXT, push INTEGER, document TEXT NOT NULL, PRIMARY KEY (execution_id, push));
CREATE TABLE IF NOT EXISTS shards (
    execution_id TEXT, key TEXT, push INTEGER NOT NULL, test INTEGER NOT NULL, number INTEGER NOT NULL,
    done INTEGER NOT NULL, lease_until INTEGER, rows INTEGER NOT NULL, sent INTEGER NOT NULL,
    failed INTEGER NOT NULL, unknown INTEGER NOT NULL, lost INTEGER NOT NULL, excluded INTEGER NOT NULL,
    version INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (execution_id, key));
CREATE INDEX IF NOT EXISTS shards_under_way ON shards (lease_until) WHERE lease_until IS NOT NULL;
CREATE TABLE IF NOT EXISTS log_entries (
    execution_id TEXT NOT NULL, at INTEGER NOT NULL, phase TEXT NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS log_of_execution ON log_entries (execution_id, at);
CREATE TABLE IF NOT EXISTS sends_accounted (one INTEGER PRIMARY KEY, until INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS violations (
    execution_id TEXT, id TEXT, at INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (execution_id, id));
CREATE INDEX IF NOT EXISTS violations_open ON violations (at) WHERE json_extract(document, '$.resolved') = 0
"""
_RECIPE_OF_VIOLATION = "coalesce(json_extract(document, '$.recipeId') = ?, execution_id GLOB ?)"
"""Older releases have stored no recipe; the execution's id begins with it."""
_SUMMED = ("rows", "sent", "failed", "unknown", "lost", "excluded")


class SqliteExecutionStore:
    """Plays ExecutionStore; what has to be compared or sorted is a column, everything else is in the document."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def create(self, execution: Execution) -> bool:
        """Create an execution; False where another claim has created it before. The only dedup authority."""
        with self._database.transaction() as connection:
            rows = self._database.rows("SELECT claim FROM executions WHERE id = ?", (execution.id,))
            if not rows:
                _write(connection, execution)
        return not rows or rows[0]["claim"] == execution.claim

    def get(self, execution_id: str) -> Execution | None:
        """Return an execution, None where there is none."""
        return next(iter(self._read("id = ?", execution_id)), None)

    def change(self, execution_id: str, change: Callable[[Execution], Execution]) -> Execution:
        """Replace an execution in one transaction; what `change` raises, leaves it. NotFound where there is none."""
        with self._database.transaction() as connection:
            execution = self.get(execution_id)
            if execution is None:
                raise NotFound(f"execution {execution_id} does not exist")
            changed = change(execution)
            _write(connection, changed)
        return changed

    def unfinished(self) -> Sequence[Execution]:
        """Return the executions that are not final or not yet cleaned up, in the order of their creation."""
        return self._read("unfinished ORDER BY rowid")

    def search(
        self, wanted: ExecutionSearch, *, most: int, after: Place | None = None, oldest_first: bool = False
    ) -> Sequence[Execution]:
        """Return at most so many executions in order of their send instants; those that follow the place `after`."""
        conditions, parameters = _conditions(wanted)
        comparison, direction = (">", "ASC") if oldest_first else ("<", "DESC")
        if after is not None:
            conditions.append(f"(send_at, id) {comparison} (?, ?)")
            parameters += [to_micros(after[0]), after[1]]
        order = f"ORDER BY send_at {direction}, id {direction} LIMIT ?"
        return self._read(f"{' AND '.join(conditions) or 'TRUE'} {order}", *parameters, most)

    def count(self, wanted: ExecutionSearch) -> int:
        """Return how many executions there are, without reading each of them."""
        conditions, parameters = _conditions(wanted)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""  # without one, SQLite counts pages
        query = f"SELECT count(*) AS found FROM executions{where}"  # noqa: S608 - conditions are constants below
        [row] = self._database.rows(query, parameters)
        return int(row["found"])

    def accounted_until(self) -> datetime | None:
        """Return up to when all sends are accounted for, as `account_until` was told last; None at first."""
        rows = self._database.rows("SELECT until FROM sends_accounted")
        return from_micros(rows[0]["until"]) if rows else None

    def account_until(self, at: datetime) -> None:
        """Keep up to when all sends have an execution or count as missed; an earlier instant changes nothing."""
        kept = (
            "INSERT INTO sends_accounted VALUES (1, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)"
        )
        with self._database.transaction() as connection:
            connection.execute(kept, (to_micros(at),))

    def _read(self, condition: str, *parameters: object) -> list[Execution]:
        query = f"SELECT rowid, document FROM executions WHERE {condition}"  # noqa: S608 - constants above
        rows = self._database.rows(query, parameters)
        return [replace(Execution.read(json.loads(row["document"])), number=row["rowid"]) for row in rows]


class SqliteShardStore:
    """Plays ShardStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def save_push(self, files: PushFiles) -> None:
        """Keep the manifest of a push."""
        with self._database.transaction() as connection:
            values = (files.execution_id, files.push, to_text(files.document()))
            connection.execute("INSERT OR REPLACE INTO pushes VALUES (?, ?, ?)", values)

    def push(self, execution_id: str, push: int) -> PushFiles | None:
        """Return the manifest of a push, None before its audience is built."""
        query = "SELECT document FROM pushes WHERE execution_id = ? AND push = ?"
        rows = self._database.rows(query, (execution_id, push))
        return PushFiles.read(json.loads(rows[0]["document"])) if rows else None

    def create(self, shard: Shard) -> Shard:
        """Create a shard unless it exists; return the one that is stored."""
        values = {"execution_id": shard.execution_id, "key": shard.key, **_columns(shard)}
        names = ", ".join(f":{name}" for name in values)
        with self._database.transaction() as connection:
            query = f"INSERT OR IGNORE INTO shards ({', '.join(values)}) VALUES ({names})"  # noqa: S608 - our columns
            connection.execute(query, values)
            [stored] = self._read_shards("execution_id = ? AND key = ?", shard.execution_id, shard.key)
        return stored

    def get(self, execution_id: str, key: str) -> Shard | None:
        """Return a shard by its key, None where there is none."""
        return next(iter(self._read_shards("execution_id = ? AND key = ?", execution_id, key)), None)

    def progress(self, execution_id: str) -> Tally:
        """Return the sum of the tallies of an execution's live shards that are done; exclusions under "all"."""
        sums = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in _SUMMED)
        query = f"SELECT {sums} FROM shards WHERE execution_id = ? AND done AND NOT test"  # noqa: S608 - our columns
        [row] = self._database.rows(query, (execution_id,))
        counts = {name: row[name] for name in ("sent", "failed", "unknown", "lost")}
        excluded = {"all": row["excluded"]} if row["excluded"] else {}
        return Tally(audience_size=row["rows"], excluded=excluded, **counts)

    def under_way(self, now: datetime) -> int:
        """Return how many shards of all executions a worker holds now."""
        [row] = self._database.rows("SELECT count(*) AS held FROM shards WHERE lease_until > ?", (to_micros(now),))
        return int(row["held"])

    def save(self, shard: Shard, *, only_while: State) -> Shard:
        """Write a shard on condition, in one transaction, and return it with its next version.

        Raises Halted unless the execution is in the state `only_while`, and Conflict unless the stored shard has
        the version of the given one.
        """
        with self._database.transaction() as connection:
            rows = self._database.rows("SELECT state FROM executions WHERE id = ?", (shard.execution_id,))
            state = rows[0]["state"] if rows else "missing"
            if state != only_while.value:
                raise Halted(f"execution {shard.execution_id} is {state}, not {only_while.value}")
            return _write_shard(connection, shard)

    def settle(self, shard: Shard) -> Shard:
        """Write what is known of a shard whatever the execution's state; Conflict as in `save`."""
        with self._database.transaction() as connection:
            return _write_shard(connection, shard)

    def of(self, execution_id: str) -> Sequence[Shard]:
        """Return all shards of an execution, by push, live before test, by number."""
        return self._read_shards("execution_id = ? ORDER BY push, test, number", execution_id)

    def _read_shards(self, condition: str, *parameters: str) -> list[Shard]:
        query = f"SELECT document FROM shards WHERE {condition}"  # noqa: S608 - conditions are constants above
        return [Shard.read(json.loads(row["document"])) for row in self._database.rows(query, parameters)]


class SqliteExecutionLog:
    """Plays ExecutionLog."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def add(self, execution_id: str, entry: LogEntry) -> None:
        """Add a line to an execution's log."""
        values = (execution_id, to_micros(entry.at), entry.phase, entry.level, entry.message)
        with self._database.transaction() as connection:
            connection.execute("INSERT INTO log_entries VALUES (?, ?, ?, ?, ?)", values)

    def of(self, execution_id: str) -> Sequence[LogEntry]:
        """Return an execution's log, oldest line first."""
        query = "SELECT * FROM log_entries WHERE execution_id = ? ORDER BY at, rowid"
        return [
            LogEntry(at=from_micros(row["at"]), phase=row["phase"], level=row["level"], message=row["message"])
            for row in self._database.rows(query, (execution_id,))
        ]


class SqliteViolationStore:
    """Plays ViolationStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def record(self, violation: Violation) -> bool:
        """Keep a violation; False where the same one is kept already."""
        document = to_text(write_violation(violation))
        values = (violation.execution_id, violation.id, to_micros(violation.at), document)
        with self._database.transaction() as connection:
            written = connection.execute("INSERT OR IGNORE INTO violations VALUES (?, ?, ?, ?)", values)
        return written.rowcount == 1

    def of(self, execution_id: str) -> Sequence[Violation]:
        """Return an execution's violations, oldest first."""
        query = "SELECT document FROM violations WHERE execution_id = ? ORDER BY at, rowid"
        return [read_violation(json.loads(row["document"])) for row in self._database.rows(query, (execution_id,))]

    def unresolved(
        self, *, most: int, recipe_id: str | None = None, after: ViolationPlace | None = None
    ) -> Sequence[Violation]:
        """Return at most so many violations that nobody has resolved, of a recipe or of all, newest first."""
        query = "SELECT document FROM violations WHERE json_extract(document, '$.resolved') = 0"
        parameters: list[object] = []
        if recipe_id is not None:
            query += f" AND {_RECIPE_OF_VIOLATION}"
            parameters += [recipe_id, f"{recipe_id}_????????T??????Z*"]
        if after is not None:
            query += " AND (at, execution_id, id) < (?, ?, ?)"
            parameters += [to_micros(after[0]), *after[1:]]
        query += " ORDER BY at DESC, execution_id DESC, id DESC LIMIT ?"
        rows = self._database.rows(query, [*parameters, most])
        return [read_violation(json.loads(row["document"])) for row in rows]

    def resolve(self, execution_id: str, violation_id: str, at: datetime, by: str) -> Violation:
        """Mark a violation as resolved, in one transaction; whoever was first stays. NotFound where there is none."""
        place = "execution_id = ? AND id = ?"
        with self._database.transaction() as connection:
            query = f"SELECT document FROM violations WHERE {place}"  # noqa: S608 - ours
            rows = self._database.rows(query, (execution_id, violation_id))
            if not rows:
                raise NotFound(f"execution {execution_id} has no violation {violation_id!r}")
            violation = read_violation(json.loads(rows[0]["document"])).resolve(at, by)
            values = (to_text(write_violation(violation)), execution_id, violation_id)
            connection.execute(f"UPDATE violations SET document = ? WHERE {place}", values)  # noqa: S608 - ours
        return violation


def _conditions(wanted: ExecutionSearch) -> tuple[list[str], list[object]]:
    """Return the conditions of a search and their parameters."""
    asked = {
        "recipe_id = ?": wanted.recipe_id,
        "state = ?": wanted.state and wanted.state.value,
        "send_at >= ?": wanted.since and to_micros(wanted.since),
        "send_at < ?": wanted.until and to_micros(wanted.until),
    }
    given = {condition: value for condition, value in asked.items() if value is not None}
    return list(given), list(given.values())


_WRITE = """
INSERT INTO executions VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, unfinished = excluded.unfinished, document = excluded.document
"""
"""A changed execution keeps its rowid: it is the order of creation."""


def _write(connection: Connection, execution: Execution) -> None:
    values = (
        execution.id,
        execution.recipe_id,
        to_micros(execution.send_at),
        to_micros(execution.created_at),
        execution.claim,
        execution.state.value,
        not (execution.state.final and execution.cleaned),
        to_text(execution.document()),
    )
    connection.execute(_WRITE, values)


def _write_shard(connection: Connection, shard: Shard) -> Shard:
    written = replace(shard, version=shard.version + 1)
    values = _columns(written)
    changes = ", ".join(f"{name} = :{name}" for name in values)
    where = "execution_id = :execution_id AND key = :key AND version = :expected"
    key = {"execution_id": shard.execution_id, "key": shard.key, "expected": shard.version}
    if not connection.execute(f"UPDATE shards SET {changes} WHERE {where}", values | key).rowcount:  # noqa: S608
        raise Conflict(f"shard {shard.key} of {shard.execution_id} is no longer at version {shard.version}")
    return written


def _columns(shard: Shard) -> dict[str, object]:
    """Return a shard's columns beside its key; those that are summed or compared, and the document."""
    tally = shard.tally
    return {
        "push": shard.push,
        "test": shard.test,
        "number": shard.number,
        "done": shard.done,
        "lease_until": to_micros(shard.lease_until) if shard.lease_until else None,
        "rows": tally.audience_size,
        "sent": tally.sent,
        "failed": tally.failed,
        "unknown": tally.unknown,
        "lost": tally.lost,
        "excluded": sum(tally.excluded.values()),
        "version": shard.version,
        "document": to_text(shard.document()),
    }
