"""One audience job at a time in a process: the others wait, and are refused if that takes too long."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

import pytest

from audience_jobs.contract import Audience, Column, Engine, Job, JobRun
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.engines.one_at_a_time import OneAtATime, Turn
from audience_jobs.errors import Busy, TooSlow, Unavailable
from audience_jobs.workspace import marketplace
from tests.audience_jobs.worlds import NOW

JOB = Job(
    id="sample",
    title="",
    layer=1,
    parameters=(),
    audiences=(Audience(name="all", columns=(Column(name="user_id", type="text", meaning=""),), meaning=""),),
    sql="SELECT 'all' AS audience, 'u' AS user_id",
)


class _Counting:
    """An engine that counts the jobs that run at once, and notes the time that each may take."""

    def __init__(self) -> None:
        self.running = self.most = 0
        self.seconds: list[float] = []

    @contextmanager
    def run(self, _job: Job, _arguments: Mapping[str, object], *, now: datetime) -> Iterator[JobRun]:  # noqa: ARG002
        self.running += 1
        self.most = max(self.most, self.running)
        yield None  # type: ignore[misc]
        self.running -= 1

    def write_devices_of(self, *_: object, **__: object) -> int:
        return 7

    def within(self, seconds: float) -> Engine:
        self.seconds.append(seconds)
        return self


def test_a_second_job_waits_for_the_first() -> None:
    engine = _Counting()
    both = OneAtATime(engine, Turn(wait_seconds=60, run_seconds=60))
    began, end = Event(), Event()

    def first() -> None:
        with both.run(JOB, {}, now=NOW):
            began.set()
            end.wait(60)

    def second() -> None:
        with both.within(30).run(JOB, {}, now=NOW):
            pass

    threads = [Thread(target=first), Thread(target=second)]
    threads[0].start()
    assert began.wait(60)
    threads[1].start()
    end.set()
    for thread in threads:
        thread.join(60)
    assert (engine.most, engine.running) == (1, 0)


def test_a_job_that_waits_too_long_is_refused_as_a_problem_that_passes() -> None:
    engine = OneAtATime(_Counting(), Turn(wait_seconds=0, run_seconds=60))
    refused: list[Exception] = []

    def second() -> None:
        try:
            with engine.run(JOB, {}, now=NOW):
                pass
        except Unavailable as error:
            refused.append(error)

    with engine.run(JOB, {}, now=NOW):
        thread = Thread(target=second)
        thread.start()
        thread.join(60)
    assert [type(error) for error in refused] == [Busy]
    with engine.run(JOB, {}, now=NOW):
        pass


def test_a_run_that_fails_ends_its_turn() -> None:
    engine = OneAtATime(_Counting(), Turn(wait_seconds=0, run_seconds=60))
    with pytest.raises(RuntimeError), engine.run(JOB, {}, now=NOW):
        raise RuntimeError
    thread = Thread(target=lambda: engine.write_devices_of([], Path(), per_user=1))
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


def test_what_a_run_asks_for_besides_counts_towards_its_time(tmp_path: Path) -> None:
    counting = _Counting()
    engine = OneAtATime(counting, Turn(wait_seconds=0, run_seconds=60))
    with engine.run(JOB, {}, now=NOW):
        assert engine.write_devices_of(["u"], tmp_path / "devices", per_user=1) == 7
    assert 0 < counting.seconds[1] < counting.seconds[0] <= 60


def test_a_job_without_time_left_is_too_slow(tmp_path: Path) -> None:
    engine = OneAtATime(DuckDBEngine(tmp_path, marketplace()), Turn(wait_seconds=0, run_seconds=0))
    (tmp_path / "users.csv").write_text("id\n1\n")
    with pytest.raises(TooSlow), engine.run(JOB, {}, now=NOW):
        pass
