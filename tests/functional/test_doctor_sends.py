"""`tminus doctor --send-test`: one test through the API of a running system, and nothing left of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.domain.errors import BadInput
from local.cli.api_client import ApiClient, NotThere
from local.doctor.finding import Finding, State
from local.doctor.send_test import send_test
from local.runtime.served import Served
from local.runtime.serving import http_server
from tests.command import calling
from tests.factories import user
from tests.functional.conftest import _APPS, Lab

pytestmark = pytest.mark.slow


@pytest.fixture
def api(lab: Lab) -> Iterator[ApiClient]:
    with Served(http_server(_APPS(), lab.ports, "127.0.0.1", 0)) as running:
        yield ApiClient(url=running.url)


def tried(lab: Lab, api: ApiClient, user_id: str, *, every: float = 1.0) -> list[Finding]:
    """Send a test while the system runs; `every` is how much of the time that passes the system uses."""

    def wait(seconds: float) -> None:
        lab.run_to(lab.clock.now() + timedelta(seconds=seconds * every))

    return [*send_test(api, "welcome", user_id, progress=lambda _: None, wait=wait)]


def recipes(api: ApiClient) -> list[str]:
    return [each["id"] for each in api.call("GET", "/api/automation/recipes").data]


def test_one_test_user_gets_each_push_once_and_each_step_is_measured(lab: Lab, api: ApiClient) -> None:
    found = tried(lab, api, user(1))
    assert [each.state for each in found] == [State.OK] * 4, found
    assert [each.what.partition(":")[0] for each in found[:3]] == ["audience_generation", "test_sending", "cleanup"]
    assert "started 0 s after it was due, took 0.0 s" in found[0].what
    assert found[3].what.endswith("messages sent")
    messages = lab.outbox()
    assert messages
    assert {(message["userId"], message["test"]) for message in messages} == {(user(1), True)}


@pytest.mark.long
def test_nothing_is_left_of_it(lab: Lab, api: ApiClient) -> None:
    before = lab.ports.recipes.get("welcome")
    tried(lab, api, user(1))
    assert recipes(api) == ["welcome"]
    assert lab.ports.recipes.get("welcome") == before


def test_ctrl_c_cancels_it_and_removes_the_draft(lab: Lab, api: ApiClient) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send_test(api, "welcome", user(1), progress=lambda _: None, wait=interrupted)
    assert recipes(api) == ["welcome"]
    assert [each.state.value for each in lab.ports.executions.unfinished()] == ["cancelled"]
    lab.run_to(lab.clock.now() + timedelta(minutes=30))
    assert lab.outbox() == []


@pytest.mark.long
def test_a_user_without_a_device_is_a_finding(lab: Lab, api: ApiClient) -> None:
    *_, outcome = tried(lab, api, user(99))
    assert outcome.state is State.WRONG
    assert "0 messages sent" in outcome.problem
    assert recipes(api) == ["welcome"]


@pytest.mark.long
def test_a_queue_that_stands_still_is_a_finding(lab: Lab, api: ApiClient) -> None:
    found = tried(lab, api, user(1), every=0.0)
    assert [each.problem for each in found[1:3]] == ["it did not start"] * 2
    assert "tminus-send-test" in found[1].fix
    assert recipes(api) == ["welcome"]


def test_a_recipe_that_does_not_exist(api: ApiClient) -> None:
    with pytest.raises(NotThere, match="there is no recipe 'sale'"):
        send_test(api, "sale", user(1), progress=lambda _: None)


@pytest.mark.long
def test_a_draft_that_stays_is_named(lab: Lab, api: ApiClient) -> None:
    class Leaving(ApiClient):
        def call(self, method, path, **request):  # type: ignore[no-untyped-def]
            if method == "DELETE":
                raise BadInput("the API is gone")
            return super().call(method, path, **request)

    with pytest.raises(
        BadInput, match=r"the draft doctor-\w+ could not be removed \(the API is gone\): tminus recipes"
    ):
        tried(lab, Leaving(**vars(replace(api))), user(1))


def test_it_needs_a_recipe_a_user_and_consent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tminus = calling(monkeypatch, capsys)
    asked = ("doctor", "--project", "p", "--region", "r", "--google-apis", "http://127.0.0.1:9", "--send-test")
    missing = tminus(*asked)
    assert missing.status == 2
    assert "--send-test needs --recipe ID" in missing.err
    unasked = tminus(*asked, "--recipe", "welcome", "--test-user", "1")
    assert unasked.status == 2
    assert "say --yes if you agree" in unasked.err
