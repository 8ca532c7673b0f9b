"""The embedded runtime delivers what is due to functions that functions-framework itself has loaded."""

import importlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from functions_framework.exceptions import MissingTargetException

from functions.ports.queue import ScheduledJob, Task
from local.embedded.clock import FastClock, VirtualClock, WaitableClock
from local.embedded.database import Database
from local.embedded.queue import SqliteTaskQueue
from local.embedded.scheduler import SqliteSchedules
from local.runtime.functions import Runtime, load_functions

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LONG = 20.0
"""Seconds of real time after which a test gives up waiting."""

SOURCE = """
import helper_beside_the_source

def answer(request):
    import late_helper_beside_the_source
    return late_helper_beside_the_source.react(helper_beside_the_source.NAME, request)

def crash(request):
    raise RuntimeError("on purpose")
"""
LATE_HELPER = """
react = None
"""


class Harness:
    """A runtime on a clock, whose functions do what `react` says."""

    def __init__(self, database: Database, clock: WaitableClock, apps: Any) -> None:
        self.clock = clock
        self.queue = SqliteTaskQueue(database, clock)
        self.schedules = SqliteSchedules(database, clock)
        self.entered = 0
        self.runtime = Runtime(self.queue, self.schedules, clock, apps, self.around)

    @contextmanager
    def around(self) -> Iterator[None]:
        self.entered += 1
        yield

    def add(self, name: str, after: float = 0, function: str = "answer") -> None:
        at = NOON + timedelta(seconds=after)
        self.queue.add(Task(name=name, function=function, body={"name": name, "größe": "👟"}, at=at))

    @contextmanager
    def serving(self, workers: int = 4) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self.runtime.serve, args=(stop, workers))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(LONG)
            assert not thread.is_alive()


@pytest.fixture
def apps(tmp_path: Path) -> Iterator[Any]:
    source = tmp_path / "throwaway.py"
    source.write_text(SOURCE)
    (tmp_path / "helper_beside_the_source.py").write_text("NAME = 'answer'\n")
    (tmp_path / "late_helper_beside_the_source.py").write_text(LATE_HELPER)
    path = list(sys.path)
    yield load_functions(["answer", "crash"], source)
    sys.path[:] = path
    sys.modules.pop("helper_beside_the_source", None)
    sys.modules.pop("late_helper_beside_the_source", None)


@pytest.fixture
def react(apps: Any) -> Callable[[Callable[[Any], Any]], None]:  # noqa: ARG001 - the source must be loaded first
    """Says what the function `answer` does with a request; None answers ok."""

    def use(reaction: Callable[[Any], Any]) -> None:
        late: Any = importlib.import_module("late_helper_beside_the_source")
        late.react = lambda _, request: reaction(request) or "ok"

    return use


@pytest.fixture
def harness(apps: Any, tmp_path: Path) -> Iterator[Callable[[WaitableClock], Harness]]:
    with closing(Database(tmp_path / "tminus.db")) as database:
        yield lambda clock: Harness(database, clock, apps)


@pytest.fixture
def still(harness: Any) -> Harness:
    made: Harness = harness(VirtualClock(NOON))
    return made


def test_headers_and_body_of_a_task_arrive_as_cloud_tasks_sends_them(still: Harness, react: Any) -> None:
    seen = []
    react(lambda request: seen.append((request.method, dict(request.headers), request.get_json())))
    still.add("a")
    still.runtime.run_until(NOON)
    [(method, headers, body)] = seen
    assert (method, body) == ("POST", {"name": "a", "größe": "👟"})
    expected = {
        "Content-Type": "application/json",
        "User-Agent": "Google-Cloud-Tasks",
        "X-Cloudtasks-Queuename": "tminus",
        "X-Cloudtasks-Taskname": "a",
        "X-Cloudtasks-Taskretrycount": "0",
        "X-Cloudtasks-Taskexecutioncount": "0",
        "X-Cloudtasks-Tasketa": f"{int(NOON.timestamp())}.000000",
    }
    assert expected.items() <= headers.items()
    assert still.entered == 1


def test_headers_of_a_fire_arrive_as_cloud_scheduler_sends_them(still: Harness, react: Any) -> None:
    seen: list[dict[str, str]] = []
    react(lambda request: seen.append(dict(request.headers)))
    still.schedules.put(ScheduledJob(name="daily", cron="0 18 * * *", zone="UTC", function="answer", body={}))
    still.runtime.run_until(NOON + timedelta(days=2))
    assert [headers["X-Cloudscheduler-Scheduletime"] for headers in seen] == [
        "2026-11-23T18:00:00Z",
        "2026-11-24T18:00:00Z",
    ]
    assert {headers["X-Cloudscheduler-Jobname"] for headers in seen} == {"daily"}


def test_the_virtual_clock_shows_the_due_time_of_each_call_and_fires_come_before_tasks(
    still: Harness, react: Any
) -> None:
    seen: list[tuple[str, float]] = []

    def note(request: Any) -> str:
        body = request.get_json()
        seen.append((body["name"], (still.clock.now() - NOON).total_seconds()))
        if body["name"] == "a":
            still.add("child", after=90)
        return "ok"

    react(note)
    job = ScheduledJob(name="j", cron="1 12 * * *", zone="UTC", function="answer", body={"name": "fire"})
    still.schedules.put(job)
    for name, after in (("c", 120), ("b", 60), ("a", 30), ("later", 121)):
        still.add(name, after=after)
    still.runtime.run_until(NOON + timedelta(seconds=120))
    assert seen == [("a", 30), ("fire", 60), ("b", 60), ("child", 90), ("c", 120)]
    assert still.clock.now() == NOON + timedelta(seconds=120)


def test_run_until_may_leave_what_is_due_at_the_very_instant_and_the_scheduler_alone(
    still: Harness, react: Any
) -> None:
    seen: list[str] = []
    react(lambda request: seen.append(request.get_json()["name"]))
    job = ScheduledJob(name="j", cron="* * * * *", zone="UTC", function="answer", body={"name": "fire"})
    still.schedules.put(job)
    still.add("before", after=59.999999)
    still.add("at", after=60)
    still.runtime.run_until(NOON + timedelta(seconds=60), inclusive=False)
    assert seen == ["before"]
    assert still.clock.now() == NOON + timedelta(seconds=60)
    still.runtime.run_until(NOON + timedelta(seconds=60), scheduler=False)
    assert seen == ["before", "at"]
    still.runtime.run_until(NOON + timedelta(seconds=60))
    assert seen == ["before", "at", "fire"]


def test_a_task_answered_503_is_retried_after_its_backoff_and_retry_after_is_respected(
    still: Harness, react: Any
) -> None:
    seen: list[tuple[float, str | None]] = []
    answers: Iterator[Any] = iter([("later", 503), ("later", 429, {"Retry-After": "30"}), "ok"])

    def note(request: Any) -> Any:
        elapsed = (still.clock.now() - NOON).total_seconds()
        seen.append((elapsed, request.headers.get("X-CloudTasks-TaskPreviousResponse")))
        return next(answers)

    react(note)
    still.add("a")
    still.runtime.drain()
    assert seen == [(0, None), (1, "503"), (31, "429")]
    assert still.queue.pending() == []


def test_an_exception_is_a_500_and_the_task_is_retried(still: Harness, react: Any) -> None:
    assert still.runtime.call("crash", {}, {}).status == 500
    assert still.runtime.call("missing", {}, {}).status == 404
    still.add("a", function="crash")
    still.runtime.run_until(NOON + timedelta(seconds=3))
    assert [attempts for _, attempts in still.queue.pending()] == [3]
    react(lambda _: ("größe", 201, {"X-Own": "yes"}))
    response = still.runtime.call("answer", {}, {})
    assert (response.status, response.text, response.headers["X-Own"]) == (201, "größe", "yes")


def test_a_context_that_cannot_be_entered_is_a_500(still: Harness, apps: Any) -> None:
    @contextmanager
    def broken() -> Iterator[None]:
        raise LookupError("no ports")
        yield

    runtime = Runtime(still.queue, still.schedules, still.clock, apps, broken)
    assert runtime.call("answer", {}, {}).status == 500


def test_drain_ends_at_its_condition_and_leaves_fires_alone(still: Harness, react: Any) -> None:
    react(lambda _: "ok")
    still.schedules.put(ScheduledJob(name="j", cron="* * * * *", zone="UTC", function="crash", body={}))
    for name in "abc":
        still.add(name, after=3_600)
    still.runtime.drain(until=lambda: len(still.queue.pending()) == 1)
    assert len(still.queue.pending()) == 1
    still.runtime.drain()
    assert still.queue.pending() == []
    assert still.clock.now() == NOON + timedelta(hours=1)


def test_drain_waits_for_a_fast_clock(harness: Any, react: Any) -> None:
    react(lambda _: "ok")
    fast = harness(FastClock(3_600.0, NOON))
    fast.add("a", after=600)
    fast.runtime.drain()
    assert fast.queue.pending() == []
    assert fast.clock.now() >= NOON + timedelta(minutes=10)


def test_run_until_refuses_a_clock_that_runs_by_itself(harness: Any) -> None:
    with pytest.raises(TypeError, match="FastClock"):
        harness(FastClock(60.0, NOON)).runtime.run_until(NOON)


def test_serve_refuses_a_clock_that_stands_still(still: Harness) -> None:
    with pytest.raises(TypeError, match="VirtualClock"):
        still.runtime.serve(threading.Event())


def test_serve_delivers_concurrently_and_in_the_fast_clock_s_time(harness: Any, react: Any) -> None:
    fast = harness(FastClock(600.0, NOON))
    meeting = threading.Barrier(4)
    seen: SimpleQueue[tuple[str, datetime]] = SimpleQueue()

    def meet(request: Any) -> str:
        name = request.get_json()["name"]
        if name != "last":
            meeting.wait(LONG)
        seen.put((name, fast.clock.now()))
        return "ok"

    react(meet)
    for name in "abcd":
        fast.add(name)
    fast.add("last", after=300)
    with fast.serving(workers=4):
        got = dict(seen.get(timeout=LONG) for _ in range(5))
    assert set(got) == {"a", "b", "c", "d", "last"}
    assert got["last"] >= NOON + timedelta(seconds=300)
    assert fast.queue.pending() == []


def test_serve_notices_what_another_thread_adds_and_fires_schedules(harness: Any, react: Any) -> None:
    seen: SimpleQueue[str] = SimpleQueue()
    react(lambda request: seen.put(request.get_json()["name"]))
    fast = harness(FastClock(600.0, NOON))
    with fast.serving():
        fast.add("added")
        assert seen.get(timeout=LONG) == "added"
        job = ScheduledJob(name="j", cron="* * * * *", zone="UTC", function="answer", body={"name": "fire"})
        fast.schedules.put(job)
        assert [seen.get(timeout=LONG) for _ in range(3)] == ["fire"] * 3


def test_a_call_past_its_deadline_is_a_504_and_retried_while_the_worker_goes_on(harness: Any, react: Any) -> None:
    release, seen = threading.Event(), SimpleQueue[str | None]()

    def hang_once(request: Any) -> str:
        previous = request.headers.get("X-CloudTasks-TaskPreviousResponse")
        seen.put(previous)
        if previous is None:
            release.wait(LONG)
        return "ok"

    react(hang_once)
    fast = harness(FastClock(600.0, NOON))
    fast.add("a")
    with fast.serving(workers=1):
        assert seen.get(timeout=LONG) is None
        assert seen.get(timeout=LONG) == "504"
        fast.add("b")
        assert seen.get(timeout=LONG) is None
        release.set()
    assert [task.name for task, _ in fast.queue.pending() if task.name == "a"] == []


def test_a_stop_waits_for_the_call_under_way_and_starts_no_other(harness: Any, react: Any) -> None:
    entered, release, stop = threading.Event(), threading.Event(), threading.Event()

    def hang(_: Any) -> None:
        entered.set()
        release.wait(LONG)

    react(hang)
    fast = harness(FastClock(1.0, NOON))
    fast.add("a")
    fast.add("b")
    thread = threading.Thread(target=fast.runtime.serve, args=(stop, 1))
    thread.start()
    assert entered.wait(LONG)
    stop.set()
    release.set()
    thread.join(LONG)
    assert not thread.is_alive()
    assert [(task.name, attempts) for task, attempts in fast.queue.pending()] == [("b", 0)]


def test_loading_leaves_the_process_as_it_was(tmp_path: Path) -> None:
    source = tmp_path / "json.py"
    source.write_text("def one(request):\n    return 'one'\n\ndef two(request):\n    return 'two'\n")
    before = (dict(os.environ), sys.modules["json"], sys.stdout, sys.stderr)
    path = list(sys.path)
    assert set(load_functions(["one", "two"], source)) == {"one", "two"}
    assert (dict(os.environ), sys.modules["json"], sys.stdout, sys.stderr) == before
    assert sys.modules["json"] is json
    assert sys.path == [*dict.fromkeys(path), str(tmp_path)]
    sys.path[:] = path


def test_a_function_that_the_source_lacks_is_named(tmp_path: Path) -> None:
    source = tmp_path / "throwaway.py"
    source.write_text("def one(request):\n    return 'one'\n")
    path = list(sys.path)
    with pytest.raises(MissingTargetException, match="two"):
        load_functions(["two"], source)
    sys.path[:] = path
