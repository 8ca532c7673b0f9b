"""What a source of user data holds: its tables and columns, what they seem to be, and what cannot be used."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from audience_jobs.schema import ColumnType, SourceColumn, SourceTable, Tables
from audience_jobs.workspace.guess import Guess, Sample, guess, is_a
from audience_jobs.workspace.tables_file import is_name, is_ours

_MOST_VALUES = 200_000
_MOST_ROWS, _FEWEST_ROWS = 1_000, 50
_UNSHOWN = re.compile(r"[^ -~\w]")
_KEEPS_TEXT = ("id", "text")
_ALSO_READS: Mapping[str, tuple[ColumnType, ...]] = {
    "timestamp": ("date",),
    "number": ("integer", "id"),
    "integer": ("id", "boolean"),
    "json": ("text[]",),
}
"""What the source may declare, besides the same type, for a column of a type."""
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class FoundColumn:
    """A column of the source, with a sample of its values as texts.

    `declared` is the type that the source gives it, None for text. `misfit` says why it cannot be read as the type
    that tables.toml gives it, and is empty where it can.
    """

    name: str
    guess: Guess
    values: Sequence[str | None] = ()
    declared: ColumnType | None = None
    misfit: str = ""

    @property
    def type(self) -> ColumnType:
        """The type to write into tables.toml: text where some values have another one."""
        return "text" if self.guess.broken else self.guess.type


@dataclass(frozen=True, kw_only=True)
class FoundTable:
    """A table of the source; `left_out` are the names of its columns that Tminus cannot read."""

    name: str
    columns: Sequence[FoundColumn]
    left_out: Sequence[str] = ()

    def __getitem__(self, name: str) -> FoundColumn:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """What a source holds.

    `left_out` has a line for each table and column that Tminus cannot read, and `unread` the names of these tables.
    `problems` has a line for each that has to be corrected first. `twins` are the lines of what is left out because
    of a name that tables.toml has. Where `ignores_capitals`, a column is also found under a name that differs in
    them.
    """

    where: str
    tables: Sequence[FoundTable]
    left_out: Sequence[str] = ()
    unread: Sequence[str] = ()
    problems: Sequence[str] = ()
    twins: Sequence[str] = ()
    ignores_capitals: bool = False


@dataclass
class Finding:
    """Collects the tables of a catalog, and what is left out; `known` is what tables.toml says."""

    known: Tables
    tables: list[FoundTable] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    unread_columns: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    problems: list[str] = field(default_factory=list)
    twins: list[str] = field(default_factory=list)

    def usable_tables(self, names: Iterable[str]) -> list[str]:
        """Return the names that tables may have, in order; notes the others."""
        return self._usable(sorted(names), [table.name for table in self.known.values()])

    def usable_columns(self, table: str, names: Sequence[str]) -> list[str]:
        """Return the names that columns of a table may have, in order; notes the others."""
        columns = known.columns.values() if (known := self.known_table(table)) else ()
        return self._usable(names, [column.name for column in columns], table)

    def add(self, table: str, columns: Sequence[FoundColumn]) -> None:
        """Add a table with its columns; one without any that can be read is not there."""
        if columns:
            self.tables.append(FoundTable(name=table, columns=columns, left_out=self.unread_columns[table]))
        else:
            self.unread.append(table)

    def leave_out_table(self, name: str, reason: str, kind: str = "table") -> None:
        """Note a table that cannot be read, or a file of that name with its suffix."""
        self.unread.append(name)
        self.left_out.append(f"{shown_name(name)} ({kind}): {reason}")

    def leave_out_column(self, name: str, table: str, reason: str) -> None:
        """Note a column of a table that cannot be read."""
        self.unread_columns[table].append(name)
        self.left_out.append(f"{shown_name(name)} (column of {table}): {reason}")

    def _usable(self, names: Sequence[str], known: Collection[str], table: str | None = None) -> list[str]:
        """Return usable names of tables, or of columns of a table. Of two that differ in capitals only, engines read
        the known one.
        """
        counts, kept = Counter(names), dict[str, str]()
        for name in sorted(counts, key=lambda each: each not in known):
            other = kept.get(name.lower())
            if reason := _unusable(name, is_table=table is None) or _twin(other, counts[name]):
                if table is None:
                    self.leave_out_table(name, reason)
                else:
                    self.leave_out_column(name, table, reason)
                self.twins += self.left_out[-1:] if other in known else []
            else:
                kept[name.lower()] = name
        return [name for name in counts if kept.get(name.lower()) == name]

    def known_table(self, name: str) -> SourceTable | None:
        """Return what tables.toml says about a table."""
        return self.known.get(name.lower())

    def known_type(self, table: str, column: str) -> ColumnType | None:
        """Return the type that tables.toml gives a column."""
        known = self.known_table(table)
        return known.types.get(column.lower()) if known else None

    def is_private(self, table: str, column: str) -> bool:
        """Whether tables.toml says that a column, or the whole table, is private."""
        known = self.known_table(table)
        return known is not None and (known.private or column.lower() in known.private_columns)

    def column(
        self,
        table: str,
        sample: Sample,
        guessed: Guess | None = None,
        broken: str | None = None,
    ) -> FoundColumn:
        """Return what a column is.

        `broken` is a value that the engine cannot read as the type that the column should have. It is empty where
        the engine reads all values, and None where the engine was not asked: then the sample decides.
        """
        wanted, private = self.known_type(table, sample.name), self.is_private(table, sample.name)
        guessed = guessed or guess(sample, private=private)
        shown = "a private value" if private or guessed.private else ""
        if broken and not guessed.broken and wanted in (None, guessed.type):
            unsure = f"not all values are {guessed.type}: {shown or repr(broken[:40])}"
            guessed = replace(guessed, unsure=unsure, broken=True)
        found = _misfit(wanted, guessed.type, sample, shown) if broken is None else _holds(broken, shown)
        return FoundColumn(
            name=sample.name,
            guess=guessed,
            values=sample.values,
            declared=sample.declared,
            misfit=found if wanted is not None else "",
        )

    def catalog(self, where: str, *, ignores_capitals: bool = False) -> Catalog:
        """Return all that was found."""
        return Catalog(
            where=where,
            tables=self.tables,
            left_out=self.left_out,
            unread=self.unread,
            problems=self.problems,
            twins=self.twins,
            ignores_capitals=ignores_capitals,
        )


def rows_to_sample(columns: int) -> int:
    """Return how many rows of a table to look at."""
    return min(_MOST_ROWS, max(_FEWEST_ROWS, _MOST_VALUES // max(columns, 1)))


def source_table(name: str, columns: Mapping[str, ColumnType]) -> SourceTable:
    """Return a table with these columns and types."""
    return SourceTable(
        name=name, columns={c.lower(): SourceColumn(name=c, type=type_) for c, type_ in columns.items()}
    )


def shown_name(name: str) -> str:
    """Return a name as one line of a message shows it."""
    return f'"{_UNSHOWN.sub("?", name)[:60]}"'


def _unusable(name: str, *, is_table: bool) -> str:
    if not name:
        return "it has no name: give it one in the source"
    if not is_name(name):
        return "a name has up to 63 letters, digits and _, no digit first: rename it, or read it through a view"
    return "Tminus uses the name itself: rename it, or read it through a view" if is_table and is_ours(name) else ""


def _twin(other: str | None, times: int) -> str:
    if times > 1:
        return f"it is there {times} times: rename all but one"
    return f"differs from {other} in capitals only: rename one" if other else ""


def _misfit(wanted: ColumnType | None, found: ColumnType, sample: Sample, shown: str) -> str:
    """Return why a column cannot be read as the type that tables.toml gives it; `shown` stands for its values."""
    if wanted is None or wanted in _KEEPS_TEXT:
        return ""
    if sample.declared is not None:
        return "" if found in (wanted, *_ALSO_READS.get(wanted, ())) else f"is {sample.declared}"
    return _holds(next((value for value in sample.filled if not is_a(wanted, value)), ""), shown)


def _holds(bad: str, shown: str) -> str:
    return f"holds {shown or repr(bad[:40])}" if bad else ""
