"""Partitions of the md5 space: 256 of them, by the first byte of md5(user_id).

Every audience file is sorted by md5(user_id), so a partition is one byte range of it. The cadence ledger is kept per
partition, so one transaction serves all users of a partition.
"""

import csv
import io
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from functions.domain.errors import BadAudience
from functions.domain.ids import user_digest

PARTITIONS = 256
csv.field_size_limit(1 << 30)  # the csv module refuses values beyond 128 KiB, but user data may have longer ones


@dataclass(frozen=True, kw_only=True)
class Index:
    """The positions of the partitions in a sorted CSV file.

    `rows[p]` and `ends[p]` are the number of rows before the end of partition p, and the offset of its end in
    bytes; `start` is the length of the header line.
    """

    columns: tuple[str, ...]
    start: int
    rows: tuple[int, ...]
    ends: tuple[int, ...]

    @property
    def row_count(self) -> int:
        """The number of rows, without the header."""
        return self.rows[-1]

    def byte_range(self, partitions: range) -> tuple[int, int]:
        """Return the first byte of the given partitions and the byte after their last."""
        return (self._before(self.ends, partitions.start, self.start), self.ends[partitions.stop - 1])

    def rows_in(self, partitions: range) -> int:
        """Return how many rows the given partitions hold."""
        return self.rows[partitions.stop - 1] - self._before(self.rows, partitions.start, 0)

    @staticmethod
    def _before(sums: Sequence[int], partition: int, first: int) -> int:
        return sums[partition - 1] if partition else first


def partition_of(digest: bytes) -> int:
    """Return the partition of a user, given the md5 of the user id or the user's ledger key."""
    return digest[0]


def index(lines: Iterable[bytes], name: str) -> Index:
    """Find the partitions of a sorted CSV file. It is read line by line, so memory does not grow with the file."""
    try:
        return _index(read_records(lines), name)
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadAudience(f"{name}: not a CSV file in UTF-8: {error}") from None


def _index(records: Iterator[bytes], name: str) -> Index:
    header = next(records, b"")
    columns = tuple(next(csv.reader([header.decode("utf-8-sig").rstrip("\r\n")]), []))
    if columns[:1] != ("user_id",):
        raise BadAudience(f"{name}: the first column must be user_id, not {(columns or ('nothing',))[0]!r}")
    rows = array("Q", bytes(8 * PARTITIONS))
    sizes = array("Q", bytes(8 * PARTITIONS))
    last = b""
    for record in records:
        digest = user_digest(user_id_of(record))
        if digest < last:
            raise BadAudience(f"{name}: rows are not sorted by md5(user_id)")
        last = digest
        rows[digest[0]] += 1
        sizes[digest[0]] += len(record)
    return Index(columns=columns, start=len(header), rows=_sums(rows, 0), ends=_sums(sizes, len(header)))


def read_rows(data: bytes) -> Iterator[list[str]]:
    """Yield the rows of a byte range of an audience file, as lists of fields."""
    return csv.reader(io.StringIO(data.decode(), newline=""), strict=True)


def groups(index: Index, *, most_rows: int) -> Iterator[range]:
    """Yield ranges of whole partitions with at most `most_rows` rows each.

    A larger partition is a range of its own.
    """
    first = held = 0
    for partition in range(PARTITIONS):
        rows = index.rows_in(range(partition, partition + 1))
        if held and held + rows > most_rows:
            yield range(first, partition)
            first, held = partition, 0
        held += rows
    if held:
        yield range(first, PARTITIONS)


def read_records(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the records of a CSV file, including the header. A record with quoted line ends spans several lines."""
    held, quotes = b"", 0
    for line in lines:
        held, quotes = held + line, quotes + line.count(b'"')
        if quotes % 2 == 0:
            yield held
            held, quotes = b"", 0
    if held:
        yield held


def user_id_of(record: bytes) -> str:
    """Return the first field of a record."""
    if record.startswith(b'"'):
        return next(read_rows(record))[0]
    return record.partition(b",")[0].rstrip(b"\r\n").decode()


def _sums(values: Iterable[int], start: int) -> tuple[int, ...]:
    sums: list[int] = []
    for value in values:
        start += value
        sums.append(start)
    return tuple(sums)
