"""What the source tables of a workspace are: their columns, types, and what of them is private.

Times are UTC. An `id` is compared as text, and one that is a valid UUID is read in lower case, so that two tables
that spell it differently still join.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from audience_jobs.errors import LackingTables

ColumnType = Literal["id", "text", "integer", "number", "boolean", "timestamp", "date", "json", "text[]"]

Needed = Mapping[str, Mapping[str, ColumnType]]
"""Tables and their columns, each with the type that it has to have; `id` and `text` may stand for each other."""
_TEXTS = ("id", "text")
CAST_FROM_TEXTS = ("timestamp", "json", "integer", "boolean")
"""Types that databases read from columns of texts by a cast, which has no value for an empty text."""

DEVICES = "devices"
"""The table of device tokens, which no query may read."""
DEVICE_COLUMNS: Mapping[str, ColumnType] = {
    "user_id": "id",
    "token": "text",
    "platform": "text",
    "updated_at": "timestamp",
}
"""What sending reads of it."""


@dataclass(frozen=True, kw_only=True)
class SourceColumn:
    """One column, under the name that it has in files and databases."""

    name: str
    type: ColumnType
    private: bool = False


@dataclass(frozen=True, kw_only=True)
class SourceTable:
    """One table, under the name that it has as a file or in a database; `columns` are by their names in SQL.

    A name in SQL is in lower case, as PostgreSQL reads what is not quoted. `hidden` are, for a model, the columns of
    the source table that has its name.
    """

    name: str
    columns: Mapping[str, SourceColumn]
    private: bool = False
    hidden: frozenset[str] = frozenset()

    @cached_property
    def types(self) -> Mapping[str, ColumnType]:
        """The type of each column."""
        return {name: column.type for name, column in self.columns.items()}

    @cached_property
    def private_columns(self) -> frozenset[str]:
        """The columns that only Tminus and audience jobs read."""
        return frozenset(name for name, column in self.columns.items() if column.private)

    @property
    def public_types(self) -> Mapping[str, ColumnType]:
        """The type of each column that every query may read."""
        return {name: type_ for name, type_ in self.types.items() if name not in self.private_columns}


class Tables(Mapping[str, SourceTable]):
    """The source tables of a workspace, by their names in SQL.

    No query of a recipe, of the API or of the command line reads what is private.
    """

    def __init__(self, tables: Iterable[SourceTable]) -> None:
        self._tables = {table.name.lower(): table for table in tables}

    def __getitem__(self, name: str) -> SourceTable:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    @cached_property
    def private(self) -> frozenset[str]:
        """The names of the tables that are private as a whole."""
        return frozenset(name for name, table in self.items() if table.private)

    @cached_property
    def with_private_columns(self) -> Mapping[str, SourceTable]:
        """The tables of which some columns are private."""
        return {name: table for name, table in self.items() if table.private_columns}

    def lacking(self, needed: Needed) -> list[str]:
        """Return which of these columns are not there with their type, as in `devices.token (text)`."""
        return [
            f"{table}.{column} ({type_})"
            for table, columns in needed.items()
            for column, type_ in columns.items()
            if not _fits(self[table].types.get(column) if table in self else None, type_)
        ]


def _fits(found: ColumnType | None, wanted: ColumnType) -> bool:
    return found == wanted or (found in _TEXTS and wanted in _TEXTS)


def check_devices(tables: Tables) -> None:
    """Raise LackingTables where there are no device tokens to send to."""
    if lacking := tables.lacking({DEVICES: DEVICE_COLUMNS}):
        raise LackingTables("sending", lacking)
