"""Dead device tokens in SQLite."""

import json
from collections.abc import Collection
from datetime import datetime

from local.embedded.database import Database
from local.embedded.instants import to_micros

_SCHEMA = "CREATE TABLE IF NOT EXISTS dead_tokens (token TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID"


class SqliteDevices:
    """Plays Devices on a table of the tokens that FCM called unregistered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def dead(self, tokens: Collection[str]) -> set[str]:
        """Return those of the tokens that FCM has called unregistered."""
        query = "SELECT token FROM dead_tokens WHERE token IN (SELECT value FROM json_each(?))"
        return {row["token"] for row in self._database.rows(query, (json.dumps(list(tokens)),))}

    def bury(self, tokens: Collection[str], at: datetime) -> None:
        """Remember tokens as dead; the first time counts."""
        if not tokens:
            return
        values = [(token, to_micros(at)) for token in tokens]
        with self._database.transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO dead_tokens VALUES (?, ?)", values)
