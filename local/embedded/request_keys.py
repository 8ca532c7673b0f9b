"""What was asked for under which name, in SQLite."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from local.embedded.database import Database
from local.embedded.documents import to_text
from local.embedded.instants import to_micros

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS request_keys (key TEXT PRIMARY KEY, until INTEGER NOT NULL, document TEXT NOT NULL)"
)


class SqliteRequestKeys:
    """Plays RequestKeys; nothing is ever forgotten."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def claim(self, key: str, asked: Mapping[str, Any], until: datetime) -> Mapping[str, Any]:
        """Keep what is asked under a name that nobody has claimed; return what is kept under it."""
        with self._database.transaction() as connection:
            values = (key, to_micros(until), to_text(asked))
            connection.execute("INSERT OR IGNORE INTO request_keys VALUES (?, ?, ?)", values)
            [kept] = self._database.rows("SELECT document FROM request_keys WHERE key = ?", (key,))
        return json.loads(kept["document"])  # type: ignore[no-any-return]
