"""Jobs that fail: the execution ends in words, in its state, and nothing is sent that should not be."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from audience_jobs.contract import Check
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.errors import Unavailable
from audience_jobs.workspace import marketplace
from functions.domain.execution.execution import State
from tests.factories import push, recipe, user
from tests.functional.conftest import SEND_AT, Lab

pytestmark = pytest.mark.slow

MakeLab = Callable[..., Lab]
EVERYBODY = "FROM users WHERE deleted_at = 0"
ENDLESS = "generate_series(1, 1000000) AS a(i), generate_series(1, 1000000) AS b(i)"


def run(lab: Lab, **changes: Any) -> None:
    """Save a recipe whose job is then another than it was, and let everything happen."""
    lab.save(recipe(pushSequence=[push(1)]))
    lab.job = replace(lab.job, **changes)
    lab.run_to_the_end()


def a_job(columns: str) -> str:
    return f"SELECT 'a' AS audience, {columns} {EVERYBODY}"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sql": a_job("id AS user_id, CAST(first_name AS INTEGER) AS name, bio AS shoe")}, "its SQL fails"),
        ({"sql": a_job("id AS user_id, nonsense AS name, bio AS shoe")}, "its SQL is wrong"),
        ({"sql": a_job("id AS user_id, first_name AS name")}, "its SQL yields no column shoe, which it declares"),
        ({"sql": a_job("first_name AS name, bio AS shoe")}, "its SQL yields no column user_id"),
        ({"sql": "DROP TABLE users"}, "its SQL is not a SELECT but DROP"),
        (
            {"checks": (Check(name="some", failing_sql="SELECT count(*) FROM job_rows", meaning="there are users"),)},
            "there are users (check 'some': 9). No audience was written.",
        ),
    ],
    ids=["throws", "does not bind", "lacks a column", "lacks user_id", "writes", "checks itself"],
)
def test_a_job_that_fails_ends_the_execution_with_its_message(
    make_lab: MakeLab, changes: dict[str, Any], told: str
) -> None:
    lab = make_lab()
    run(lab, **changes)
    [violation] = lab.report()["violations"]
    assert (lab.report()["status"], violation["type"]) == ("failed", "audience_failed")
    assert "everybody" in violation["message"]
    assert told in violation["message"]
    assert lab.outbox() == []
    assert lab.execution().cleaned


def test_a_job_that_hangs_is_stopped_after_its_time(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.ports = replace(lab.ports, engine=DuckDBEngine(lab.data, marketplace(), timeout_seconds=0.3))
    endless = (
        f"SELECT 'a' AS audience, max(md5(CAST(a.i + b.i AS TEXT))) AS user_id, '' AS name, '' AS shoe FROM {ENDLESS}"
    )
    run(lab, sql=endless)
    [violation] = lab.report()["violations"]
    assert (lab.report()["status"], violation["type"]) == ("failed", "audience_failed")
    assert (
        "everybody was stopped after 0.3 s: make its SQL read less, or raise USER_DATA_TIMEOUT_SECONDS"
        in (violation["message"])
    )
    assert lab.outbox() == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ((Unavailable, "the user database: connection refused"), "failed: the user database: connection refused"),
        ((OSError, "No space left on device"), "No space left on device"),
        ((RuntimeError, "ann@example.com"), "failed: RuntimeError; the function's logs say more"),
    ],
    ids=["no database", "no disk", "a surprise, whose text may hold data"],
)
def test_an_engine_that_breaks_each_time_leaves_no_execution_open(
    make_lab: MakeLab, trouble: tuple[type[Exception], str], told: str
) -> None:
    class Broken:
        @contextmanager
        def run(self, *_: Any, **__: Any) -> Iterator[None]:
            kind, text = trouble
            raise kind(text)
            yield

    lab = make_lab()
    lab.ports = replace(lab.ports, engine=Broken())  # type: ignore[arg-type]
    run(lab)
    assert (lab.report()["status"], lab.violations()) == ("expired", ["audience_failed", "too_late"])
    assert told in lab.report()["violations"][0]["message"]
    assert "ann@example.com" not in str(lab.report())
    assert lab.outbox() == []


def test_a_job_that_breaks_once_and_then_fails_sends_two_alerts(make_lab: MakeLab) -> None:
    class BreaksOnce:
        def __init__(self, engine: DuckDBEngine) -> None:
            self._engine, self._broken = engine, False

        def run(self, *given: Any, **named: Any) -> Any:
            if self._broken:
                return self._engine.run(*given, **named)
            self._broken = True
            raise MemoryError("out of memory")

    lab = make_lab()
    lab.ports = replace(lab.ports, engine=BreaksOnce(DuckDBEngine(lab.data, marketplace())))  # type: ignore[arg-type]
    run(lab, sql=a_job("id AS user_id, nonsense AS name, bio AS shoe"))
    told = [(violation["severity"], violation["message"]) for violation in lab.report()["violations"]]
    assert lab.report()["status"] == "failed"
    assert [severity for severity, _ in told] == ["warning", "critical"]
    assert "out of memory" in told[0][1]
    assert "its SQL is wrong" in told[1][1]
    assert lab.outbox() == []


def test_rows_without_or_with_the_same_user_are_left_out_and_counted(make_lab: MakeLab) -> None:
    lab = make_lab()
    rows = [(user(1), "Shoe", "Ann", "a"), (user(1), "Boot", "Ann", "a"), (user(2), "Shoe", "Bo", "a")]
    lab.write_rows([*rows, ("", "Shoe", "Nameless", "a"), ("", "Shoe", "Nameless", "a")])
    run(lab)
    [entry] = lab.report()["pushes"]
    assert (lab.report()["status"], entry["sent"]) == ("completed", 2)
    assert entry["excluded"] == {"invalid_user_id": 2, "duplicate_user_id": 1}
    assert sorted(message["userId"] for message in lab.outbox(test=False)) == [user(1), user(2)]
    lab.assert_contract()


def test_a_job_that_finds_no_user_warns_and_sends_nothing(make_lab: MakeLab) -> None:
    lab = make_lab()
    run(lab, sql=f"{lab.job.sql.replace('LIMIT', 'OFFSET 100 LIMIT')}")
    assert (lab.report()["status"], lab.violations()) == ("completed", ["audience_empty"])
    assert lab.outbox() == []


def test_a_result_beyond_all_bounds_is_blocked_before_any_file_of_it_is_stored(make_lab: MakeLab) -> None:
    lab = make_lab()
    ids = "'10000000-0000-4000-8000-' || substring(CAST(1000000000000 + g.i AS TEXT) FROM 2)"
    sql = (
        f"SELECT 'a' AS audience, {ids} AS user_id, 'x' AS name, 'x' AS shoe FROM generate_series(1, 100001) AS g(i)"
    )
    run(lab, sql=sql)
    assert (lab.report()["status"], lab.violations()) == (
        "blocked",
        ["audience_too_large", "total_audience_too_large"],
    )
    assert "push 1 (a) holds 100,001 users; the limit is 10,000" in lab.report()["reason"]
    assert lab.outbox() == []
    assert not (lab.state / "audiences" / lab.id).exists()
    assert lab.execution().cleaned


def test_a_data_folder_that_is_back_before_the_send_leaves_nothing_undone(lab: Lab) -> None:
    elsewhere = lab.data.rename(lab.folder / "elsewhere")
    lab.run_to(SEND_AT - timedelta(minutes=28))
    assert (lab.execution().state, lab.violations()) == (State.LAUNCHED, ["audience_failed"])
    elsewhere.rename(lab.data)
    lab.run_to_the_end()
    assert (lab.execution().state, len(lab.outbox(test=False))) == (State.COMPLETED, 9)
