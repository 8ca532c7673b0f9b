"""The dispatcher outlives trouble with its queue, and health knows when it last worked."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from functions.domain.errors import Silent, StoreUnavailable
from functions.ports.queue import Task
from local.embedded.agenda import Agenda, Work
from local.embedded.clock import RealClock, VirtualClock
from local.embedded.delivery import Delivery
from local.embedded.dispatcher import Dispatcher
from local.embedded.fire import Fire
from local.embedded.heartbeat import Heartbeat
from local.embedded.response import Response

PATIENCE_SECONDS = 20.0
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class TroubledQueue:
    """Two tasks in a store whose first uses fail: so many looks, so many settlements."""

    def __init__(self, *, looks: int = 0, settlements: int = 0) -> None:
        self.looks, self.settlements = looks, settlements
        self.waiting = ["a", "b"]
        self.settled: list[tuple[str, int]] = []
        self.done = threading.Event()

    def next_at(self) -> datetime | None:
        self.looks -= 1
        if self.looks >= 0:
            raise StoreUnavailable("the disk is full")
        return NOON if self.waiting else None

    def take(self, now: datetime) -> Delivery | None:
        if not self.waiting:
            return None
        task = Task(name=self.waiting.pop(0), function="step", body={}, at=NOON)
        deadline = now + timedelta(minutes=10)
        return Delivery(task=task, attempt=1, responses=0, previous_response=None, eta=NOON, deadline=deadline)

    def settle(self, delivery: Delivery, status: int, retry_after: float | None = None) -> None:  # noqa: ARG002
        self.settlements -= 1
        if self.settlements >= 0:
            raise StoreUnavailable("the disk is full")
        self.settled.append((delivery.task.name, status))
        if len(self.settled) == 2:
            self.done.set()


class NoFires:
    """A scheduler without jobs."""

    def next_at(self) -> datetime | None:
        return None

    def take(self, now: datetime) -> Fire | None:
        raise AssertionError(f"nothing is due at {now}")

    def settle(self, fire: Fire, status: int) -> None:
        raise AssertionError(f"{fire} was not handed out, and is answered {status}")


def ok(work: Work) -> Response:  # noqa: ARG001 - whatever it is
    return Response(status=200)


@contextmanager
def dispatching(
    queue: TroubledQueue, call: Callable[[Work], Response] = ok, worked: Callable[[], None] = lambda: None
) -> Iterator[None]:
    stop = threading.Event()
    dispatcher = Dispatcher(Agenda(queue, NoFires()), RealClock(), call, workers=1, worked=worked)
    thread = threading.Thread(target=dispatcher.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


@pytest.mark.parametrize("trouble", ["looks", "settlements"])
def test_a_store_that_fails_for_a_while_delays_tasks_and_loses_no_answer(
    trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    queue, beats = TroubledQueue(**{trouble: 2}), threading.Event()
    with caplog.at_level("WARNING", logger="tminus"), dispatching(queue, worked=beats.set):
        assert queue.done.wait(PATIENCE_SECONDS)
        assert beats.wait(PATIENCE_SECONDS)
    assert queue.settled == [("a", 200), ("b", 200)]
    assert [record.getMessage() for record in caplog.records] == [
        "nothing is delivered: the disk is full",
        "tasks and schedules are delivered again",
    ]


def test_a_call_that_leaves_the_process_is_answered_500_and_its_worker_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def leave(work: Work) -> Response:
        raise SystemExit(f"{work.function} wants to end the process")

    queue = TroubledQueue()
    with caplog.at_level("ERROR", logger="tminus"), dispatching(queue, leave):
        assert queue.done.wait(PATIENCE_SECONDS)
    assert queue.settled == [("a", 500), ("b", 500)]


def test_a_heartbeat_that_stops_is_noticed_and_says_when_it_last_was() -> None:
    machine = VirtualClock(NOON)
    heartbeat = Heartbeat(VirtualClock(NOON - timedelta(days=1)), machine)
    machine.advance_to(NOON + timedelta(hours=1))
    heartbeat.check()  # nothing has started to beat
    heartbeat.beat()
    machine.advance_to(NOON + timedelta(hours=1, seconds=10))
    heartbeat.check()
    machine.advance_to(NOON + timedelta(hours=1, seconds=16))
    with pytest.raises(Silent, match="2026-11-22T12:00:00Z"):
        heartbeat.check()
    assert heartbeat.last_worked() == NOON - timedelta(days=1)
