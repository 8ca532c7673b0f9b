"""A step that comes too early is put off by a task of its own: Cloud Tasks slows a queue down for answers 503."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.errors import NotYet, QuotaExceeded, Transient
from functions.domain.execution.execution import State
from functions.domain.ids import follower_name, task_name
from functions.domain.push.outcomes import Chunk, Envelope, Outcome
from functions.ports import Ports
from functions.ports.queue import Task
from functions.ports.sending import PushSender
from functions.usecases.timeline.postpone import MOST_FOLLOWERS, postpone
from local.embedded.clock import VirtualClock
from local.embedded.response import Response
from local.memory.queue import MemoryTaskQueue
from tests.factories import push, recipe
from tests.functional.conftest import SEND_AT, Lab

MINUTE = timedelta(minutes=1)
MakeLab = Callable[..., Lab]


def tasks(lab: Lab, function: str) -> list[Task]:
    """Return the tasks of a step that are not done."""
    assert lab.system is not None
    return [task for task, _ in lab.system.queue.pending() if task.function == function]


def forget(lab: Lab, task: Task) -> None:
    """Take a task from the queue, as if it had been answered 200."""
    with closing(sqlite3.connect(lab.state / "tminus.db")) as connection, connection:
        connection.execute("DELETE FROM tasks WHERE name = ?", (task.name,))


def deliver(lab: Lab, task: Task) -> Response:
    return lab.runtime.call(task.function, {"X-CloudTasks-TaskName": task.name}, task.body)


@pytest.mark.long
def test_an_early_step_is_followed_by_a_task_for_its_time(lab: Lab) -> None:
    lab.run_to(SEND_AT - 10 * MINUTE)
    [early] = tasks(lab, "checkpoint")
    answers = [deliver(lab, early), deliver(lab, early)]
    assert [(answer.status, "put off" in answer.text) for answer in answers] == [(200, True)] * 2
    forget(lab, early)
    [follower] = tasks(lab, "checkpoint")
    assert (follower.at, follower.body) == (SEND_AT, early.body)
    assert lab.execution().state is State.TESTED
    lab.run_to_the_end()
    assert lab.report()["status"] == "completed"
    lab.assert_contract()


@pytest.mark.slow
def test_an_early_step_whose_follower_cannot_be_enqueued_stays_in_the_queue(lab: Lab) -> None:
    class NoQueue:
        def add(self, _: Task) -> bool:
            raise Transient("Cloud Tasks: 503")

    lab.run_to(SEND_AT - 10 * MINUTE)
    lab.ports = replace(lab.ports, tasks=NoQueue())
    assert lab.deliver("checkpoint").status == 503


@pytest.mark.long
def test_a_crash_between_the_follower_and_the_answer_adds_no_second_one(lab: Lab) -> None:
    lab.run_to(SEND_AT - 10 * MINUTE)
    [early] = tasks(lab, "checkpoint")
    deliver(lab, early)
    lab.restart()
    deliver(lab, early)
    assert len(tasks(lab, "checkpoint")) == 2


def noting_statuses(lab: Lab, function: str = "") -> list[int]:
    """Return a list that gets the status of each answer, of one function or of all."""
    statuses: list[int] = []
    call = lab.runtime.call

    def noted(called: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Response:
        answer = call(called, headers, body)
        if function in ("", called):
            statuses.append(answer.status)
        return answer

    lab.runtime.call = noted  # type: ignore[method-assign, assignment]
    return statuses


@pytest.mark.long
def test_no_step_of_an_ordinary_run_is_answered_503(lab: Lab) -> None:
    statuses = noting_statuses(lab)
    lab.run_to_the_end()
    assert len(statuses) > 10
    assert set(statuses) == {200}


def test_names_of_followers_are_the_same_for_each_delivery_and_differ_from_all_others() -> None:
    task = task_name("welcome-n3_20260302T183000Z", "send_push-1", 0)
    first, number = follower_name(task)
    second, later = follower_name(first)
    assert (first.partition("-")[2], number) == ("welcome-n3_20260302T183000Z-send_push-1-g0-n1", 1)
    assert (second.partition("-")[2], later) == ("welcome-n3_20260302T183000Z-send_push-1-g0-n2", 2)
    assert follower_name(task) == (first, 1)


@pytest.mark.parametrize("ahead_seconds", [1, 20, 60])
def test_a_queue_whose_clock_is_ahead_delivers_an_early_step_only_a_few_times(ahead_seconds: int, lab: Lab) -> None:
    due, ahead = SEND_AT, timedelta(seconds=ahead_seconds)
    clock = VirtualClock(due - ahead)
    queue = MemoryTaskQueue(clock)
    ports: Ports = replace(lab.ports, clock=clock, tasks=queue)
    task, deliveries = Task(name="abc-step-g0", function="checkpoint", body={}, at=due), 1
    while clock.now() < due:
        follower = postpone(ports, task, NotYet("the step", due))
        assert follower is not None
        task, deliveries = follower, deliveries + 1
        clock.advance_to(max(clock.now(), follower.at - ahead))
    assert deliveries <= 25
    assert clock.now() <= due + timedelta(seconds=64)


def test_too_many_followers_leave_the_step_to_reconcile(lab: Lab) -> None:
    task = Task(name=f"abc-step-g0-n{MOST_FOLLOWERS}", function="checkpoint", body={}, at=SEND_AT)
    assert postpone(lab.ports, task, NotYet("the step", SEND_AT)) is None


class _Busy(PushSender):
    """Refuses the first messages of the tests or of the pushes."""

    def __init__(self, *, test: bool) -> None:
        self._test, self._refused = test, False

    def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        for chunk in chunks:
            if envelope.test is self._test and not self._refused:
                self._refused = True
                yield chunk.number, [Outcome.NOT_SENT] * len(chunk.messages)
                raise QuotaExceeded(40)
            yield chunk.number, [Outcome.SENT] * len(chunk.messages)


def statuses_of(make_lab: MakeLab, function: str, *, test: bool) -> list[int]:
    lab = make_lab(wrap=lambda ports: replace(ports, sender=_Busy(test=test)))
    lab.save(recipe(pushSequence=[push(1)]))
    statuses = noting_statuses(lab, function)
    lab.run_to_the_end()
    assert lab.report()["status"] == "completed"
    assert lab.report()["totals"]["sent"] == 4
    return statuses


@pytest.mark.long
def test_the_quota_of_fcm_slows_the_queue_of_shards_and_not_that_of_steps(make_lab: MakeLab) -> None:
    assert statuses_of(make_lab, "send_shard", test=False) == [429, 200]
    assert statuses_of(make_lab, "send_test", test=True) == [200, 200]


@pytest.mark.slow
def test_a_shard_that_another_worker_sends_is_put_off_until_the_lease_ends(lab: Lab) -> None:
    lab.run_to(SEND_AT)
    [shard] = [shard for shard in lab.ports.shards.of(lab.id) if not shard.test and shard.push == 1]
    until = lab.clock.now() + timedelta(seconds=45)
    lab.ports.shards.settle(replace(shard, done=False, lease_until=until))
    answer = lab.deliver("send_shard", push=1, shard=shard.number)
    assert (answer.status, "put off" in answer.text) == (200, True)
    assert [task.at for task in tasks(lab, "send_shard")] == [until]
