"""CSV leaves in blocks, whatever the number of rows."""

import csv

from functions.usecases.dry_run.csv_blocks import BLOCK_CHARACTERS, csv_blocks


def test_many_rows_leave_in_few_blocks_and_none_is_lost() -> None:
    rows = [(str(number), "Größe, 42") for number in range(20_000)]
    blocks = list(csv_blocks(rows))
    assert len(blocks) == 6
    assert all(len(block) >= BLOCK_CHARACTERS for block in blocks[:-1])
    assert [tuple(row) for row in csv.reader(b"".join(blocks).decode().splitlines())] == rows
    assert list(csv_blocks([])) == []
