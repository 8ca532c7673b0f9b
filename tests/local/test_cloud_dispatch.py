"""How the emulator calls functions: with ID tokens, up to a deadline, and on a clock that runs by itself."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.auth import exceptions
from google.auth.transport.requests import Request
from google.oauth2 import id_token

from local.embedded.clock import FastClock, RealClock
from tests.cloud import LOCATION, LONG, NOON, STEPS, Answer, Received, World

CALLER = "steps-caller@demo.iam.gserviceaccount.com"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as entered:
        entered.create_queue()
        yield entered


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[World]:
    """A world in which a minute passes in a tenth of a second."""
    with World(tmp_path, FastClock(600, NOON)) as entered:
        entered.create_queue()
        yield entered


def token_of(received: Received) -> str:
    scheme, _, token = received.headers["Authorization"].partition(" ")
    assert scheme == "Bearer"
    return token


def eta_of(received: Received) -> float:
    return float(received.headers["X-CloudTasks-TaskETA"])


def verify(world: World, token: str, audience: str) -> Any:
    return id_token.verify_token(token, Request(), audience=audience, certs_url=world.cloud.certs_url)


def test_a_task_carries_an_id_token_that_google_s_own_verifier_accepts(world: World) -> None:
    world.create_task("a", http_request={"oidc_token": {"service_account_email": CALLER, "audience": "https://us"}})
    before = RealClock().now()
    world.cloud.run_until(NOON)
    claims = verify(world, token_of(world.function.received[0]), "https://us")
    assert (claims["iss"], claims["email"], claims["email_verified"]) == ("https://accounts.google.com", CALLER, True)
    assert claims["sub"].isdecimal()
    assert claims["exp"] - claims["iat"] == 3600
    assert int(before.timestamp()) <= claims["iat"] <= RealClock().now().timestamp()


def test_the_audience_is_the_url_where_none_is_given(world: World) -> None:
    job_target = {"oidc_token": {"service_account_email": CALLER}}
    world.create_job("every", "* * * * *", http_target=job_target)
    world.create_task("a", http_request={"oidc_token": {"service_account_email": CALLER}})
    world.cloud.run_until(NOON + timedelta(minutes=1))
    for got in world.function.received:
        assert verify(world, token_of(got), world.function.url + got.path)["email"] == CALLER
    assert world.function.paths == ["/a", "/every"]


def test_a_token_for_another_audience_or_of_another_key_is_refused(world: World, tmp_path: Path) -> None:
    world.create_task("a", http_request={"oidc_token": {"service_account_email": CALLER}})
    world.cloud.run_until(NOON)
    token = token_of(world.function.received[0])
    with pytest.raises(exceptions.InvalidValue, match="audience"):
        verify(world, token, "https://elsewhere")
    with World(tmp_path / "other") as other, pytest.raises(exceptions.GoogleAuthError):
        verify(other, token, world.function.url + "/a")


def test_a_token_replaces_an_authorization_of_the_user_and_without_one_that_is_kept(world: World) -> None:
    own = {"headers": {"authorization": "Basic me"}}
    world.create_task("own", http_request=own)
    world.create_task("token", http_request=own | {"oidc_token": {"service_account_email": CALLER}})
    world.create_task("none")
    world.cloud.run_until(NOON)
    kept, replaced, none = world.function.received
    assert kept.headers["authorization"] == "Basic me"
    assert token_of(replaced)
    assert "authorization" not in replaced.headers
    assert "Authorization" not in none.headers


def test_a_redirect_is_no_success_and_is_not_followed(world: World) -> None:
    answers = iter([Answer(status=302, headers={"Location": f"{world.function.url}/elsewhere"}), Answer()])
    world.function.react = lambda _: next(answers)
    world.create_task("a")
    world.cloud.drain()
    assert world.function.paths == ["/a", "/a"]


def test_a_task_is_delivered_as_soon_as_it_is_due_on_the_machine_s_clock(tmp_path: Path) -> None:
    with World(tmp_path, RealClock()) as world:
        world.create_queue()
        at = RealClock().now() + timedelta(milliseconds=50)
        world.create_task("a", at)
        assert world.function.next().at >= at


def test_a_function_that_exceeds_the_deadline_is_hung_up_on_and_called_again(fast: World) -> None:
    answers = iter([Answer(never=True), Answer()])
    fast.function.react = lambda _: next(answers)
    fast.create_task("a", dispatch_deadline=timedelta(seconds=60))
    first, second = fast.function.next(), fast.function.next()
    assert fast.function.hung_up.get(timeout=LONG) == "/a"
    assert eta_of(second) - eta_of(first) >= 59
    assert second.headers["X-CloudTasks-TaskRetryCount"] == "1"
    assert second.headers["X-CloudTasks-TaskExecutionCount"] == "0"


@pytest.mark.long
def test_a_job_whose_target_exceeds_the_deadline_is_retried_with_the_same_schedule_time(fast: World) -> None:
    answers = iter([Answer(never=True), Answer()])
    fast.function.react = lambda _: next(answers)
    retry = {"retry_count": 1, "min_backoff_duration": timedelta(seconds=5)}
    fast.create_job(schedule="*/10 * * * *", attempt_deadline=timedelta(seconds=60), retry_config=retry)
    first, second = fast.function.next(), fast.function.next()
    assert fast.function.hung_up.get(timeout=LONG) == "/daily"
    assert len({got.headers["X-CloudScheduler-ScheduleTime"] for got in (first, second)}) == 1


def test_no_more_tasks_run_at_once_than_the_queue_allows(fast: World) -> None:
    shards = f"{LOCATION}/queues/shards"
    fast.create_queue("shards", rate_limits={"max_concurrent_dispatches": 2})
    pair, counting = threading.Barrier(2, timeout=LONG), threading.Lock()
    running, peak = 0, 0

    def react(_: Received) -> Answer:
        nonlocal running, peak
        with counting:
            running += 1
            peak = max(peak, running)
        pair.wait()
        with counting:
            running -= 1
        return Answer()

    fast.function.react = react
    fast.tasks.pause_queue(name=shards)
    for number in range(8):
        fast.create_task(f"t{number}", queue=shards)
    fast.tasks.resume_queue(name=shards)
    for _ in range(8):
        fast.function.next()
    assert peak == 2


def test_a_task_that_is_run_by_hand_passes_the_limit_of_its_queue(fast: World) -> None:
    queue: Any = {"name": STEPS, "rate_limits": {"max_concurrent_dispatches": 1}}
    fast.tasks.update_queue(queue=queue)
    meeting = threading.Barrier(2, timeout=LONG)

    def react(_: Received) -> Answer:
        meeting.wait()
        return Answer()

    fast.function.react = react
    fast.create_task("first")
    assert fast.function.next().path == "/first"
    fast.create_task("second")
    fast.tasks.run_task(name=f"{STEPS}/tasks/second")
    assert fast.function.next().path == "/second"


def test_virtual_time_is_moved_only_where_time_is_virtual(world: World, tmp_path: Path) -> None:
    with World(tmp_path / "real", RealClock()) as real:
        with pytest.raises(TypeError, match="VirtualClock"):
            real.cloud.run_until(NOON)
        with pytest.raises(TypeError, match="VirtualClock"):
            real.cloud.drain()
    world.cloud.drain()
    assert world.clock.now() == NOON
