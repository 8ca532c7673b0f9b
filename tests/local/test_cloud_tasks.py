"""The emulator's tasks, seen by the real client of Cloud Tasks."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2

from tests.cloud import LOCATION, NOON, STEPS, Answer, World

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as entered:
        entered.create_queue()
        yield entered


def test_a_task_arrives_at_its_time_with_its_body_and_the_headers_of_cloud_tasks(world: World) -> None:
    at = NOON + 5 * MINUTE
    headers = {"Content-Type": "application/json", "X-Mine": "ü".encode().hex(), "User-Agent": "me", "Host": "x"}
    world.create_task("a1b2-step", at, http_request={"headers": headers, "body": b"\xff\x00"})
    world.cloud.run_until(at - timedelta(microseconds=1))
    assert world.function.received == []
    world.cloud.run_until(at)
    [got] = world.function.received
    assert (got.method, got.path, got.body, got.at) == ("POST", "/a1b2-step", b"\xff\x00", at)
    sent = {name.lower(): value for name, value in got.headers.items()}
    assert sent.pop("host") in world.function.url
    assert sent == {
        "accept-encoding": "identity",
        "content-length": "2",
        "content-type": "application/json",
        "x-mine": "c3bc",
        "user-agent": "Google-Cloud-Tasks",
        "x-cloudtasks-queuename": "steps",
        "x-cloudtasks-taskname": "a1b2-step",
        "x-cloudtasks-taskretrycount": "0",
        "x-cloudtasks-taskexecutioncount": "0",
        "x-cloudtasks-tasketa": f"{int(at.timestamp())}.000000",
    }


def test_the_method_and_the_query_are_those_of_the_task(world: World) -> None:
    request = {"url": f"{world.function.url}/path?q=1", "http_method": "GET", "body": b""}
    world.create_task("a", http_request=request)
    world.cloud.run_until(NOON)
    assert [(got.method, got.path) for got in world.function.received] == [("GET", "/path?q=1")]


def test_a_name_is_taken_while_the_task_waits_and_for_a_day_after_it_is_done(world: World) -> None:
    world.create_task("a", NOON + MINUTE)
    with pytest.raises(exceptions.AlreadyExists, match="steps/tasks/a exists"):
        world.create_task("a")
    world.cloud.run_until(NOON + MINUTE)
    with pytest.raises(exceptions.AlreadyExists):
        world.create_task("a")
    world.cloud.run_until(NOON + timedelta(hours=24) + MINUTE)
    world.create_task("a")


def test_a_name_is_taken_for_a_day_after_the_task_is_deleted(world: World) -> None:
    world.create_task("a")
    world.tasks.delete_task(name=f"{STEPS}/tasks/a")
    with pytest.raises(exceptions.AlreadyExists):
        world.create_task("a")
    world.cloud.run_until(NOON + timedelta(hours=24))
    assert world.function.received == []


def test_names_are_taken_per_queue(world: World) -> None:
    world.create_queue("shards")
    world.create_task("a")
    world.create_task("a", queue=f"{LOCATION}/queues/shards")
    world.cloud.drain()
    queues = sorted(got.headers["X-CloudTasks-QueueName"] for got in world.function.received)
    assert queues == ["shards", "steps"]


def test_tasks_without_a_name_get_one_each(world: World) -> None:
    names = {world.create_task().name for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith(f"{STEPS}/tasks/") for name in names)
    assert world.tasks.get_task(name=names.pop()).name.startswith(STEPS)


def test_the_body_is_returned_only_in_the_full_view(world: World) -> None:
    created = world.create_task("a", http_request={"body": b"secret"})
    assert (created.view, created.http_request.body) == (tasks_v2.Task.View.BASIC, b"")
    full = world.tasks.get_task(request={"name": created.name, "response_view": "FULL"})
    assert (full.view, full.http_request.body) == (tasks_v2.Task.View.FULL, b"secret")
    assert full.http_request.url == f"{world.function.url}/a"


def test_a_task_tells_when_it_was_created_and_is_scheduled_and_how_long_an_attempt_may_take(world: World) -> None:
    late = world.create_task("late", NOON - MINUTE)
    soon = world.create_task("soon", NOON + MINUTE, dispatch_deadline=timedelta(seconds=15))
    assert (late.schedule_time, late.create_time) == (NOON, NOON)
    assert late.dispatch_deadline == timedelta(minutes=10)
    assert (soon.schedule_time, soon.dispatch_deadline) == (NOON + MINUTE, timedelta(seconds=15))


def test_a_task_tells_of_its_attempts(world: World) -> None:
    answers = iter([Answer(status=503), Answer(status=429)])
    world.function.react = lambda _: next(answers)
    name = world.create_task("a").name
    world.cloud.run_until(NOON + timedelta(seconds=0.15))
    task = world.tasks.get_task(name=name)
    second = NOON + timedelta(seconds=0.1)
    assert (task.dispatch_count, task.response_count) == (2, 2)
    assert task.first_attempt.dispatch_time == NOON
    last = task.last_attempt
    assert (last.schedule_time, last.dispatch_time, last.response_time) == (second, second, second)
    assert (last.response_status.code, last.response_status.message) == (8, "HTTP status code 429")
    assert task.schedule_time == second + timedelta(seconds=0.2)


def test_an_attempt_without_an_answer_is_no_response(world: World) -> None:
    name = world.create_task("a", http_request={"url": "http://127.0.0.1:1/"}).name
    world.cloud.run_until(NOON)
    task = world.tasks.get_task(name=name)
    assert (task.dispatch_count, task.response_count) == (1, 0)
    assert (task.last_attempt.response_status.code, task.last_attempt.response_status.message) == (14, "no answer")


def test_what_is_done_or_deleted_or_never_was_is_not_found(world: World) -> None:
    world.create_task("done")
    world.cloud.run_until(NOON)
    for call in (world.tasks.get_task, world.tasks.delete_task, world.tasks.run_task):
        with pytest.raises(exceptions.NotFound, match="no longer exists"):
            call(name=f"{STEPS}/tasks/done")
        with pytest.raises(exceptions.NotFound, match="does not exist"):
            call(name=f"{STEPS}/tasks/never")
        with pytest.raises(exceptions.NotFound, match=r"queue .* does not exist"):
            call(name=f"{LOCATION}/queues/none/tasks/a")


def test_tasks_are_listed_page_by_page(world: World) -> None:
    names = [world.create_task(f"t{number}").name for number in range(5)]
    pages = list(world.tasks.list_tasks(request={"parent": STEPS, "page_size": 2}).pages)
    assert [[task.name for task in page.tasks] for page in pages] == [names[:2], names[2:4], names[4:]]
    world.cloud.run_until(NOON)
    assert list(world.tasks.list_tasks(parent=STEPS)) == []


def test_a_task_that_is_run_by_hand_is_dispatched_before_its_time_and_done(world: World) -> None:
    world.create_task("a", NOON + timedelta(days=1))
    assert world.tasks.run_task(name=f"{STEPS}/tasks/a").dispatch_count == 1
    world.cloud.run_until(NOON)
    assert world.function.paths == ["/a"]
    assert list(world.tasks.list_tasks(parent=STEPS)) == []


def test_a_task_that_fails_when_run_by_hand_is_retried_after_the_backoff(world: World) -> None:
    world.function.react = lambda _: Answer(status=500)
    world.tasks.pause_queue(name=STEPS)
    name = world.create_task("a", NOON + timedelta(days=1)).name
    world.tasks.run_task(name=name)
    world.cloud.run_until(NOON + MINUTE)
    assert world.function.paths == ["/a"]
    assert world.tasks.get_task(name=name).schedule_time == NOON + timedelta(seconds=0.1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"schedule_time": NOON + timedelta(days=30, seconds=1)}, "more than 30 days ahead"),
        ({"dispatch_deadline": timedelta(seconds=14)}, "between 15 seconds and 30 minutes"),
        ({"dispatch_deadline": timedelta(minutes=31)}, "between 15 seconds and 30 minutes"),
        ({"name": f"{STEPS}/tasks/sp ace"}, "must have the form"),
        ({"name": f"{STEPS}/tasks/{'x' * 501}"}, "must have the form"),
        ({"name": f"{LOCATION}/queues/shards/tasks/a"}, "is not in"),
        ({"http_request": {"url": "ftp://example.com"}}, "must begin with http"),
        ({"http_request": {"url": "http://example.com", "http_method": "GET", "body": b"x"}}, "has no body"),
        ({"http_request": {"url": "http://example.com", "body": b"x" * 102_400}}, "at most 102,400"),
        (
            {"http_request": {"url": "http://example.com", "oidc_token": {"service_account_email": "me"}}},
            "not the email",
        ),
        ({"app_engine_http_request": {"body": b"x"}, "http_request": None}, "http_request only"),
    ],
)
def test_a_wrong_task_is_an_invalid_argument(world: World, wrong: dict[str, Any], message: str) -> None:
    given = {"http_request": {"url": "http://example.com"}} | wrong
    task: Any = {key: value for key, value in given.items() if value}
    with pytest.raises(exceptions.InvalidArgument, match=message):
        world.tasks.create_task(parent=STEPS, task=task)


def test_a_task_of_just_the_largest_size_is_taken_whole(world: World) -> None:
    body = b"\xff" * 102_000
    world.create_task("a", http_request={"body": body})
    world.cloud.run_until(NOON)
    assert world.function.received[0].body == body


def test_a_task_for_a_queue_that_is_not_there_fails_its_precondition(world: World) -> None:
    with pytest.raises(exceptions.FailedPrecondition, match="create it first"):
        world.create_task("a", queue=f"{LOCATION}/queues/none")
