"""What earlier releases have stored runs on: executions in every phase end with the same numbers, and no push twice.

`states/` holds an evening of each release, on SQLite and in Firestore: see `scenario.py`.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from functions.domain.execution.execution import State
from functions.ports.executions import ExecutionSearch
from tests.functional.api.documented import ApiClient
from tests.functional.console.visitor import Visitor
from tests.functional.upgrade.firestore_documents import client_of
from tests.functional.upgrade.recorded import STATES, go_on, take_over
from tests.functional.upgrade.scenario import AT, MINUTE, ONE_OFF_KEY, ONE_OFF_USERS, Evening, send_one_off

pytestmark = pytest.mark.slow

RECORDED = sorted(STATES.glob("*.tar.xz"))
STATES_IN_TURN = [
    pytest.param(file, id=file.name, marks=pytest.mark.long if "firestore" in file.name else ()) for file in RECORDED
]
TakeOver = Callable[[Path], tuple[Evening, dict[str, Any]]]


@pytest.fixture
def taken_over(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[TakeOver]:
    """Open a recorded evening in a process of this release."""
    labs: list[Evening] = []

    def opened(file: Path) -> tuple[Evening, dict[str, Any]]:
        client = None
        if "firestore" in file.name:
            request.getfixturevalue("emulators")
            project = f"demo-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:16]}"
            client = client_of(project)
        lab, outcome = take_over(file, tmp_path, client)
        labs.append(lab)
        return lab, outcome

    yield opened
    for lab in labs:
        lab.close()


def test_there_is_an_evening_on_each_store() -> None:
    assert {path.name.split("-")[-1] for path in RECORDED} == {"sqlite.tar.xz", "firestore.tar.xz"}


@pytest.mark.parametrize("file", STATES_IN_TURN)
def test_executions_in_every_phase_end_as_under_the_release_that_began_them(file: Path, taken_over: TakeOver) -> None:
    lab, under_its_release = taken_over(file)
    outcome = go_on(lab)
    assert outcome == under_its_release
    assert {each["cleaned"] for each in outcome["executions"].values()} == {True}
    sent = Counter((m["executionId"], m["push"], m["token"], m["test"]) for m in lab.outbox())
    assert max(sent.values()) == 1
    assert [path for path in (lab.state / "devices").rglob("*") if path.is_file()] == []
    assert list(lab.ports.executions.unfinished()) == []
    assert lab.channels.posted, "the alerts that were waiting"


@pytest.mark.long
@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.name)
def test_a_request_that_comes_again_after_the_upgrade_sends_nothing(file: Path, taken_over: TakeOver) -> None:
    lab, _ = taken_over(file)
    lab.recover()
    before = lab.ports.executions.count(ExecutionSearch())
    again = send_one_off(lab.ports, ONE_OFF_KEY, ONE_OFF_USERS)
    assert (again.state, again.cleaned) == (State.COMPLETED, True)
    assert lab.ports.executions.count(ExecutionSearch()) == before


@pytest.mark.long
def test_executions_in_every_phase_whose_recipe_the_next_release_refuses_end_and_are_cleaned_up(
    taken_over: TakeOver,
) -> None:
    lab, _ = taken_over(next(file for file in RECORDED if "sqlite" in file.name))
    lab.recover()
    found = lab.ports.executions.unfinished()
    assert len(found) > 10
    ended = {execution.id: execution.state for execution in found if execution.state.final}
    sent = len(lab.outbox())
    for execution in found:
        lab.ports.executions.change(execution.id, lambda one: replace(one, recipe={**one.recipe, "schedule": "moon"}))
    _assert_shown(lab, [execution.id for execution in found])
    lab.run_to(AT + 16 * MINUTE)
    for execution in found:
        left = lab.execution(execution.id)
        assert (left.state, left.cleaned) == (ended.get(left.id, State.FAILED), True), left.id
        assert ("unreadable" in lab.violations(left.id)) is (left.id not in ended), left.id
    assert len(lab.outbox()) == sent
    assert list(lab.ports.executions.unfinished()) == []
    assert [path for path in (lab.state / "devices").rglob("*") if path.is_file()] == []
    _assert_shown(lab, [execution.id for execution in found])
    lab.run_to_the_end()
    assert lab.system is not None
    names = {execution.id for execution in found}
    assert [task for task, _ in lab.system.queue.pending() if task.body.get("executionId") in names] == []
    assert len(lab.outbox()) > sent, "recipes go on with their next sends"


def _assert_shown(lab: Evening, executions: Sequence[str]) -> None:
    """Check that every page, list and download survives the executions."""
    visitor = Visitor(lambda: lab.ports)
    api = ApiClient(lambda: lab.ports)
    assert {visitor.open("GET", path).status_code for path in ("/", "/executions")} == {200}
    assert api("GET", "/api/push-logs").status_code == 200
    listed = {each["executionId"] for each in api.data("GET", "/api/automation/monitor?type=executions&limit=100")}
    assert set(executions) <= listed
    for name in executions:
        assert visitor.open("GET", f"/executions/{name}").status_code == 200
        assert lab.report(name)["problem"]
