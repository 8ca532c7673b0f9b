"""Partitions: byte ranges that hold every row once."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.audience.partition import PARTITIONS, groups, index, read_rows
from functions.domain.errors import BadAudience
from functions.domain.ids import user_digest
from tests.examples import examples


def audience(rows: list[list[str]], header: tuple[str, ...] = ("user_id", "name")) -> bytes:
    """A sorted CSV as an engine writes it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    ordered = sorted(rows, key=lambda row: user_digest(row[0]))
    writer.writerows(ordered)
    return text.getvalue().encode()


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=12)


@examples(150, few=30)
@given(rows=st.lists(st.tuples(TEXT, TEXT).map(list), max_size=60), most=st.integers(1, 20))
def test_groups_of_partitions_hold_every_row_once_and_in_order(rows: list[list[str]], most: int) -> None:
    data = audience(rows)
    found = index(io.BytesIO(data), "a.csv")
    read: list[list[str]] = []
    for partitions in groups(found, most_rows=most):
        start, end = found.byte_range(partitions)
        part = list(read_rows(data[start:end]))
        assert len(part) == found.rows_in(partitions)
        assert len(part) <= most or len({user_digest(row[0])[0] for row in part}) == 1
        read += part
    assert read == sorted(rows, key=lambda row: user_digest(row[0]))
    assert found.row_count == len(rows)


def test_an_empty_audience_has_no_groups() -> None:
    found = index(io.BytesIO(b"user_id,name\n"), "a.csv")
    assert (found.row_count, list(groups(found, most_rows=10))) == (0, [])
    assert found.rows_in(range(PARTITIONS)) == 0


def test_an_unsorted_file_is_refused() -> None:
    header, *lines = audience([[str(n), "x"] for n in range(20)]).splitlines(keepends=True)
    with pytest.raises(BadAudience, match=r"a.csv: rows are not sorted by md5\(user_id\)"):
        index([header, *reversed(lines)], "a.csv")


def test_a_file_without_user_id_first_is_refused() -> None:
    with pytest.raises(BadAudience, match="the first column must be user_id, not 'name'"):
        index([b"name,user_id\n"], "a.csv")
