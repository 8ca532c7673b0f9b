"""Recipe documents in SQLite."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from functions.domain.audit import Deed
from local.embedded.audit import append, define
from local.embedded.database import Database
from local.embedded.documents import to_text

_SCHEMA = "CREATE TABLE IF NOT EXISTS recipes (id TEXT PRIMARY KEY, document TEXT NOT NULL)"


class SqliteRecipeStore:
    """Plays RecipeStore on a table of JSON documents."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)
        define(database)

    def get(self, recipe_id: str) -> dict[str, Any] | None:
        """Return a document, None where there is none."""
        rows = self._database.rows("SELECT document FROM recipes WHERE id = ?", (recipe_id,))
        return json.loads(rows[0]["document"]) if rows else None

    def all(self) -> Iterable[dict[str, Any]]:
        """Return every document, in order of their ids."""
        return [
            json.loads(row["document"]) for row in self._database.rows("SELECT document FROM recipes ORDER BY id")
        ]

    def page(self, *, after: str = "", most: int) -> Sequence[dict[str, Any]]:
        """Return at most so many documents, in order of their ids: the first, or those that follow an id."""
        query = "SELECT document FROM recipes WHERE id > ? ORDER BY id LIMIT ?"
        return [json.loads(row["document"]) for row in self._database.rows(query, (after, most))]

    def change(
        self,
        recipe_id: str,
        change: Callable[[dict[str, Any] | None], dict[str, Any] | None],
        deed: Deed | None = None,
    ) -> dict[str, Any] | None:
        """Replace a document by what `change` makes of it, in one transaction; a deed goes to the audit log in it."""
        with self._database.transaction() as connection:
            stored, changed = self.get(recipe_id), change(self.get(recipe_id))
            if changed is None:
                connection.execute("DELETE FROM recipes WHERE id = ?", (recipe_id,))
            else:
                connection.execute("INSERT OR REPLACE INTO recipes VALUES (?, ?)", (recipe_id, to_text(changed)))
            if deed is not None and (stored, changed) != (None, None):
                append(connection, recipe_id, deed, stored, changed)
        return changed
