"""Export an audience as CSV for people, with values escaped that a spreadsheet would run as formulas."""

from collections.abc import Iterator

from functions.domain.audience.partition import read_records, read_rows
from functions.domain.errors import NotFound
from functions.ports import Ports
from functions.usecases.dry_run.csv_blocks import csv_blocks
from functions.usecases.reports.receipt import plain


def export_audience(ports: Ports, execution_id: str, push: int) -> Iterator[bytes]:
    """Yield the live audience of a push, block by block, beginning with the header. The stored file does not change.

    NotFound before it is built, BadAudience after it was deleted.
    """
    files = ports.shards.push(execution_id, push)
    if files is None:
        raise NotFound(f"execution {execution_id!r} has built no audience for push {push}")
    records = read_records(ports.files.lines(files.live.rows.stored))
    yield from csv_blocks(map(plain, row) for record in records for row in read_rows(record))
