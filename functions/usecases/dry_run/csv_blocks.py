"""CSV in blocks: a server writes each block separately, so a block per row would be slow."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

BLOCK_CHARACTERS = 65_536


def csv_blocks(rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """Yield rows as CSV in UTF-8, in blocks of about 64 KiB."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow(row)
        if text.tell() >= BLOCK_CHARACTERS:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    if text.tell():
        yield text.getvalue().encode()
