"""How files of user data are read, and what is said about those that cannot be."""

import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from audience_jobs.contract import Audience, Column, Job
from audience_jobs.errors import BadData, MissingColumn, MissingTable, NoFolder, NoUserData
from tests.audience_jobs.exports import EXPORTED_INSTANTS
from tests.audience_jobs.marketplace import DuckDBEngine, find, job_of, read_criteria
from tests.audience_jobs.worlds import NOW, Row, put, rows_of, user

UPPER = "0B0E7A52-9F4E-4B0E-8F7A-00000000ABCD"
HEADER = b"id,username,created_at\n"
WRITE_PARQUET = "COPY (SELECT '1' AS id, 'Ann' AS username, {value} AS created_at) TO '{path}' (FORMAT parquet)"


@pytest.fixture
def users(tmp_path: Path) -> Callable[..., list[Row]]:
    """Give id, username and joining time of every user in the folder; `content` becomes its users.csv."""
    columns = [Column(name=n, type="text", meaning="") for n in ("user_id", "name")]
    columns.append(Column(name="joined", type="timestamp", meaning=""))
    everybody = Audience(name="all", columns=tuple(columns), meaning="")
    sql = "SELECT 'all' AS audience, id AS user_id, username AS name, created_at AS joined FROM users"
    job = Job(id="sample", title="", layer=1, parameters=(), audiences=(everybody,), sql=sql)

    def read(content: bytes | None = None) -> list[Row]:
        if content is not None:
            (tmp_path / "users.csv").write_bytes(content)
        with DuckDBEngine(tmp_path).run(job, {}, now=NOW) as run:
            run.write_audience("all", tmp_path / "out")
        return rows_of(tmp_path / "out")

    return read


def test_columns_come_in_any_order_and_unknown_ones_are_passed_over(users: Callable[..., list[Row]]) -> None:
    found = users(b"weight,created_at,id,weight,username\nheavy,2026-11-23,1,,Ann\n")
    assert found == [{"user_id": "1", "name": "Ann", "joined": "2026-11-23T00:00:00Z"}]


@pytest.mark.parametrize(
    "content",
    [
        b"id;username;created_at\n1;Ann;2026-11-23\n",
        b"id\tusername\tcreated_at\n1\tAnn\t2026-11-23\n",
        b"id|username|created_at\r\n1|Ann|2026-11-23\r\n",
        b"sep=;\nid;username;created_at\n1;Ann;2026-11-23\n",
        b'\xef\xbb\xbfSEP=,\r\n"id",username,created_at\r\n1,Ann,2026-11-23\r\n',
        b"id, username, created_at\n1, Ann, 2026-11-23\n",
        b"id , username ,created_at\n1,Ann , 2026-11-23 \n",
        b"ID,UserName,CREATED_AT\n1,Ann,2026-11-23\n",
        b"ID;USERNAME;CREATED_AT;USER_ID\n1;Ann;2026-11-23;x\n",
        b"ID,id,username,created_at\nx,1,Ann,2026-11-23\n",
    ],
)
def test_separators_and_blanks_beside_them_are_read_as_the_first_lines_say(
    users: Callable[..., list[Row]], content: bytes
) -> None:
    assert users(content) == [{"user_id": "1", "name": "Ann", "joined": "2026-11-23T00:00:00Z"}]


def test_a_fault_below_a_line_that_names_the_separator_has_the_line_of_the_file(
    users: Callable[..., list[Row]],
) -> None:
    with pytest.raises(BadData, match="line 4 has 2 fields instead of 3"):
        users(b"sep=;\nid;username;created_at\n1;Ann;\n2;Bo\n")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_quotes_and_line_breaks_are_read_as_the_format_says(users: Callable[..., list[Row]], end: str) -> None:
    lines = ["id,username,created_at", '1,"a, ""b""\nc",', '2,"",', "3, x ,"]
    found = users(("\ufeff" + end.join([*lines, ""])).encode())
    names = {row["user_id"]: row["name"] for row in found}
    assert names == {"1": 'a, "b"\nc', "2": "", "3": " x "}


def test_ids_that_are_uuids_are_read_in_lower_case_and_others_as_they_are(users: Callable[..., list[Row]]) -> None:
    others = ["AbC", UPPER + "0", UPPER.replace("-", "")]
    found = users(HEADER + "".join(f"{user_id},,\n" for user_id in [UPPER, *others]).encode())
    assert {row["user_id"] for row in found} == {UPPER.lower(), *others}


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23T18:00:00Z", "2026-11-23T18:00:00Z"),
        ("2026-11-23 18:00:00", "2026-11-23T18:00:00Z"),
        ("2026-11-23 18:00:00.987654+00", "2026-11-23T18:00:00Z"),
        ("2026-11-23T18:00:00+02", "2026-11-23T16:00:00Z"),
        ("2026-11-23 18:00:00.5-05:30", "2026-11-23T23:30:00Z"),
        ("2026-11-23T18:00:00+0530", "2026-11-23T12:30:00Z"),
        ("2026-1-3 8:00:00+02", "2026-01-03T06:00:00Z"),
        ("2026-11-23", "2026-11-23T00:00:00Z"),
        ("", ""),
        (" 2026-11-23", "2026-11-23T00:00:00Z"),
        *((text, instant) for _, text, instant in EXPORTED_INSTANTS),
    ],
)
def test_times_with_and_without_offset_are_utc(users: Callable[..., list[Row]], text: str, instant: str) -> None:
    assert [row["joined"] for row in users(HEADER + f"1,,{text}\n".encode())] == [instant]


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("TIMESTAMP '2026-11-23 18:00:00'", "2026-11-23T18:00:00Z"),
        ("TIMESTAMPTZ '2026-11-23 18:00:00+02'", "2026-11-23T16:00:00Z"),
        ("TIMESTAMP_NS '2026-11-23 18:00:00'", "2026-11-23T18:00:00Z"),
        ("DATE '2026-11-23'", "2026-11-23T00:00:00Z"),
        ("'2026-11-23T18:00:00+02'", "2026-11-23T16:00:00Z"),
        ("''", ""),
        ("CAST(NULL AS TIMESTAMP)", ""),
    ],
)
def test_parquet_holds_times_of_any_kind(
    users: Callable[..., list[Row]], tmp_path: Path, value: str, instant: str
) -> None:
    duckdb.execute(WRITE_PARQUET.format(value=value, path=tmp_path / "users.parquet"))
    assert users() == [{"user_id": "1", "name": "Ann", "joined": instant}]


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("'Ann'", "TIMESTAMP 'infinity'", "column 'created_at' holds 'infinity', which is not a valid timestamp"),
        ("'A' || chr(0)", "TIMESTAMP '2026-11-23'", "column 'username' holds a NUL character: export it without"),
    ],
)
def test_what_no_user_has_is_refused_in_parquet_too(
    users: Callable[..., list[Row]], tmp_path: Path, name: str, value: str, complaint: str
) -> None:
    select = f"SELECT '1' AS id, {name} AS username, {value} AS created_at"
    duckdb.execute(f"COPY ({select}) TO '{tmp_path / 'users.parquet'}' (FORMAT parquet)")
    with pytest.raises(BadData, match=rf"users\.parquet: {complaint}"):
        users()


def test_parquet_columns_may_be_in_upper_case(users: Callable[..., list[Row]], tmp_path: Path) -> None:
    select = "SELECT '1' AS ID, 'Ann' AS UserName, DATE '2026-11-23' AS CREATED_AT"
    duckdb.execute(f"COPY ({select}) TO '{tmp_path / 'users.parquet'}' (FORMAT parquet)")
    assert users() == [{"user_id": "1", "name": "Ann", "joined": "2026-11-23T00:00:00Z"}]


def test_parquet_ids_may_be_numbers_or_uuids(users: Callable[..., list[Row]], tmp_path: Path) -> None:
    columns = "'Ann' AS username, CAST(NULL AS TIMESTAMP) AS created_at"
    for typed, expected in ((f"CAST('{UPPER}' AS UUID)", UPPER.lower()), ("7", "7"), (f"'{UPPER}'", UPPER.lower())):
        path = tmp_path / "users.parquet"
        duckdb.execute(f"COPY (SELECT {typed} AS id, {columns}) TO '{path}' (FORMAT parquet)")
        assert [row["user_id"] for row in users()] == [expected]


@pytest.mark.parametrize("odd", ["it's [a] *folder*", "ordner ü"])
def test_a_folder_may_have_any_name(tmp_path: Path, odd: str) -> None:
    folder = tmp_path / odd
    folder.mkdir()
    (folder / "devices.csv").write_text("user_id,token,platform,updated_at\nu,t,ios,\n")
    assert DuckDBEngine(folder).write_devices_of(["u"], tmp_path / "out", per_user=1) == 1


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            HEADER + b"1,Ann,2026-11-23\n2,Bo,next week\n",
            "column 'created_at' holds 'next week', which is not a valid",
        ),
        (HEADER + b"1,Ann,2026-02-30\n", "'2026-02-30'"),
        (HEADER + b"1,Ann,1763900000\n", "'1763900000'"),
        (HEADER + b"1,Ann,\n2,Bo\n", "line 3 has 2 fields instead of 3"),
        (HEADER + b"1,Ann,\n2,Bo,,x\n", "line 3 has 4 fields instead of 3"),
        (HEADER + b'1,"Ann,\n', "line 2 has a quote that does not end a value"),
        (HEADER + b"1,Ann,\n2,Zo\xeb,\n", r"line 3 is not valid UTF-8 at byte 5 \(0xeb\): export the file"),
        (b"id,username,created_at,caf\xe9\n", "header is not valid UTF-8"),
        (HEADER + b"1,Ann,\n2,B\0o,\n", "line 3 holds a NUL character at byte 4: export the file as UTF-8"),
        (HEADER + b"1,Ann,\n2\0,Bo,\n", "line 3 holds a NUL character at byte 2"),
        (HEADER + b"1,Ann,2026-11-23\0\n", "line 2 holds a NUL character at byte 17"),
        *(
            (HEADER + f"1,Ann,{never}\n".encode(), f"'{never}', which is not a valid timestamp: write the year first")
            for never in ("infinity", "-infinity", " Infinity", "inf", "epoch")
        ),
        (
            b"id,username,created_at\r1,Ann,\r",
            "ends its lines with carriage returns only: save it with Unix or Windows",
        ),
        (
            b'"id", "username", "created_at"\n"1", "Ann", ""\n',
            "its header has a blank before a quote: remove blanks",
        ),
        (b'"id"; "username"; created_at\n1;Ann;\n', "its header has a blank before a quote: remove blanks"),
        (b'"id" ,username,created_at\n', "header is not CSV: it has a quote that does not end a value"),
        (b"id,Username,USERNAME,created_at\n", "'Username' and 'USERNAME', which both mean username: remove one"),
        (b"", "has no header"),
        (b'"id,username\n', "header is not CSV"),
        (b"id,id,username,created_at\n", "has the column 'id' twice"),
        ("id,username,created_at\n".encode("utf-16"), "is UTF-16: export the file as UTF-8"),
        ("id,username,created_at\n".encode("utf-16-le"), "line 1 holds a NUL character, as UTF-16 does"),
        (b"PK\x03\x04...", "is a ZIP archive or a spreadsheet"),
        (HEADER + b"1,Ann,01/02/2026\n", "which is not a valid timestamp: write the year first, as in 2026-11-23"),
        (HEADER + b"1,Ann,2026-11-23\r2,Bo,2026-11-23\r", "line 2 has a carriage return that does not end a line"),
        (HEADER + b"1,Ann,2026-11-23\r\n2,Bo,2026-11-23\r\n", "line 2 has another line ending than"),
    ],
)
def test_bad_csv_is_named_with_its_file_and_place(
    users: Callable[..., list[Row]], content: bytes, complaint: str
) -> None:
    with pytest.raises(BadData, match=rf"users\.csv: .*{complaint}") as failure:
        users(content)
    assert "\n" not in str(failure.value)


def test_what_a_file_holds_beside_a_bad_value_is_not_repeated(users: Callable[..., list[Row]]) -> None:
    with pytest.raises(BadData) as failure:
        users(HEADER + b"1,a-secret,\n2,a-secret\n")
    assert "a-secret" not in str(failure.value)


def test_a_parquet_column_of_the_wrong_type_is_named_with_a_value(
    users: Callable[..., list[Row]], tmp_path: Path
) -> None:
    duckdb.execute(WRITE_PARQUET.format(value="1763900000", path=tmp_path / "users.parquet"))
    with pytest.raises(BadData, match=r"users\.parquet: column 'created_at' holds '1763900000'"):
        users()


def test_a_parquet_file_that_is_none_is_named(users: Callable[..., list[Row]], tmp_path: Path) -> None:
    (tmp_path / "users.parquet").write_bytes(b"id,username\n")
    with pytest.raises(BadData, match=r"users\.parquet: is not a Parquet file"):
        users()


def test_of_two_files_for_a_table_the_older_is_named(users: Callable[..., list[Row]], tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_bytes(HEADER)
    (tmp_path / "users.parquet").touch()
    os.utime(tmp_path / "users.parquet", (0, 0))
    with pytest.raises(BadData, match=r"users\.csv exists too; .*\(users\.parquet is older\)"):
        users()


def test_only_what_the_job_reads_has_to_be_there(users: Callable[..., list[Row]], tmp_path: Path) -> None:
    (tmp_path / "offers.csv").write_bytes(b"\xff nonsense")
    assert users(HEADER + b"1,Ann,\n") == [{"user_id": "1", "name": "Ann", "joined": ""}]
    with pytest.raises(MissingColumn, match=r"users\.csv lacks the column 'created_at'; it has id, username"):
        users(b"id,username\n")
    (tmp_path / "users.csv").unlink()
    with pytest.raises(MissingTable, match=r"'users' is missing: add users\.csv or users\.parquet to"):
        users()


def test_a_bad_value_that_the_job_does_not_read_is_no_matter(users: Callable[..., list[Row]]) -> None:
    assert len(users(b"id,username,created_at,deleted_at\n1,Ann,,yesterday\n")) == 1


def test_a_folder_that_is_missing_or_holds_no_table_is_an_error(
    users: Callable[..., list[Row]], tmp_path: Path
) -> None:
    (tmp_path / "readme.txt").touch()
    with pytest.raises(NoUserData, match="has no table in it"):
        users()
    with pytest.raises(NoFolder, match="does not exist"):
        DuckDBEngine(tmp_path / "nowhere").write_devices_of(["u"], tmp_path / "out", per_user=1)


WHOLE = Job(
    id="sample",
    title="",
    layer=1,
    parameters=(),
    audiences=(
        Audience(
            name="all",
            columns=(
                Column(name="user_id", type="text", meaning=""),
                Column(name="trades", type="integer", meaning=""),
            ),
            meaning="",
        ),
    ),
    sql="SELECT 'all' AS audience, id AS user_id, completed_trades_count AS trades FROM users",
)


def trades(folder: Path, value: str) -> str:
    (folder / "users.csv").write_text(f'id,completed_trades_count\n1,"{value}"\n')
    with DuckDBEngine(folder).run(WHOLE, {}, now=NOW) as run:
        run.write_audience("all", folder / "out")
    return str(rows_of(folder / "out")[0]["trades"])


@pytest.mark.parametrize("value", ["3", "3.0", "3.", " 3 ", "3.000"])
def test_whole_numbers_may_have_a_point(tmp_path: Path, value: str) -> None:
    assert trades(tmp_path, value) == "3"


@pytest.mark.parametrize("value", ["3.7", "1,000", "1.000,5", "three", "3.0.0"])
def test_what_is_no_whole_number_is_refused_and_never_rounded(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadData, match="which is not a valid integer: write a whole number without separators"):
        trades(tmp_path, value)


def test_a_table_that_says_of_no_row_whether_it_is_deleted_is_refused(tmp_path: Path) -> None:
    put(tmp_path, {"users": [user("ann", deleted_at=None), user("bob", deleted_at=None)]})
    job = job_of(read_criteria({"filters": {"minLifetimeTrades": 0}}))
    with (
        pytest.raises(BadData, match=r"users\.csv: column 'deleted_at' is empty in every row: write 0 for rows not"),
        DuckDBEngine(tmp_path).run(job, {}, now=NOW),
    ):
        pass
    put(tmp_path, {})
    with DuckDBEngine(tmp_path).run(job, {}, now=NOW) as run:
        assert run.size("default") == 0, "a table without rows says nothing wrong"


OWN_QUERIES = [
    "SELECT id AS user_id, bio AS b FROM users WHERE bio <> ''",
    "SELECT u.id AS user_id, length(u.bio) AS b FROM users u JOIN wishlist_items w ON w.user_id = u.id",
]


@pytest.mark.parametrize("sql", [*OWN_QUERIES, ""], ids=["own", "own with a join", "job"])
@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"x,caf\xe9,A,,caf\xe9,,2026-01-01,0,,", r"line 4 is not valid UTF-8 at byte 6 \(0xe9\): export the file"),
        (b"x,@x,A,,\xff\xfeh,,2026-01-01,0,,", r"line 4 is not valid UTF-8 at byte 9 \(0xff\)"),
        (b'x,@x,A,,"open,,2026-01-01,0,,', "line 4 has a quote that does not end a value"),
        (b"x,@x,A,,b", "line 4 has 5 fields instead of 10"),
    ],
    ids=["latin-1", "other bytes", "quote", "ragged"],
)
def test_the_file_and_the_line_at_fault_are_named_whatever_reads_them(
    tmp_path: Path, sql: str, line: bytes, complaint: str
) -> None:
    wishes = [{"id": "w", "user_id": "ann", "product_variant_id": "v", "created_at": NOW, "deleted_at": 0}]
    put(tmp_path, {"users": [user("ann", bio="b"), user("bob", bio="c")], "wishlist_items": wishes})
    path = tmp_path / "users.csv"
    path.write_bytes(path.read_bytes() + line + b"\r\n")
    job = job_of(read_criteria({"customQuery": sql})) if sql else find("generate_new_user_waterfall")
    with pytest.raises(BadData, match=rf"/users\.csv: {complaint}"), DuckDBEngine(tmp_path).run(job, {}, now=NOW):
        pass
