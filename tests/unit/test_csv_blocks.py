"""CSV leaves in blocks, whatever the number of rows."""

import csv

import pytest

from functions.usecases.dry_run.csv_blocks import BLOCK_CHARACTERS, csv_blocks
from functions.usecases.reports.receipt import plain


def test_many_rows_leave_in_few_blocks_and_none_is_lost() -> None:
    rows = [(str(number), "Größe, 42") for number in range(20_000)]
    blocks = list(csv_blocks(rows))
    assert len(blocks) == 6
    assert all(len(block) >= BLOCK_CHARACTERS for block in blocks[:-1])
    assert [tuple(row) for row in csv.reader(b"".join(blocks).decode().splitlines())] == rows
    assert list(csv_blocks([])) == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0"])
def test_no_value_begins_as_a_formula(start: str) -> None:
    assert plain(f"{start}1+1") == f"'{start}1+1"
    assert plain(f"1{start}1") == f"1{start}1"
