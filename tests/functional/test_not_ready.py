"""A missing index or permission, which may only not have spread yet: every step waits half an hour for it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions

from audience_jobs.errors import Busy, NotAllowed
from functions.domain.errors import Misconfigured, NotReady
from functions.domain.execution.execution import State
from functions.gcp.trouble import translated
from functions.ports import Ports
from functions.usecases.timeline.postpone import PATIENCE
from tests.factories import push, recipe
from tests.functional.conftest import SEND_AT, START_AT, Lab

MINUTE = timedelta(minutes=1)
MakeLab = Callable[..., Lab]


class _Refusing:
    """A port that refuses one of its calls until an instant."""

    def __init__(
        self,
        ports: Ports,
        name: str,
        method: str,
        until: datetime,
        error: Callable[[], Exception],
        lasting: timedelta,
    ) -> None:
        self._target, self._now = getattr(ports, name), ports.clock.now
        self._method, self._since, self._until, self._error = method, until - lasting, until, error

    def __getattr__(self, method: str) -> Any:
        if method == self._method and self._since <= self._now() < self._until:
            raise self._error()
        return getattr(self._target, method)


def refusing(
    make_lab: MakeLab,
    call: str,
    until: datetime,
    error: Callable[[], Exception] | None = None,
    lasting: timedelta = timedelta(days=9),
    **settings: Any,
) -> Lab:
    """Return a laboratory in which a call of a port is refused until an instant, for so long."""
    name, _, method = call.partition(".")
    given = error or (lambda: NotReady("GOOGLE_CLOUD_PROJECT", "Firestore refuses: the query requires an index"))

    def wrap(ports: Ports) -> Ports:
        port: Any = _Refusing(ports, name, method, until, given, lasting)
        return replace(ports, **{name: port})

    lab = make_lab(wrap=wrap)
    lab.save(recipe(pushSequence=[push(1)], **settings))
    return lab


@pytest.mark.parametrize(
    "error",
    [
        exceptions.FailedPrecondition("The query requires an index."),  # type: ignore[no-untyped-call]
        exceptions.PermissionDenied("Missing or insufficient permissions."),  # type: ignore[no-untyped-call]
        exceptions.Forbidden("tminus-finish does not have storage.objects.list access"),  # type: ignore[no-untyped-call]
    ],
)
def test_a_missing_index_or_permission_may_pass(error: exceptions.GoogleAPICallError) -> None:
    with pytest.raises(NotReady, match="Firestore refuses"), translated("Firestore"):
        raise error


def test_a_missing_database_does_not_pass() -> None:
    with pytest.raises(Misconfigured) as raised, translated("Firestore"):
        raise exceptions.NotFound("The database (default) does not exist")  # type: ignore[no-untyped-call]
    assert type(raised.value) is Misconfigured


@pytest.mark.long
@pytest.mark.parametrize(
    ("call", "since"),
    [("devices.graves", START_AT), ("shards.of", START_AT), ("shards.create", SEND_AT)],
    ids=["while the audiences are built", "at the tests", "when the push is due"],
)
def test_a_step_waits_until_the_index_or_permission_is_there(call: str, since: datetime, make_lab: MakeLab) -> None:
    while_waiting = 12 * MINUTE
    lab = refusing(make_lab, call, since + while_waiting, lasting=while_waiting, settings__maxLatenessMinutes=60)
    lab.run_to_the_end()
    report = lab.report()
    assert (report["status"], report["totals"]["sent"]) == ("completed", 4)
    assert [each["type"] for each in report["violations"] if each["type"] == "step_failed"] == []


@pytest.mark.long
def test_after_half_an_hour_the_step_is_given_up_with_an_alert(make_lab: MakeLab) -> None:
    lab = refusing(make_lab, "devices.graves", SEND_AT + timedelta(days=1), settings__maxLatenessMinutes=60)
    lab.run_to(START_AT + PATIENCE - MINUTE)
    assert lab.violations() == []
    lab.run_to(START_AT + PATIENCE + 2 * MINUTE)
    assert lab.violations() == ["step_failed"]
    assert "the query requires an index" in (lab.state / "alerts.jsonl").read_text()


@pytest.mark.long
def test_a_send_that_waited_for_a_permission_past_its_window_is_not_sent(make_lab: MakeLab) -> None:
    until = SEND_AT + 12 * MINUTE
    lab = refusing(make_lab, "shards.create", until, lasting=12 * MINUTE, settings__maxLatenessMinutes=5)
    lab.run_to_the_end()
    assert lab.outbox(test=False) == []
    assert lab.report()["totals"]["sent"] == 0


def engine_that_fails(make_lab: MakeLab, error: Callable[[], Exception], until: datetime) -> Lab:
    return refusing(make_lab, "engine.run", until, error)


@pytest.mark.slow
def test_an_audience_waits_for_access_to_the_user_data(make_lab: MakeLab) -> None:
    lab = engine_that_fails(make_lab, lambda: NotAllowed("everybody", "access denied"), START_AT + 12 * MINUTE)
    lab.run_to_the_end()
    assert lab.report()["status"] == "completed"


def test_without_access_for_half_an_hour_the_execution_fails(make_lab: MakeLab) -> None:
    never = SEND_AT + timedelta(days=1)
    lab = engine_that_fails(make_lab, lambda: NotAllowed("everybody", "access denied"), never)
    lab.run_to(START_AT + PATIENCE + 2 * MINUTE)
    assert lab.execution().state is State.FAILED
    assert "access denied" in lab.report()["violations"][-1]["message"]


def test_a_build_beside_one_that_nothing_waits_for_is_put_off(make_lab: MakeLab) -> None:
    lab = engine_that_fails(make_lab, lambda: Busy(20), START_AT + 2 * MINUTE)
    lab.run_to_the_end()
    assert lab.report()["status"] == "completed"
    assert lab.violations() == []
