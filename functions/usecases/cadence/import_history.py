"""Import the pushes that another system sent into the cadence ledger, from a CSV file of any length.

Rows are distributed to partitions on disk, 17 bytes each, so memory does not grow with the file, and the ledger is
written one partition and week at a time. After a crash, import the file again.
"""

import struct
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Self

from functions.domain.audience.partition import PARTITIONS, partition_of
from functions.domain.audience.uploaded_csv import CsvRow, Source, UploadedCsv, bad_file
from functions.domain.audit import IMPORTS, Action
from functions.domain.cadence.past_push import Memory, PastPush, Skipped, read_past_push
from functions.domain.cadence.past_push import Source as Teller
from functions.domain.cadence.rules import Days, Push
from functions.domain.errors import BadFields, FieldError, LedgerFull, NotPossible
from functions.domain.ids import USER_KEY_BYTES
from functions.ports import Ports
from functions.usecases.cadence.rules_in_force import memory_of
from functions.usecases.deeds import deed_now

_REQUIRED: Mapping[str, Sequence[str]] = {
    "user_id": ("user_id",),
    "layer": ("layer", "layerId", "layer_id"),
    "sent_at": ("sent_at",),
}
_OPTIONAL: Mapping[str, Sequence[str]] = {"recipe": ("recipe",), "title": ("title", "push_title")}
"""Optional columns and their names: `layer_id` and `push_title` come from exports of the old cadence service."""
_MOST_ROWS_AT_FAULT = 100
_MOST_LABELS = 10_000
"""Recipes are few. If every row has another title, later rows are kept without a title."""
_DAYS_AT_ONCE = 7
"""Firestore accepts 10 MiB per commit, and a day has up to 1 MB: firebase.google.com/docs/firestore/quotas."""
_ROW = struct.Struct(f">{USER_KEY_BYTES}sIBI")


@dataclass(frozen=True, kw_only=True)
class RowAtFault:
    """What is wrong with a row of the file."""

    line: int
    """The line of the file on which the row begins."""
    field: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Imported:
    """The rows by result: rows = imported + duplicates + sum(skipped) + refused."""

    dry_run: bool
    rows: int
    imported: int
    duplicates: int
    skipped: Mapping[Skipped, int]
    refused: int
    refused_for: Mapping[str, int]
    columns: Mapping[str, str]
    """The columns of the file that were read, with their meaning."""
    left_out: Sequence[str]
    """The columns that were not read."""
    errors: Sequence[RowAtFault]


@dataclass(kw_only=True)
class _Count:
    """Counts the rows of a file, each once. `refused_for` counts the rows in which a column is invalid."""

    dry_run: bool
    rows: int = 0
    imported: int = 0
    duplicates: int = 0
    skipped: Counter[Skipped] = field(default_factory=Counter)
    refused: int = 0
    refused_for: Counter[str] = field(default_factory=Counter)
    errors: list[RowAtFault] = field(default_factory=list)
    columns: Mapping[str, str] = field(default_factory=dict)
    left_out: Sequence[str] = ()

    def refuse(self, line: int, errors: Sequence[FieldError]) -> None:
        """Count an invalid row, and keep the errors of the first ones."""
        self.refused += 1
        self.refused_for.update(error.field for error in errors)
        if self.refused <= _MOST_ROWS_AT_FAULT:
            self.errors += [RowAtFault(line=line, field=error.field, reason=error.reason) for error in errors]


def import_history(ports: Ports, source: Source, *, dry_run: bool, by: str = "") -> Imported:
    """Read `user_id`, `layer`, `sent_at`, and `recipe` or `title` if present; keep pushes that a rule looks back at.

    The result says how each column was read; `layer_id` and `push_title` of old exports are known too.

    A row with the same user, layer and second as another one, in the file or in the ledger, is a duplicate. A dry run
    reads everything and writes nothing. BadFields if any part of the file is not such a CSV; nothing is written then.

    `by` is the person who imports. The audit log gets its entry after the last day: a crash before leaves none, and
    the repetition that it needs adds it.
    """
    memory = memory_of(ports)
    count = _Count(dry_run=dry_run)
    with TemporaryDirectory(prefix="tminus-") as folder:
        with _Spool(Path(folder)) as spool:
            for push in _pushes(source, memory, count):
                spool.add(push)
        for partition in range(PARTITIONS):
            _import_partition(ports, partition, spool.read(partition), count)
    if by and not dry_run:
        deed = deed_now(ports, by, Action.IMPORTED)
        ports.audit.add(IMPORTS, deed, {"rows": count.rows, "imported": count.imported, "refused": count.refused})
    return Imported(**vars(count))


def _pushes(source: Source, memory: Memory, count: _Count) -> Iterator[PastPush]:
    """Yield the pushes to keep, and count the other rows."""
    csv = UploadedCsv(source, required=_REQUIRED, optional=chain.from_iterable(_OPTIONAL.values()))
    count.columns = _columns_read(csv.columns)
    count.left_out = [name for name in csv.columns if name not in count.columns]
    for row in csv.rows():
        count.rows += 1
        try:
            push = _read(csv.columns, count.columns, row, memory)
        except BadFields as error:
            count.refuse(row.line, error.errors)
            continue
        if isinstance(push, Skipped):
            count.skipped[push] += 1
        else:
            yield push


def _columns_read(columns: Sequence[str]) -> dict[str, str]:
    """Return the columns to read, each with its meaning; BadFields if two have the same meaning."""
    read: dict[str, str] = {}
    for meaning, names in {**_REQUIRED, **_OPTIONAL}.items():
        found = [name for name in names if name in columns]
        if len(found) > 1:
            raise bad_file(f"has the columns {' and '.join(found)}, which mean the same: leave one out")
        read |= dict.fromkeys(found, meaning)
    return read


def _read(columns: Sequence[str], read: Mapping[str, str], row: CsvRow, memory: Memory) -> PastPush | Skipped:
    if len(row.fields) != len(columns):
        reason = (
            f"has {len(row.fields)} fields, the header names {len(columns)} columns; is a separator not in quotes?"
        )
        raise BadFields([FieldError("row", reason)])
    fields = dict(zip(columns, row.fields, strict=True))
    written = {meaning: fields[column] for column, meaning in read.items()}
    return read_past_push(written, memory, names={meaning: column for column, meaning in read.items()})


class _Spool:
    """Pushes on disk, one file per partition of their users."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._open = folder, ExitStack()
        self._files: dict[int, BinaryIO] = {}
        self._labels: dict[str, int] = {"": 0}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, push: PastPush) -> None:
        label = self._labels.get(push.label)
        if label is None:
            full = len(self._labels) >= _MOST_LABELS
            label = 0 if full else self._labels.setdefault(push.label, len(self._labels))
        partition = partition_of(push.user)
        if partition not in self._files:
            self._files[partition] = self._open.enter_context(self._path(partition).open("wb"))
        self._files[partition].write(_ROW.pack(push.user, int(push.at.timestamp()), push.layer, label))

    def read(self, partition: int) -> Iterator[PastPush]:
        """Yield a partition's pushes in the order of the file."""
        if partition not in self._files:
            return
        labels = list(self._labels)
        for user, seconds, layer, label in _ROW.iter_unpack(self._path(partition).read_bytes()):
            yield PastPush(user=user, layer=layer, at=datetime.fromtimestamp(seconds, UTC), label=labels[label])

    def _path(self, partition: int) -> Path:
        return self._folder / str(partition)


def _import_partition(ports: Ports, partition: int, pushes: Iterator[PastPush], count: _Count) -> None:
    days: dict[date, dict[Push, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for past in pushes:
        push = past.as_push(Teller.IMPORT)
        days[push.day][push].append(past.user)
    ordered = sorted(days)
    for first in range(0, len(ordered), _DAYS_AT_ONCE):
        sent = {day: days[day] for day in ordered[first : first + _DAYS_AT_ONCE]}
        added = _import_days(ports, partition, sent, dry_run=count.dry_run)
        count.imported += added
        count.duplicates += sum(len(users) for pushes in sent.values() for users in pushes.values()) - added


def _import_days(
    ports: Ports, partition: int, sent: Mapping[date, Mapping[Push, Sequence[bytes]]], *, dry_run: bool
) -> int:
    from functions.domain.cadence import ledger  # noqa: PLC0415 - it loads numpy

    def change(stored: Days) -> tuple[Days, int]:
        made = {day: ledger.add_sent(stored[day], pushes) for day, pushes in sent.items()}
        writes = {day: packed for day, (packed, added) in made.items() if added}
        return ({} if dry_run else writes), sum(added for _, added in made.values())

    try:
        return ports.ledger.transact(partition, list(sent), change)
    except LedgerFull as error:
        raise NotPossible(f"{error}; what was imported until here stays: leave out the rows of busy days") from error
