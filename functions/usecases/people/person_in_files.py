"""One user's rows in stored CSV files: found, and erased by writing the file again under another name.

Stored files never change. A new file has the same number of rows in the same order, so shards' outcomes still belong
to their rows, and all numbers add up.
"""

import csv
import hashlib
import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from functions.domain.audience.partition import PARTITIONS, read_records, read_rows
from functions.domain.errors import BadAudience
from functions.domain.person import ERASED, Person
from functions.domain.push.shard import IndexedFile, Stored
from functions.ports import Ports

_MARK = ".erased-"
_DIGEST_LETTERS = 12


def rows_with(ports: Ports, stored: Stored, person: Person) -> Iterator[list[str]]:
    """Yield the rows of a file that hold the user's id; none if the file is gone."""
    needles = _needles(person)
    try:
        for record in read_records(ports.files.lines(stored)):
            if any(needle in record.lower() for needle in needles):
                yield from (row for row in read_rows(record) if any(holds(person, field) for field in row))
    except BadAudience:
        return


def holds(person: Person, field: str) -> bool:
    """Return whether a field holds the id, perhaps behind the quote by which a receipt escapes formulas."""
    return person.in_text(field) or person.is_me(field.removeprefix("'"))


def erased_audience(ports: Ports, file: IndexedFile, person: Person) -> IndexedFile | None:
    """Write an audience without a user, and return the new file; None if the user is not in it.

    A row of the user keeps its place, and has a mark and no values. In other rows a mark replaces the id.
    """
    if next(rows_with(ports, file.stored, person), None) is None:
        return None
    sizes = [0] * PARTITIONS
    with TemporaryDirectory(prefix="tminus-") as folder:
        path = Path(folder) / "audience.csv"
        with path.open("wb") as target:
            start, position = 0, 0
            for record in read_records(ports.files.lines(file.stored)):
                written = _erased_record(record, person, blank=True)
                target.write(written)
                if position:
                    sizes[bisect_right(file.index.ends, start)] += len(written)
                start, position = start + len(record), position + 1
        stored = ports.files.write_once(_new_name(file.stored.name, path), path)
    return IndexedFile(stored=stored, index=replace(file.index, ends=_sums(sizes, file.index.start)))


def erased_upload(ports: Ports, stored: Stored, person: Person) -> Stored | None:
    """Write an uploaded audience without a user, and return the new file; None if the user is not in it."""
    if next(rows_with(ports, stored, person), None) is None:
        return None
    with TemporaryDirectory(prefix="tminus-") as folder:
        path = _erased_copy(ports, stored, person, Path(folder), blank=True)
        return ports.files.write_once(_new_name(stored.name, path), path)


def erase_receipt(ports: Ports, name: str, person: Person) -> bool:
    """Replace a receipt by one with a mark in place of the user's id; False if the user is not in it.

    The new one is stored under a name of its own before the old one is deleted, and takes its name then. If a process
    dies in between, `finish_receipt` goes on.
    """
    stored = ports.files.find(name)
    if stored is None or next(rows_with(ports, stored, person), None) is None:
        return False
    draft = f"{name}{_MARK}draft"
    ports.files.remove(draft)
    with TemporaryDirectory(prefix="tminus-") as folder:
        ports.files.write_once(draft, _erased_copy(ports, stored, person, Path(folder), blank=False))
    ports.files.remove(name)
    finish_receipt(ports, draft)
    return True


def is_draft(name: str) -> bool:
    """Return whether a file is a new receipt that does not have its name yet."""
    return name.endswith(f"{_MARK}draft")


def finish_receipt(ports: Ports, draft: str) -> None:
    """Give a new receipt the name of the old one, if that is gone."""
    stored, name = ports.files.find(draft), draft.removesuffix(f"{_MARK}draft")
    if stored is None:
        return
    if ports.files.find(name) is None:
        with TemporaryDirectory(prefix="tminus-") as folder:
            path = Path(folder) / "receipt.csv"
            with path.open("wb") as target:
                target.writelines(ports.files.lines(stored))
            ports.files.write_once(name, path)
    ports.files.remove(draft)


def _erased_copy(ports: Ports, stored: Stored, person: Person, folder: Path, *, blank: bool) -> Path:
    path = folder / "erased.csv"
    with path.open("wb") as target:
        for record in read_records(ports.files.lines(stored)):
            target.write(_erased_record(record, person, blank=blank))
    return path


def _erased_record(record: bytes, person: Person, *, blank: bool) -> bytes:
    """Return a record without a user; with `blank` a row of the user loses all values."""
    lowered = record.lower()
    if not any(needle in lowered for needle in _needles(person)):
        return record
    [row] = read_rows(record)
    if not any(holds(person, field) for field in row):
        return record
    if blank and person.is_me(row[0]):
        return _written([ERASED, *[""] * (len(row) - 1)])
    return _written([ERASED if person.is_me(each.removeprefix("'")) else person.without(each) for each in row])


def _needles(person: Person) -> Sequence[bytes]:
    """Return the forms of the id in a CSV file in lower case, for a quick look at a record."""
    plain = person.user_id.encode("utf-8", "surrogatepass").lower()
    return (plain,) if b'"' not in plain else (plain, plain.replace(b'"', b'""'))


def _written(fields: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(fields)
    return text.getvalue().encode()


def _new_name(name: str, path: Path) -> str:
    """Return a name for new content: the old one with the content's hash, so that a repetition finds the file."""
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()[:_DIGEST_LETTERS]
    old = PurePosixPath(name)
    return str(old.with_name(f"{old.stem.partition(_MARK)[0]}{_MARK}{digest}{old.suffix}"))


def _sums(sizes: Sequence[int], start: int) -> tuple[int, ...]:
    ends = []
    for size in sizes:
        start += size
        ends.append(start)
    return tuple(ends)
