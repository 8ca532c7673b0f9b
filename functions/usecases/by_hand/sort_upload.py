"""Convert an uploaded CSV to an audience file: `user_id` first, sorted by md5 of user_id.

It merges sorted pieces of some megabytes on disk, so memory does not grow with the file.
"""

import csv
import hashlib
import heapq
import io
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from functions.domain.audience.uploaded_csv import Source, UploadedCsv, bad_file
from functions.domain.documents import shown
from functions.domain.errors import BadFields, FieldError
from functions.domain.ids import user_digest

USER_ID = "user_id"
_MOST_ERRORS = 20
_PIECE_BYTES = 8_000_000
_DIGEST_BYTES = 16
_HEAD = struct.Struct(f">{_DIGEST_BYTES}sI")
_Entry = tuple[bytes, bytes]
"""The md5 of a row's user id, and the written row."""
See = Callable[[int, str], None]
"""What is told of each row: its line in the file, and its user id."""


@dataclass(frozen=True, kw_only=True)
class SortedUpload:
    """An audience file on this machine's disk. `digest` is the hash of its content."""

    path: Path
    columns: tuple[str, ...]
    rows: int
    digest: str


def sort_upload(
    source: Source,
    folder: Path,
    *,
    most_rows: int,
    id_column: str = USER_ID,
    see: See | None = None,
    piece_bytes: int = _PIECE_BYTES,
) -> SortedUpload:
    """Read a CSV with user ids, and write it sorted into the folder. Rows of one user keep their order.

    The ids are in `id_column`, which becomes `user_id`. White space around ids is removed. `see` is told of each.

    BadFields of the field `file` if it is not such a CSV, has too many rows, or has lines with too few or too many
    fields.
    """
    upload = UploadedCsv(source, required={id_column: (id_column,)})
    first = upload.columns.index(id_column)
    if id_column != USER_ID and USER_ID in upload.columns:
        raise bad_file(f"has a column {USER_ID}, so the user ids cannot be in {shown(id_column)}")
    columns = (USER_ID, *upload.columns[:first], *upload.columns[first + 1 :])
    pieces = list(_pieces(_entries(upload, first, most_rows, see), folder, piece_bytes))
    path, rows, digest = folder / "sorted.csv", 0, hashlib.sha256()
    with path.open("wb") as file:
        header = _written(columns)
        digest.update(header)
        file.write(header)
        for _, record in heapq.merge(*map(_read_piece, pieces), key=itemgetter(0)):
            digest.update(record)
            file.write(record)
            rows += 1
    return SortedUpload(path=path, columns=columns, rows=rows, digest=digest.hexdigest())


def _entries(upload: UploadedCsv, first: int, most_rows: int, see: See | None) -> Iterator[_Entry]:
    errors: list[FieldError] = []
    rows = 0
    for row in upload.rows():
        fields = row.fields
        if len(fields) != len(upload.columns):
            reason = f"line {row.line}: has {len(fields)} fields, the header names {len(upload.columns)} columns"
            errors.append(FieldError("file", reason))
            if len(errors) == _MOST_ERRORS:
                break
            continue
        rows += 1
        if rows > most_rows:
            raise bad_file(
                f"holds more than {most_rows:,} users; send to fewer, or raise the limit if this is intended"
            )
        user_id = fields[first].strip()
        if see:
            see(row.line, user_id)
        yield user_digest(user_id), _written([user_id, *fields[:first], *fields[first + 1 :]])
    if errors:
        raise BadFields(errors)
    if not rows:
        raise bad_file("has no users: there is no row below its header")


def _written(fields: Sequence[str]) -> bytes:
    """Return a row as CSV.

    With a carriage return in it, all fields are quoted, because csv does not quote for one.
    """
    text = io.StringIO(newline="")
    bare = any("\r" in field for field in fields)
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if bare else csv.QUOTE_MINIMAL).writerow(fields)
    return text.getvalue().encode()


def _pieces(entries: Iterator[_Entry], folder: Path, most_bytes: int) -> Iterator[Path]:
    """Write sorted pieces, and yield their paths in the order of the file."""
    held: list[_Entry] = []
    size = number = 0
    for entry in entries:
        held.append(entry)
        size += len(entry[1])
        if size >= most_bytes:
            yield _write_piece(held, folder / f"piece-{number}")
            held, size, number = [], 0, number + 1
    yield _write_piece(held, folder / f"piece-{number}")


def _write_piece(entries: list[_Entry], path: Path) -> Path:
    entries.sort(key=itemgetter(0))
    with path.open("wb") as file:
        for digest, record in entries:
            file.write(_HEAD.pack(digest, len(record)))
            file.write(record)
    return path


def _read_piece(path: Path) -> Iterator[_Entry]:
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            digest, length = _HEAD.unpack(head)
            yield digest, file.read(length)
