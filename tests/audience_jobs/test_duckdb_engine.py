"""What the DuckDB engine writes, which devices it gives, and what it keeps SQL from."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest

from audience_jobs.contract import Audience, Check, Column, Freshness, Job, Parameter
from audience_jobs.engines import time_limit
from audience_jobs.errors import (
    BadJob,
    BadParameter,
    CheckFailed,
    MissingColumn,
    MissingTable,
    StaleData,
    TooSlow,
    Unavailable,
    UnknownAudience,
)
from tests.audience_jobs.marketplace import DuckDBEngine
from tests.audience_jobs.worlds import NOW, Row, hours_ago, put, rows_of

ANN = "0b0e7a52-9f4e-4b0e-8f7a-00000000abcd"


@pytest.fixture
def job() -> Callable[..., Job]:
    """Declare a job of one audience, `all`, of these columns: user_id and what else is named."""

    def declare(
        sql: str, *, parameters: tuple[Parameter, ...] = (), checks: tuple[Check, ...] = (), **types: Any
    ) -> Job:
        columns = [Column(name=name, type=kind, meaning="") for name, kind in ({"user_id": "text"} | types).items()]
        audience = Audience(name="all", columns=tuple(columns), meaning="")
        about: dict[str, Any] = {"id": "sample", "title": "", "layer": 1, "audiences": (audience,)}
        return Job(sql=sql, parameters=parameters, checks=checks, **about)

    return declare


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., str]:
    """Run a job on a folder that has tables without rows, and give its audience's file."""

    def write(job: Job, now: datetime = NOW, **arguments: object) -> str:
        with DuckDBEngine(put(tmp_path, {})).run(job, arguments, now=now) as run:
            run.write_audience("all", tmp_path / "out.csv")
        return (tmp_path / "out.csv").read_bytes().decode()

    return write


def token(user_id: str, name: str | None, hours: float | None, platform: str = "ios") -> Row:
    updated = None if hours is None else hours_ago(hours)
    return {"user_id": user_id, "token": name, "platform": platform, "updated_at": updated}


def test_values_are_quoted_only_where_the_format_needs_it(
    job: Callable[..., Job], written: Callable[..., str]
) -> None:
    values = ["plain", "a,b", 'say "hi"', "two\nlines", "a\rb", " padded ", "=1+1", "é😀", "NULL", "'"]
    rows = ", ".join(f"('{value.replace(chr(39), chr(39) * 2)}')" for value in values)
    one_user = job(f"SELECT 'all' AS audience, 'u' AS user_id, v AS x FROM (VALUES {rows}) t(v)", x="text")
    quoted = ['"a,b"', '"say ""hi"""', '"two\nlines"', '"a\rb"']
    bare = ["plain", " padded ", "=1+1", "é😀", "NULL", "'"]
    assert written(one_user) == "user_id,x\n" + "".join(
        f"u,{field}\n" for field in sorted(quoted + bare, key=lambda field: field.removeprefix('"').encode())
    )


def test_types_are_written_as_declared_and_null_as_an_empty_field(
    job: Callable[..., Job], written: Callable[..., str]
) -> None:
    sql = "SELECT 'all' AS audience, 'u' AS user_id, $now AS seen, 3.0 AS n, CAST(NULL AS TEXT) AS x, 'spare' AS y"
    typed = job(sql, seen="timestamp", n="integer", x="text")
    assert written(typed) == "user_id,seen,n,x\nu,2026-11-23T18:00:00Z,3,\n"


def test_now_is_the_executions_time_in_utc(job: Callable[..., Job], written: Callable[..., str]) -> None:
    sql = "SELECT 'all' AS audience, 'u' AS user_id, CAST($now AS TIMESTAMP) AS seen"
    in_india = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert written(job(sql, seen="timestamp"), in_india) == "user_id,seen\nu,2026-11-23T18:00:00Z\n"
    with pytest.raises(ValueError, match="give an aware datetime"):
        written(job(sql, seen="timestamp"), NOW.replace(tzinfo=None))


def test_a_file_is_in_the_order_of_md5_and_then_of_its_columns(tmp_path: Path, job: Callable[..., Job]) -> None:
    sql = """SELECT 'all' AS audience, CASE WHEN i % 100 > 0 THEN 'u' || (i % 100) END AS user_id, -i AS n
             FROM generate_series(0, 19999) AS t(i)"""
    with DuckDBEngine(put(tmp_path, {})).run(job(sql, n="integer"), {}, now=NOW) as run:
        assert run.write_audience("all", tmp_path / "out.csv") == 20000
    rows = [(row["user_id"], int(row["n"])) for row in rows_of(tmp_path / "out.csv")]
    assert rows == sorted(rows, key=lambda row: (md5(row[0].encode()).digest(), row[1]))


def test_what_a_recipe_gives_is_bound_and_never_run(job: Callable[..., Job], written: Callable[..., str]) -> None:
    hostile = "'; DROP TABLE job_rows; SELECT '$now"
    parameter = Parameter(name="product_id", type="text", meaning="")
    echo = job("SELECT 'all' AS audience, $product_id AS user_id", parameters=(parameter,))
    assert written(echo, productId=hostile) == f"user_id\n{hostile}\n"
    with pytest.raises(BadParameter, match="'users' is unknown"):
        written(echo, users="x")


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("SELECT 'all' AS audience, 1 AS user", "yields no column user_id"),
        ("SELECT 'some' AS audience, 1 AS user_id", "rows of audience 'some', which it does not declare"),
        ("SELECT NULL AS audience, 1 AS user_id", "rows of audience None"),
        ("SELECT 'all' AS audience, nonsense AS user_id", "its SQL fails: Binder Error"),
        ("SELECT 'all' AS audience, $user AS user_id", r"reads \$user, which is not one of its parameters"),
        (
            "SELECT 'all' AS audience, CAST('x' AS INTEGER) AS user_id FROM generate_series(1, 1)",
            "its SQL fails: Conversion Error",
        ),
        ("SELECT 'all' AS audience, content AS user_id FROM read_text('/etc/hostname')", r"calls read_text\(\)"),
    ],
)
def test_a_job_whose_sql_is_not_what_it_declares_is_named(
    job: Callable[..., Job], written: Callable[..., str], sql: str, complaint: str
) -> None:
    with pytest.raises(BadJob, match=f"audience job sample: .*{complaint}"):
        written(job(sql))


def test_a_failed_check_writes_nothing_and_says_how_often(
    job: Callable[..., Job], written: Callable[..., str]
) -> None:
    check = Check(name="some", failing_sql="SELECT count(*) FROM job_rows", meaning="there are users")
    with pytest.raises(CheckFailed, match=r"sample: there are users \(check 'some': 2\)"):
        written(job("SELECT 'all' AS audience, i AS user_id FROM generate_series(0, 1) AS t(i)", checks=(check,)))


def test_an_audience_that_the_job_lacks_is_an_error(tmp_path: Path, job: Callable[..., Job]) -> None:
    unknown = job("SELECT 'all' AS audience, 'u' AS user_id")
    with DuckDBEngine(put(tmp_path, {})).run(unknown, {}, now=NOW) as run:
        with pytest.raises(UnknownAudience, match="no audience 'al'; did you mean 'all'"):
            run.write_audience("al", tmp_path / "out.csv")
        with pytest.raises(UnknownAudience):
            run.write_devices("al", tmp_path / "out.csv", per_user=1)


def test_nothing_of_a_run_stays_on_disk(tmp_path: Path, job: Callable[..., Job]) -> None:
    (tmp_path / "temp").mkdir()
    engine = DuckDBEngine(put(tmp_path, {}), temp_dir=tmp_path / "temp")
    with engine.run(job("SELECT 'all' AS audience, 'u' AS user_id"), {}, now=NOW) as run:
        run.write_audience("all", tmp_path / "out.csv")
    assert list((tmp_path / "temp").iterdir()) == []


@pytest.mark.long
def test_a_result_larger_than_memory_spills(tmp_path: Path, job: Callable[..., Job]) -> None:
    wide = " || ".join(["md5(n)"] * 8)
    sql = f"""SELECT 'all' AS audience, md5(n) AS user_id, {wide} AS x
             FROM (SELECT CAST(i AS TEXT) AS n FROM generate_series(1, 300000) AS t(i))"""
    with DuckDBEngine(put(tmp_path, {}), memory_limit_mib=100).run(job(sql, x="text"), {}, now=NOW) as run:
        assert run.write_audience("all", tmp_path / "out.csv") == 300000


def test_a_result_larger_than_the_room_to_spill_is_a_problem_of_the_machine(
    tmp_path: Path, job: Callable[..., Job]
) -> None:
    wide = " || ".join(["md5(n)"] * 8)
    sql = f"""SELECT 'all' AS audience, md5(n) AS user_id, {wide} AS x
             FROM (SELECT CAST(i AS TEXT) AS n FROM generate_series(1, 600000) AS t(i))"""
    engine = DuckDBEngine(put(tmp_path, {}), memory_limit_mib=100, most_spill_mib=8)
    with (
        pytest.raises(Unavailable, match="failed to offload"),
        engine.run(job(sql, x="text"), {}, now=NOW) as run,
    ):
        run.write_audience("all", tmp_path / "out.csv")


def test_users_get_their_newest_devices(tmp_path: Path, job: Callable[..., Job]) -> None:
    devices = [
        token(ANN, "old", 9),
        token(ANN.upper(), "new", 1),
        token(ANN, "older", 10),
        token(ANN, "undated", None),
    ]
    put(tmp_path, {"devices": [*devices, token("stranger", "other", 1)]})
    expected = ["new", "old", "older", "undated"]
    with DuckDBEngine(tmp_path).run(job(f"SELECT 'all' AS audience, '{ANN}' AS user_id"), {}, now=NOW) as run:
        for per_user in (1, 2, 9):
            count = run.write_devices("all", tmp_path / "out.csv", per_user=per_user)
            rows = rows_of(tmp_path / "out.csv")
            assert [(row["user_id"], row["token"], row["platform"]) for row in rows] == [
                (ANN, token, "ios") for token in expected[:per_user]
            ]
            assert count == len(rows)


def test_a_device_that_is_registered_twice_is_written_once(tmp_path: Path) -> None:
    put(tmp_path, {"devices": [token("u", "same", 2, "ios"), token("u", "same", 1, "android"), token("u", "b", 3)]})
    assert DuckDBEngine(tmp_path).write_devices_of(["u"], tmp_path / "out.csv", per_user=2) == 2
    assert [(row["token"], row["platform"]) for row in rows_of(tmp_path / "out.csv")] == [
        ("same", "android"),
        ("b", "ios"),
    ]


def test_devices_of_the_same_minute_come_in_the_order_of_their_tokens(tmp_path: Path) -> None:
    put(tmp_path, {"devices": [token("u", name, 1) for name in "cab"]})
    DuckDBEngine(tmp_path).write_devices_of(["u"], tmp_path / "out.csv", per_user=2)
    assert [row["token"] for row in rows_of(tmp_path / "out.csv")] == ["a", "b"]


@pytest.mark.parametrize("blank", [None, "", "  ", "\u00a0"])
def test_blank_tokens_are_no_devices(tmp_path: Path, blank: str | None) -> None:
    put(tmp_path, {"devices": [token("u", blank, 1), token("u", "real", 2)]})
    assert DuckDBEngine(tmp_path).write_devices_of(["u"], tmp_path / "out.csv", per_user=1) == 1
    assert rows_of(tmp_path / "out.csv")[0]["token"] == "real"


def test_a_user_who_is_in_the_audience_twice_gets_devices_once(tmp_path: Path, job: Callable[..., Job]) -> None:
    put(tmp_path, {"devices": [token("u", "t", 1)]})
    twice = job("SELECT 'all' AS audience, 'u' AS user_id FROM generate_series(1, 2)")
    with DuckDBEngine(tmp_path).run(twice, {}, now=NOW) as run:
        assert run.write_devices("all", tmp_path / "out.csv", per_user=5) == 1


def test_given_users_match_in_any_case_and_keep_their_spelling(tmp_path: Path) -> None:
    put(tmp_path, {"devices": [token(ANN, "t", 1), token("bo", "x", 1)]})
    given = [ANN.upper(), "BO", "x') OR true --", "bo", "bo"]
    assert DuckDBEngine(tmp_path).write_devices_of(given, tmp_path / "out.csv", per_user=1) == 2
    expected = sorted([ANN.upper(), "bo"], key=lambda user_id: md5(user_id.encode()).digest())
    assert [row["user_id"] for row in rows_of(tmp_path / "out.csv")] == expected


def test_no_users_have_no_devices(tmp_path: Path) -> None:
    put(tmp_path, {"devices": [token("u", "t", 1)]})
    assert DuckDBEngine(tmp_path).write_devices_of([], tmp_path / "out.csv", per_user=1) == 0
    assert (tmp_path / "out.csv").read_text() == "user_id,token,platform,updated_at,fid,locale\n"


def test_devices_are_missed_only_where_they_are_asked_for(tmp_path: Path, job: Callable[..., Job]) -> None:
    (put(tmp_path, {}) / "devices.csv").unlink()
    engine = DuckDBEngine(tmp_path)
    with engine.run(job("SELECT 'all' AS audience, 'u' AS user_id"), {}, now=NOW) as run:
        assert run.write_audience("all", tmp_path / "out.csv") == 1
        with pytest.raises(MissingTable, match=r"'devices' is missing: add devices\.csv"):
            run.write_devices("all", tmp_path / "out.csv", per_user=1)
    (tmp_path / "devices.csv").write_text("user_id,token,platform\n")
    with pytest.raises(MissingColumn, match="lacks the column 'updated_at'; it has user_id, token, platform"):
        engine.write_devices_of(["u"], tmp_path / "out.csv", per_user=1)


def test_a_job_that_takes_too_long_is_stopped(tmp_path: Path, job: Callable[..., Job]) -> None:
    endless = job(
        """SELECT 'all' AS audience, CAST(max(md5(CAST(a.i * b.i AS TEXT))) AS TEXT) AS user_id
           FROM generate_series(1, 1000000) AS a(i), generate_series(1, 1000000) AS b(i)"""
    )
    data = put(tmp_path, {})
    short = DuckDBEngine(data, timeout_seconds=0.2)
    for engine in (short, short.within(60), DuckDBEngine(data).within(0.2)):
        with pytest.raises(TooSlow, match=r"sample was stopped after 0\.2 s: make its SQL read less"):
            engine.run(endless, {}, now=NOW).__enter__()


def test_all_statements_together_are_stopped(
    tmp_path: Path, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    one_user, engine = job("SELECT 'all' AS audience, 'u' AS user_id"), DuckDBEngine(put(tmp_path, {})).within(2)
    with engine.run(one_user, {}, now=NOW) as run:
        later = time.monotonic() + 2
        monkeypatch.setattr(time_limit, "monotonic", lambda: later)
        with pytest.raises(TooSlow, match="sample was stopped after 2 s"):
            run.write_audience("all", tmp_path / "audience.csv")


@pytest.mark.parametrize(("hours", "complaint"), [(30.01, "more than 30 hours ago"), (30, None), (None, None)])
def test_data_that_are_too_old_build_no_audience(
    tmp_path: Path, job: Callable[..., Job], hours: float | None, complaint: str | None
) -> None:
    seen = [] if hours is None else [{"user_id": "u", "last_active": hours_ago(h)} for h in (hours, 90)]
    put(tmp_path, {"user_activities": seen})
    fresh = Freshness(table="user_activities", column="last_active", hours=30)
    one_user = replace(job("SELECT 'all' AS audience, 'u' AS user_id"), freshness=fresh)
    expected = pytest.raises(StaleData, match=complaint) if complaint else nullcontext()
    with expected, DuckDBEngine(tmp_path).run(one_user, {}, now=NOW) as run:
        assert run.write_audience("all", tmp_path / "out.csv") == 1
