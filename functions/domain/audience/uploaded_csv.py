"""CSV files from outside, read row by row, so that memory does not grow with the file. Other files are refused."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from functions.domain.documents import shown
from functions.domain.errors import BadFields, FieldError

MOST_COLUMNS = 200
MOST_ROW_BYTES = 256 * 1024
_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)
"""The first line that names the separator for a spreadsheet."""
_SAVE_AS = 'save it as "CSV UTF-8"'
_BARE_RETURN = "holds a carriage return that ends no line; save the file with line ends of Unix or Windows"
_NO_CSV = {
    b"PK\x03\x04": "is a ZIP archive or a spreadsheet; upload the CSV file itself",
    b"\x1f\x8b": "is compressed with gzip; upload the CSV file itself",
    b"\xff\xfe": f"is UTF-16; {_SAVE_AS}",
    b"\xfe\xff": f"is UTF-16; {_SAVE_AS}",
}
"""The first bytes of files that people mistake for CSV."""


class Source(Protocol):
    """The source of a file: an open file, or the body of a request."""

    def readline(self, limit: int = -1, /) -> bytes:
        """Return the next line, or at most `limit` bytes of it."""
        ...


class CsvRow(NamedTuple):
    """A row: the number of its first line in the file, and its fields."""

    line: int
    fields: list[str]


class UploadedCsv:
    """A CSV file whose header has been read: UTF-8, with or without a byte order mark.

    The separator is a comma, or else the one in a first line `sep=;`, or the one between the required columns in the
    header. `required` has the accepted names of each required column. The names of required and `optional` columns
    match in any case. BadFields of the field `file` names the first line that is not CSV.
    """

    def __init__(
        self, source: Source, *, required: Mapping[str, Sequence[str]], optional: Iterable[str] = ()
    ) -> None:
        self._lines = _Lines(source)
        first = next(self._lines, "")
        separator = _SEPARATOR_LINE.fullmatch(first)
        self._lines_before = 1 if separator else 0
        if separator:
            first = next(self._lines, "")
        self._lines.put_back(first)
        delimiter = separator[1] if separator else _delimiter(first, required)
        padded = re.search(rf'{re.escape(delimiter)} +"', first) is not None
        self._reader = csv.reader(self._lines, strict=True, delimiter=delimiter, skipinitialspace=padded)
        header = self._next()
        written = tuple(name.strip() for name in header.fields) if header else ()
        known = [name for names in required.values() for name in names]
        self.columns: tuple[str, ...] = _in_known_case(written, [*known, *optional])
        _hold_header(self.columns, required)

    def rows(self) -> Iterator[CsvRow]:
        """Yield the rows below the header, with any number of fields. Blank lines are skipped."""
        while (row := self._next()) is not None:
            yield row

    def _next(self) -> CsvRow | None:
        while True:
            self._lines.row_bytes, line = 0, self._reader.line_num + self._lines_before + 1
            try:
                fields = next(self._reader, None)
            except csv.Error as error:
                reason = _BARE_RETURN if "new-line" in str(error) else error
                raise bad_file(f"line {line}: {reason}") from None
            if fields is None:
                return None
            if fields:
                return CsvRow(line, fields)


class _Lines:
    """The lines of a source as text, with limits for lines and rows."""

    def __init__(self, source: Source) -> None:
        self._source, self._number = source, 0
        self._put_back: list[str] = []
        self.row_bytes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def put_back(self, line: str) -> None:
        """Return a line, so that it is read again next."""
        self._put_back += [line] if line else []

    def __next__(self) -> str:
        if self._put_back:
            return self._put_back.pop()
        line = self._source.readline(MOST_ROW_BYTES + 1)
        if not line:
            raise StopIteration
        self._number += 1
        self.row_bytes += len(line)
        if self._number == 1:
            _hold_start(line)
        if self.row_bytes > MOST_ROW_BYTES:
            raise bad_file(
                f"line {self._number}: the row is longer than {MOST_ROW_BYTES:,} bytes; is a quote missing?"
            )
        if b"\x00" in line:
            raise bad_file(f"line {self._number}: holds a NUL character; {_SAVE_AS}")
        try:
            return line.decode("utf-8-sig" if self._number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            byte = f"byte {error.start + 1} (0x{line[error.start]:02x})"
            raise bad_file(f"line {self._number}: {byte} is not UTF-8; {_SAVE_AS}") from None


def bad_file(reason: str) -> BadFields:
    """Return the error for a file that is not a usable CSV."""
    return BadFields([FieldError("file", reason)])


def _hold_start(line: bytes) -> None:
    for start, reason in _NO_CSV.items():
        if line.startswith(start):
            raise bad_file(reason)


def _delimiter(header: str, required: Mapping[str, Sequence[str]]) -> str:
    """Return the separator that yields most required columns, else most columns; else a comma."""
    known = {name.casefold() for names in required.values() for name in names}

    def found(mark: str) -> tuple[int, int]:
        names = {name.strip(' "\r\n\t').casefold() for name in header.split(mark)}
        return len(names & known), "," not in header and len(names)

    return max(_DELIMITERS, key=found)


def _in_known_case(columns: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the columns. One that differs from a known name only in case gets that name, unless another has it."""
    by_case = {name.casefold(): name for name in known if name not in columns}
    meant = [column if column in known else by_case.get(column.casefold(), column) for column in columns]
    for name in by_case.values():
        alike = [column for column, meaning in zip(columns, meant, strict=True) if meaning == name]
        if len(alike) > 1 and len(set(alike)) > 1:
            raise bad_file(f"has the columns {' and '.join(map(shown, alike))}, which mean the same: leave one out")
    return tuple(meant)


def _hold_header(columns: Sequence[str], required: Mapping[str, Sequence[str]]) -> None:
    if not columns:
        among = f", {', '.join(required)} among them" if required else ""
        raise bad_file(f"is empty; its first line has to name the columns{among}")
    if len(columns) > MOST_COLUMNS:
        raise bad_file(f"has {len(columns):,} columns; at most {MOST_COLUMNS} are read")
    for position, name in enumerate(columns, start=1):
        if not name:
            raise bad_file(f"column {position} has no name in the first line")
    for name, times in Counter(columns).items():
        if times > 1:
            raise bad_file(f"the column {shown(name)} is there {times} times")
    for name, names in required.items():
        if not set(names) & set(columns):
            raise bad_file(f"the column {name} is missing; its columns are {shown(', '.join(columns))}")
