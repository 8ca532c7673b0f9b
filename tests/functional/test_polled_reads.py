"""What pages and programs ask for every two seconds: cheap while nothing changes, and of one reading when it does."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import Client

from functions import bootstrap
from functions.domain.execution.execution import State
from functions.ports import Ports
from functions.usecases.reports.watch_execution import version_now, watch_execution
from local.runtime.functions import load_functions
from local.runtime.serving import SOURCE
from tests.factories import executions_of
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import Page, Visitor

SECOND = timedelta(seconds=1)
COUNTED = ("executions", "shards", "violations")


class Counting:
    """Counts the calls of some ports by port and method; `before` is called with the name of each."""

    def __init__(self) -> None:
        self.calls = Counter[str]()
        self.before: Callable[[str], None] = lambda _: None

    def wrap(self, ports: Ports) -> Ports:
        """Return ports of which the stores of executions are counted."""
        counted: dict[str, Any] = {port: _Counted(port, getattr(ports, port), self) for port in COUNTED}
        return replace(ports, **counted)


class _Counted:
    def __init__(self, port: str, store: Any, counting: Counting) -> None:
        self._port, self._store, self._counting = port, store, counting

    def __getattr__(self, method: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            name = f"{self._port}.{method}"
            self._counting.calls[name] += 1
            self._counting.before(name)
            return getattr(self._store, method)(*arguments, **named)

        return call


@pytest.fixture
def counting(lab: Lab) -> Counting:
    lab.run_to(SEND_AT - timedelta(minutes=2))
    counting = Counting()
    lab.ports = counting.wrap(lab.ports)
    return counting


@pytest.fixture
def visitor(lab: Lab) -> Visitor:
    return Visitor(lambda: lab.ports)


def polled(page: Page) -> str:
    return next(values["hx-get"] for _, values in page.elements if values.get("hx-trigger") == "every 2s")


@pytest.mark.long
def test_the_overview_reads_no_shards_and_no_manifests_while_nothing_changes(
    counting: Counting, visitor: Visitor
) -> None:
    path = polled(visitor.get("/"))
    counting.calls.clear()
    assert visitor.open("GET", path).status_code == 204
    assert counting.calls == {"executions.unfinished": 1, "shards.progress": 1, "violations.of": 1}


@pytest.mark.long
def test_the_page_of_an_execution_reads_no_shards_and_no_manifests_while_nothing_changes(
    counting: Counting, lab: Lab, visitor: Visitor
) -> None:
    path = polled(visitor.get(f"/executions/{lab.id}"))
    counting.calls.clear()
    assert visitor.open("GET", path).status_code == 204
    assert counting.calls == {"executions.get": 1, "shards.progress": 1, "violations.of": 1}


@pytest.mark.long
def test_the_api_reads_no_shards_and_no_manifests_for_a_client_that_is_up_to_date(
    counting: Counting, lab: Lab
) -> None:
    api = Client(load_functions(("api",), SOURCE)["api"])
    path = f"/api/automation/welcome/executions/{lab.id}"
    with bootstrap.bind(lab.ports):
        etag = api.get(path).headers["ETag"]
        counting.calls.clear()
        assert api.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert counting.calls == {"executions.get": 1, "shards.progress": 1, "violations.of": 1}


@pytest.mark.long
def test_the_api_reads_the_violations_once_for_a_client_with_an_older_version(counting: Counting, lab: Lab) -> None:
    api = Client(load_functions(("api",), SOURCE)["api"])
    with bootstrap.bind(lab.ports):
        answer = api.get(f"/api/automation/welcome/executions/{lab.id}", headers={"If-None-Match": '"older"'})
    assert (answer.status_code, counting.calls["violations.of"]) == (200, 1)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("minutes", [-31, -28, -20, 0, 3, 60])
def test_the_cheap_version_is_that_of_the_whole(minutes: int, lab: Lab) -> None:
    lab.run_to(SEND_AT + timedelta(minutes=minutes))
    for execution in executions_of(lab.ports, "welcome"):
        assert version_now(lab.ports, execution) == watch_execution(lab.ports, execution).version


@pytest.mark.long
def test_an_answer_is_of_one_reading_whatever_happens_while_it_is_made(counting: Counting, lab: Lab) -> None:
    def go_on(name: str) -> None:
        if name == "shards.of":
            counting.before = lambda _: None
            lab.run_to(SEND_AT + timedelta(hours=1))

    counting.before = go_on
    api = Client(load_functions(("api",), SOURCE)["api"])
    with bootstrap.bind(lab.ports):
        response = api.get(path := f"/api/automation/welcome/executions/{lab.id}")
        data = (response.json or {})["data"]
        live = next(phase for phase in data["timeline"] if phase["phase"] == "live_execution")
        assert (data["status"], data["possible"]) == ("tested", ["cancel", "emergency_stop"])
        assert (live["startedAt"], live["endedAt"]) == (None, None)
        newer = api.get(path, headers={"If-None-Match": response.headers["ETag"]})
        assert (newer.status_code, (newer.json or {})["data"]["status"]) == (200, State.COMPLETED)
