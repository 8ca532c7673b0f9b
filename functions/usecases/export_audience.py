"""An audience as a CSV for people: as it was built, with what a spreadsheet would run as a formula escaped."""

import csv
from collections.abc import Iterator
from io import StringIO

from functions.domain.errors import NotFound
from functions.domain.partition import read_records, read_rows
from functions.ports import Ports
from functions.usecases.receipt import plain


def export_audience(ports: Ports, execution_id: str, push: int) -> Iterator[bytes]:
    """Yield the lines of the live audience of a push, its header first; what is stored stays as it was built.

    NotFound before it is built, BadAudience once it is no longer kept.
    """
    files = ports.executions.push(execution_id, push)
    if files is None:
        raise NotFound(f"execution {execution_id!r} has built no audience for push {push}")
    for record in read_records(ports.files.lines(files.live.rows.stored)):
        text = StringIO()
        csv.writer(text, lineterminator="\n").writerows([map(plain, row) for row in read_rows(record)])
        yield text.getvalue().encode()
