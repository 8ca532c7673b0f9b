"""The dispatching side of the embedded queue: it behaves as Cloud Tasks does."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.embedded.clock import VirtualClock
from local.embedded.database import Database
from local.embedded.delivery import Delivery
from local.embedded.queue import SqliteTaskQueue
from local.embedded.retry import RetryPolicy

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Make = Callable[..., Any]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "tminus.db")) as opened:
        yield opened


@pytest.fixture
def open_queue(database: Database, clock: VirtualClock) -> Callable[..., SqliteTaskQueue]:
    return lambda **retry: SqliteTaskQueue(database, clock, RetryPolicy(**retry))


@pytest.fixture
def queue(open_queue: Make) -> SqliteTaskQueue:
    made: SqliteTaskQueue = open_queue()
    return made


@pytest.fixture
def take(queue: SqliteTaskQueue, clock: VirtualClock) -> Callable[[], Delivery]:
    def move_to_the_next_and_take() -> Delivery:
        due = queue.next_at()
        assert due is not None
        clock.advance_to(due)
        delivery = queue.take(clock.now())
        assert delivery is not None
        return delivery

    return move_to_the_next_and_take


def test_tasks_are_taken_in_order_of_time_and_of_adding(queue: Any, a_task: Make, clock: VirtualClock) -> None:
    for name, minutes in (("c", 5), ("b", 1), ("a", 1), ("late", 60)):
        queue.add(a_task(name, at=NOON + timedelta(minutes=minutes)))
    assert queue.take(clock.now()) is None
    assert queue.next_at() == NOON + timedelta(minutes=1)
    clock.advance_to(NOON + timedelta(minutes=10))
    taken = [queue.take(clock.now()).task.name for _ in range(3)]
    assert taken == ["b", "a", "c"]
    assert queue.take(clock.now()) is None


def test_a_delivery_carries_the_task_as_it_was_added(queue: Any, a_task: Make) -> None:
    task = a_task(body={"größe": ["👟", None, 1.5]}, at=NOON - timedelta(microseconds=1))
    queue.add(task)
    delivery = queue.take(NOON)
    assert delivery.task == task
    assert (delivery.function, delivery.body) == (task.function, task.body)
    assert delivery.deadline == NOON + timedelta(minutes=10)


def test_a_name_stays_taken_for_a_day_after_the_task_is_done(
    queue: Any, a_task: Make, take: Make, clock: VirtualClock
) -> None:
    queue.add(a_task("a"))
    queue.settle(take(), 200)
    assert queue.pending() == []
    assert queue.next_at() is None
    clock.advance_to(NOON + timedelta(hours=23, minutes=59))
    assert not queue.add(a_task("a"))
    clock.advance_to(NOON + timedelta(hours=24))
    assert queue.add(a_task("a"))


def test_headers_are_those_of_cloud_tasks(queue: Any, a_task: Make, take: Make) -> None:
    queue.add(a_task("a1b2-x", at=NOON + timedelta(microseconds=42)))
    seconds = int(NOON.timestamp())
    assert take().headers() == {
        "Content-Type": "application/json",
        "User-Agent": "Google-Cloud-Tasks",
        "X-CloudTasks-QueueName": "tminus",
        "X-CloudTasks-TaskName": "a1b2-x",
        "X-CloudTasks-TaskRetryCount": "0",
        "X-CloudTasks-TaskExecutionCount": "0",
        "X-CloudTasks-TaskETA": f"{seconds}.000042",
    }


def test_headers_count_retries_and_answers_other_than_5xx(queue: Any, a_task: Make, take: Make) -> None:
    queue.add(a_task())
    for status in (503, 429, 500):
        queue.settle(take(), status)
    headers = take().headers()
    assert headers["X-CloudTasks-TaskRetryCount"] == "3"
    assert headers["X-CloudTasks-TaskExecutionCount"] == "1"
    assert headers["X-CloudTasks-TaskPreviousResponse"] == "500"
    assert headers["X-CloudTasks-TaskETA"] == f"{int(NOON.timestamp()) + 1 + 2 + 4}.000000"


def test_the_backoff_doubles_from_one_second_to_a_minute(queue: Any, a_task: Make, take: Make) -> None:
    queue.add(a_task())
    waits = []
    for _ in range(9):
        delivery = take()
        queue.settle(delivery, 503)
        waits.append((queue.next_at() - delivery.eta).total_seconds())
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_after_its_doublings_the_backoff_grows_linearly() -> None:
    """The example of Cloud Tasks' own reference: 10 s, 300 s, 3 doublings."""
    policy = RetryPolicy(min_backoff=timedelta(seconds=10), max_backoff=timedelta(seconds=300), max_doublings=3)
    waits = [policy.backoff(attempts).total_seconds() for attempts in range(1, 10)]
    assert waits == [10, 20, 40, 80, 160, 240, 300, 300, 300]


def test_a_longer_retry_after_is_respected_and_a_shorter_one_is_not(queue: Any, a_task: Make, take: Make) -> None:
    queue.add(a_task())
    queue.settle(take(), 429, retry_after=90)
    assert queue.next_at() == NOON + timedelta(seconds=90)
    queue.settle(take(), 429, retry_after=1)
    assert queue.next_at() == NOON + timedelta(seconds=92)


def test_a_task_is_given_up_only_when_both_limits_are_reached(queue: Any, a_task: Make, take: Make) -> None:
    queue.add(a_task())
    deliveries = []
    while queue.pending():
        deliveries.append(take())
        queue.settle(deliveries[-1], 500)
    assert len(deliveries) == 100
    assert deliveries[-1].eta - NOON > timedelta(hours=1)
    assert not queue.add(a_task())


def test_attempts_alone_do_not_give_a_task_up(open_queue: Make, a_task: Make, take: Make) -> None:
    queue = open_queue(max_attempts=3)
    queue.add(a_task())
    last = NOON
    while queue.pending():
        delivery = take()
        last = delivery.eta
        queue.settle(delivery, 500)
    assert last >= NOON + timedelta(hours=1)


def test_a_paused_queue_hands_nothing_out_in_any_process(
    queue: Any, open_queue: Make, a_task: Make, clock: VirtualClock
) -> None:
    queue.add(a_task())
    open_queue().pause()
    queue.pause()
    assert queue.paused
    assert (queue.take(clock.now()), queue.next_at()) == (None, None)
    assert [(task.name, attempts) for task, attempts in queue.pending()] == [("a1b2-step", 0)]
    queue.resume()
    assert not open_queue().paused
    assert queue.take(clock.now())


def test_a_task_whose_lease_ran_out_is_due_again_and_the_late_answer_counts_for_nothing(
    queue: Any, a_task: Make, take: Make, clock: VirtualClock
) -> None:
    queue.add(a_task())
    lost = take()
    assert queue.take(NOON + timedelta(minutes=10) - timedelta(microseconds=1)) is None
    again = take()
    assert (clock.now(), again.attempt) == (NOON + timedelta(minutes=10), 2)
    queue.settle(lost, 200)
    assert queue.pending() == [(a_task(), 2)]
    queue.settle(again, 200)
    queue.settle(again, 503)
    assert queue.pending() == []


def test_a_task_that_kills_every_worker_is_given_up_too(open_queue: Make, a_task: Make, take: Make) -> None:
    queue = open_queue(max_attempts=3)
    queue.add(a_task())
    for _ in range(6):
        take()
    assert queue.take(NOON + timedelta(hours=2)) is None
    assert queue.pending() == []


def test_each_task_is_handed_out_once_to_concurrent_takers(queue: Any, a_task: Make, at_once: Make) -> None:
    for number in range(40):
        queue.add(a_task(f"t{number}"))
    taken = at_once(8, lambda _: [queue.take(NOON).task.name for _ in range(5)])
    assert len({name for names in taken for name in names}) == 40


HOLD_A_DELIVERY = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from local.embedded.clock import VirtualClock
from local.embedded.database import Database
from local.embedded.queue import SqliteTaskQueue
from functions.ports.queue import Task

noon = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
queue = SqliteTaskQueue(Database(Path(sys.argv[1])), VirtualClock(noon))
for name in ("held", "done", "waiting"):
    queue.add(Task(name=name, function="f", body={}, at=noon))
queue.take(noon)
queue.settle(queue.take(noon), 200)
with queue._database.transaction() as connection:
    connection.execute("DELETE FROM tasks")
    sys.stdout.write("holding\\n")
    sys.stdout.flush()
    sys.stdin.read()
"""


def test_after_a_kill_nothing_is_lost_and_the_delivery_is_due_at_once(tmp_path: Path, clock: VirtualClock) -> None:
    path = tmp_path / "killed.db"
    command = [sys.executable, "-c", HOLD_A_DELIVERY, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"holding\n"
        child.send_signal(signal.SIGKILL)
    with closing(Database(path)) as database:
        queue = SqliteTaskQueue(database, clock)
        assert {task.name: attempts for task, attempts in queue.pending()} == {"held": 1, "waiting": 0}
        queue.recover()
        assert queue.next_at() == NOON
        taken = [queue.take(NOON), queue.take(NOON)]
        assert [(delivery.task.name, delivery.attempt) for delivery in taken if delivery] == [
            ("held", 2),
            ("waiting", 1),
        ]
