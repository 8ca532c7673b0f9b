"""CSV files from outside: what is read of them, and how they are refused."""

import io
from itertools import chain, repeat
from typing import Any

import pytest

from functions.domain.audience.uploaded_csv import MOST_ROW_BYTES, UploadedCsv
from functions.domain.errors import BadFields


def read(content: bytes) -> tuple[tuple[str, ...], list[tuple[int, list[str]]]]:
    csv = UploadedCsv(io.BytesIO(content), required={"user_id": ("user_id",)})
    return csv.columns, [(row.line, row.fields) for row in csv.rows()]


def refused(content: bytes) -> str:
    with pytest.raises(BadFields) as error:
        read(content)
    [told] = error.value.errors
    assert told.field == "file"
    return told.reason


def test_quotes_commas_and_line_ends_inside_of_fields_are_read_as_they_were_meant() -> None:
    content = b'user_id,name\r\na,"Jo, ""the\nshoe"""\r\nb,Zo\xc3\xab\r\n'
    assert read(content) == (("user_id", "name"), [(2, ["a", 'Jo, "the\nshoe"']), (4, ["b", "Zoë"])])


def test_a_byte_order_mark_and_a_missing_last_line_end_change_nothing() -> None:
    assert read(b"\xef\xbb\xbfuser_id,name\na,Jo") == (("user_id", "name"), [(2, ["a", "Jo"])])
    assert read(b'\xef\xbb\xbf"user_id"\na')[0] == ("user_id",)


def test_blank_lines_are_skipped_and_counted_as_lines() -> None:
    assert read(b"user_id\n\n\na\n\n")[1] == [(4, ["a"])]


def test_rows_with_too_few_or_many_fields_are_left_to_the_reader() -> None:
    assert read(b"user_id,name\na\nb,c,d\n")[1] == [(2, ["a"]), (3, ["b", "c", "d"])]


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (b"USER_ID,Name\na,Jo\n", ("user_id", "Name")),
        (b"NAME;User_Id\na;Jo\n", ("NAME", "user_id")),
        (b"USER_ID,user_id\na,Jo\n", ("USER_ID", "user_id")),
        (b"user_id,LAYERID\na,Jo\n", ("user_id", "layerId")),
    ],
)
def test_a_known_column_may_be_written_in_upper_case_where_no_other_has_its_name(
    content: bytes, columns: tuple[str, ...]
) -> None:
    csv = UploadedCsv(io.BytesIO(content), required={"user_id": ("user_id",)}, optional=["layerId"])
    assert csv.columns == columns


def test_quotes_behind_a_blank_are_read_where_the_header_is_written_so() -> None:
    content = b'"user_id", "name"\n"a", "Jo, the shoe"\n'
    assert read(content) == (("user_id", "name"), [(2, ["a", "Jo, the shoe"])])
    assert read(b"user_id,name\na, Jo\n")[1] == [(2, ["a", " Jo"])]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"User_Id,USER_ID\n", 'has the columns "User_Id" and "USER_ID", which mean the same: leave one out'),
        (b"", "is empty; its first line has to name the columns, user_id among them"),
        (b"\n\n", "is empty; its first line has to name the columns, user_id among them"),
        (b"id,name\n", 'the column user_id is missing; its columns are "id, name"'),
        (b"id;name\n", 'the column user_id is missing; its columns are "id, name"'),
        (b"sep=|\nid|name\n", 'the column user_id is missing; its columns are "id, name"'),
        (b"user_id,user_id\n", 'the column "user_id" is there 2 times'),
        (b"user_id,\n", "column 2 has no name in the first line"),
        (b"user_id," + b",".join(b"c%d" % n for n in range(300)), "has 301 columns; at most 200 are read"),
        (b"user_id\na\nZo\xeb\n", 'line 3: byte 3 (0xeb) is not UTF-8; save it as "CSV UTF-8"'),
        (b"PK\x03\x04\x14", "is a ZIP archive or a spreadsheet; upload the CSV file itself"),
        (b"\x1f\x8b\x08", "is compressed with gzip; upload the CSV file itself"),
        ("user_id".encode("utf-16"), 'is UTF-16; save it as "CSV UTF-8"'),
        (b"user_id\na\x00\n", 'line 2: holds a NUL character; save it as "CSV UTF-8"'),
        (
            b"user_id\ra\rb\r",
            "line 1: holds a carriage return that ends no line; save the file with line ends of Unix or Windows",
        ),
        (b'user_id\n"a\n', "line 2: unexpected end of data"),
        (b'user_id\n"a"b\n', "line 2: ',' expected after '\"'"),
    ],
)
def test_what_is_no_csv_is_refused_with_the_line_and_the_way_out(content: bytes, reason: str) -> None:
    assert refused(content) == reason


class Endless(io.RawIOBase):
    """A file that never ends, and counts what is read of it."""

    def __init__(self, start: bytes, again: bytes) -> None:
        self._parts = chain([start], repeat(again))
        self._left = b""
        self.bytes_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        part = self._left or next(self._parts)
        size = min(len(part), len(buffer))
        buffer[:size], self._left = part[:size], part[size:]
        self.bytes_read += size
        return size


@pytest.mark.parametrize(
    ("start", "again"),
    [
        (b"user_id,", b"c" * (MOST_ROW_BYTES + 9)),
        (b"user_id\n", b"a" * (MOST_ROW_BYTES + 9)),
        (b'user_id\n"', b"a\n" * 4_000),
        (b'user_id\n"', b'a","b\n'),
    ],
    ids=["header", "row", "field that never ends", "row that never ends"],
)
def test_a_row_that_does_not_end_is_refused_before_it_fills_the_memory(start: bytes, again: bytes) -> None:
    endless = Endless(start, again)
    with pytest.raises(BadFields, match=r"longer than 262,144 bytes|field larger than field limit"):
        list(UploadedCsv(io.BufferedReader(endless), required={"user_id": ("user_id",)}).rows())
    assert endless.bytes_read < 3 * MOST_ROW_BYTES
