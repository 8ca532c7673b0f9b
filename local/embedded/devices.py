"""Dead device tokens in SQLite: one row for each partition of users."""

from collections.abc import Callable, Mapping

from local.embedded.database import Database

_SCHEMA = "CREATE TABLE IF NOT EXISTS graves (partition INTEGER PRIMARY KEY, packed BLOB NOT NULL)"


class SqliteDevices:
    """Plays Devices."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def graves(self, partitions: range) -> Mapping[int, bytes]:
        """Return the dead tokens of partitions of users; empty bytes where there are none."""
        query = "SELECT partition, packed FROM graves WHERE partition >= ? AND partition < ?"
        rows = self._database.rows(query, (partitions.start, partitions.stop))
        return dict.fromkeys(partitions, b"") | {row["partition"]: bytes(row["packed"]) for row in rows}

    def bury(self, partition: int, change: Callable[[bytes], bytes]) -> None:
        """Replace a partition's dead tokens by what `change` makes of them, in one transaction."""
        with self._database.transaction() as connection:
            packed = change(self.graves(range(partition, partition + 1))[partition])
            connection.execute("INSERT OR REPLACE INTO graves VALUES (?, ?)", (partition, packed))
