"""Audience files as they really come: with marks, quotes and line ends, and broken in every way."""

import csv
import io
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.audience.partition import PARTITIONS, groups, index, partition_of, read_rows
from functions.domain.errors import BadAudience
from functions.domain.ids import user_digest
from tests.examples import examples

Quoting = Literal[0, 1]
AWKWARD = st.text(alphabet='ab,"\n ;é🥾=\u2028', max_size=6)


def in_order(rows: Sequence[list[str]]) -> list[list[str]]:
    return sorted(rows, key=lambda row: user_digest(row[0]))


def a_file(
    rows: Sequence[list[str]], *, mark: bytes = b"", end: str = "\n", quoting: Quoting = csv.QUOTE_ALL
) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=quoting)
    writer.writerow(["user_id", "name"])
    writer.writerows(in_order(rows))
    return mark + text.getvalue().encode()


@given(
    rows=st.lists(st.tuples(AWKWARD, AWKWARD).map(list), max_size=40),
    most=st.integers(1, 12),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@examples(300, few=60)
def test_ranges_of_groups_hold_every_row_whatever_the_quoting(
    rows: list[list[str]], most: int, mark: bytes, end: str, quoting: Quoting
) -> None:
    data = a_file(rows, mark=mark, end=end, quoting=quoting)
    found = index(io.BytesIO(data), "a.csv")
    assert found.columns == ("user_id", "name")
    ranges = list(groups(found, most_rows=most))
    read: list[list[str]] = []
    for partitions in ranges:
        first, end_byte = found.byte_range(partitions)
        read += read_rows(data[first:end_byte])
    assert read == in_order(rows)
    assert found.row_count == len(rows) == sum(found.rows_in(partitions) for partitions in ranges)
    assert all(earlier.stop <= later.start for earlier, later in pairwise(ranges))


@given(rows=st.lists(st.text("abcdef", max_size=4).map(lambda user: [user, "x"]), max_size=60))
def test_a_partition_holds_the_users_whose_digest_begins_with_it(rows: list[list[str]]) -> None:
    data = a_file(rows)
    found = index(io.BytesIO(data), "a.csv")
    for partition in range(PARTITIONS):
        first, end = found.byte_range(range(partition, partition + 1))
        for row in read_rows(data[first:end]):
            assert partition_of(user_digest(row[0])) == partition


def test_groups_are_as_large_as_they_may_be_and_an_oversized_partition_stands_alone() -> None:
    data = a_file([["same", str(number)] for number in range(9)] + [[f"user-{number}", "x"] for number in range(50)])
    found = index(io.BytesIO(data), "a.csv")
    held = [found.rows_in(partitions) for partitions in groups(found, most_rows=5)]
    assert sum(held) == 59
    assert max(held) <= 9 + 50 // 10
    assert [size for size in held if size > 5] == [size for size in held if size >= 9]
    assert all(one + other > 5 for one, other in pairwise(held)), "no two could be one"
    assert list(groups(found, most_rows=59)) == [range(PARTITIONS)]


def test_a_bare_carriage_return_is_part_of_a_quoted_value() -> None:
    rows = [["u", "one\rtwo"], ["v\r", "three"]]
    data = a_file(rows, quoting=csv.QUOTE_ALL)
    found = index(io.BytesIO(data), "a.csv")
    assert list(read_rows(data[found.start :])) == in_order(rows)
    assert found.row_count == 2


def test_a_byte_order_mark_belongs_to_the_header() -> None:
    data = a_file([["u", "x"]], mark=b"\xef\xbb\xbf", quoting=csv.QUOTE_MINIMAL)
    found = index(io.BytesIO(data), "a.csv")
    assert data[found.start :] == b"u,x\n"


def test_the_last_line_may_lack_its_end() -> None:
    found = index(io.BytesIO(a_file([["u", "x"], ["v", "y"]]).rstrip(b"\n")), "a.csv")
    assert found.row_count == 2


def test_a_value_may_be_long() -> None:
    long = "x" * 200_000
    data = a_file([["u", long]])
    found = index(io.BytesIO(data), "a.csv")
    assert found.row_count == 1
    assert list(read_rows(data))[1] == ["u", long]


def test_one_user_written_in_two_cases_is_sorted_as_one() -> None:
    lower = "0f8fad5b-d9cb-469f-a165-70867728950e"
    found = index(io.BytesIO(a_file([[lower, "1"], [lower.upper(), "2"], [lower, "3"]])), "a.csv")
    assert {found.rows_in(range(partition, partition + 1)) for partition in range(PARTITIONS)} == {0, 3}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the first column must be user_id, not 'nothing'"),
        (b"\n", "the first column must be user_id, not 'nothing'"),
        (b"User_ID\nu\n", "the first column must be user_id, not 'User_ID'"),
        (b"user_id;name\nu;x\n", "the first column must be user_id, not 'user_id;name'"),
        (b"user_id,\xff\n", "not a CSV file in UTF-8"),
        (b"user_id,name\n\xff,x\n", "not a CSV file in UTF-8"),
        (b'user_id,name\n"u"v,x\n', "not a CSV file in UTF-8"),
        ("user_id\nu\n".encode("utf-16"), "not a CSV file in UTF-8"),
    ],
)
def test_a_broken_file_is_refused_by_its_name(data: bytes, reason: str) -> None:
    with pytest.raises(BadAudience, match=r"^audiences/a\.csv: ") as refused:
        index(io.BytesIO(data), "audiences/a.csv")
    assert reason in str(refused.value)


@given(st.binary(max_size=60))
def test_no_bytes_do_worse_than_be_refused(data: bytes) -> None:
    try:
        found = index(io.BytesIO(b"user_id,name\n" + data), "a.csv")
    except BadAudience:
        return
    assert found.ends[-1] == len(data) + 13
