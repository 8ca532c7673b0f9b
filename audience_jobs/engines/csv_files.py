"""CSV files of user data: read their format from the first lines, and find the first fault of a file."""

import csv
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from audience_jobs.errors import BadData

_HEADER_LINES, _HEADER_LINE_BYTES = 1000, 2**20
_LONGEST_LINE_BYTES = 2_000_000
"""The longest line that DuckDB reads."""
_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
"""The first line that names the separator for spreadsheets. DuckDB cannot skip it if it is quoted."""
_AS_UTF_8 = "export the file as UTF-8"
_OPEN_QUOTE = "has a quote that does not end a value: write a quote inside a value twice"
_BARE_RETURN = "has a carriage return that does not end a line: use the same line ending everywhere"
_ONLY_RETURNS = "ends its lines with carriage returns only: save it with Unix or Windows line endings"
_QUOTE_BEHIND_BLANK = "has a blank before a quote: remove blanks between separators and quotes"
_OTHER_FORMATS = {
    b"\xff\xfe": f"is UTF-16: {_AS_UTF_8}",
    b"\xfe\xff": f"is UTF-16: {_AS_UTF_8}",
    b"PK\x03\x04": "is a ZIP archive or a spreadsheet: export it as CSV",
    b"\x1f\x8b": "is compressed with gzip: unpack it",
    b"PAR1": "is a Parquet file: rename it to end in .parquet",
}
"""The first bytes of files that people mistake for CSV."""


@dataclass(frozen=True, kw_only=True)
class CsvForm:
    """The format of a file: its columns, their separator, and the number of lines before its header.

    `padded` says that blanks surround the separators.
    """

    columns: tuple[str, ...]
    delimiter: str
    lines_before: int
    padded: bool


def read_form(path: str, file: BinaryIO, known: Collection[str]) -> CsvForm:
    """Return the format of a file, from its first lines; BadData if the header has none of the `known` columns.

    Where no columns are known, they may have any name. The separator is a comma, or else the one that the header
    uses or that a first line `sep=;` names. White space around column names is stripped.
    """
    lines = _first_lines(path, file)
    first = next(lines, "")
    separator = _SEPARATOR_LINE.fullmatch(first)
    if separator:
        first = next(lines, "")
    delimiter = separator[1] if separator else _delimiter(first, known)
    try:
        header = next(csv.reader(chain([first], lines), strict=True, delimiter=delimiter), [])
    except csv.Error as error:
        if "new-line" in str(error):
            raise BadData(path, _ONLY_RETURNS) from error
        raise BadData(path, f"its header is not CSV: it {_OPEN_QUOTE}") from error
    if any(name.startswith((" ", "\t")) and name.lstrip().startswith('"') for name in header):
        raise BadData(path, f"its header {_QUOTE_BEHIND_BLANK}")
    columns = tuple(name.strip() for name in header)
    if not any(columns):
        raise BadData(path, "has no header: its first line has to name the columns")
    lines_before = 1 if separator else 0
    return CsvForm(columns=columns, delimiter=delimiter, lines_before=lines_before, padded=columns != tuple(header))


def first_fault(file: BinaryIO, form: CsvForm) -> str | None:
    """Return the first line that is not CSV in UTF-8, and why; None for a sound file. Reads line by line."""
    lines = enumerate(iter(lambda: file.readline(_LONGEST_LINE_BYTES + 1), b""), start=1)
    for _ in range(form.lines_before):
        next(lines, None)
    rows = csv.reader(_decoded(lines), strict=True, delimiter=form.delimiter)
    while True:
        line = rows.line_num + form.lines_before + 1
        try:
            row = next(rows, None)
        except _BadLine as error:
            return str(error)
        except csv.Error as error:
            return f"line {line} {_BARE_RETURN if 'new-line' in str(error) else _OPEN_QUOTE}"
        if row is None:
            return None
        if row and len(row) != len(form.columns):
            return f"line {line} has {len(row)} fields instead of {len(form.columns)}"


class _BadLine(Exception):
    """A line that is not text."""


def mixed_line_ends(file: BinaryIO) -> str | None:
    """Return the first line with another line ending than the first line's. DuckDB does not read such a file."""
    first = file.readline(_LONGEST_LINE_BYTES).endswith(b"\r\n")
    for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE_BYTES), b""), start=2):
        if line.endswith(b"\n") and line.endswith(b"\r\n") is not first:
            return f"line {number} has another line ending than the lines before it: use the same one everywhere"
    return None


def _decoded(lines: Iterator[tuple[int, bytes]]) -> Iterator[str]:
    for number, line in lines:
        if len(line) > _LONGEST_LINE_BYTES:
            raise _BadLine(f"line {number} is longer than 2 MB: is a quote left open?")
        if b"\0" in line:
            raise _BadLine(f"line {number} holds a NUL character at byte {line.index(0) + 1}: {_AS_UTF_8}")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise _BadLine(f"line {number} is not valid UTF-8 at {_byte(line, error)}: {_AS_UTF_8}") from None


def _byte(line: bytes, error: UnicodeDecodeError) -> str:
    return f"byte {error.start + 1} (0x{line[error.start]:02x})"


def _delimiter(header: str, known: Collection[str]) -> str:
    """Return the separator that splits the header into the most known columns; a comma if none does."""
    if not known:
        return max(_DELIMITERS, key=re.sub(r'"[^"]*"', "", header).count)
    names = header.casefold()
    return max(_DELIMITERS, key=lambda mark: len({n.strip(' "\r\n\t') for n in names.split(mark)} & set(known)))


def _first_lines(path: str, file: BinaryIO) -> Iterator[str]:
    """Return the lines that a header may span: an open quote must not read the whole file into memory."""
    for number in range(1, _HEADER_LINES + 1):
        if not (line := file.readline(_HEADER_LINE_BYTES)):
            return
        for start, reason in _OTHER_FORMATS.items():
            if number == 1 and line.startswith(start):
                raise BadData(path, reason)
        if b"\0" in line:
            raise BadData(path, f"line {number} holds a NUL character, as UTF-16 does: {_AS_UTF_8}")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            reason = f"its header is not valid UTF-8 at line {number}, {_byte(line, error)}: {_AS_UTF_8}"
            raise BadData(path, reason) from error
