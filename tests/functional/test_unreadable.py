"""An execution that this release cannot read ends, is cleaned up, and breaks no list: as after a rollback."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.errors import Transient
from functions.domain.execution.execution import Execution, State
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.reports.history import user_history
from functions.usecases.reports.overview import overview, push_logs
from functions.usecases.reports.receipt import export
from functions.usecases.reports.watch_execution import watch_execution
from functions.usecases.timeline.end_unreadable import end_unreadable
from functions.usecases.timeline.reconcile import reconcile
from functions.usecases.timeline.steps import load_execution
from tests.factories import push, recipe, user
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import SEND_AT, START_AT, Lab
from tests.functional.console.visitor import Visitor

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
MakeLab = Callable[..., Lab]


def spoil(lab: Lab, **changes: Any) -> None:
    """Change the stored snapshot to one that this release refuses, as another release would have written it."""

    def change(execution: Execution) -> Execution:
        return replace(execution, recipe={**execution.recipe, "schedule": "by the moon", **changes})

    lab.ports.executions.change(lab.id, change)


def rewrite(lab: Lab, **changes: Any) -> None:
    """Write fields of the stored document as no code of this release does."""
    assert lab.system is not None
    database = lab.system.database
    [row] = database.rows("SELECT document FROM executions WHERE id = ?", (lab.id,))
    document = json.dumps({**json.loads(row["document"]), **changes})
    with database.transaction() as connection:
        connection.execute("UPDATE executions SET document = ? WHERE id = ?", (document, lab.id))


def tokens(lab: Lab) -> list[str]:
    return [path.name for path in lab.state.rglob("*") if f"devices/{lab.id}" in str(path) and path.is_file()]


@pytest.mark.parametrize(
    "minutes",
    [
        pytest.param(-29, id="launched"),
        pytest.param(-27, id="audience_ready"),
        pytest.param(-20, id="tested"),
    ],
)
def test_an_execution_whose_snapshot_is_refused_fails_and_is_cleaned_up(minutes: int, lab: Lab) -> None:
    lab.run_to(SEND_AT + minutes * MINUTE)
    sent = len(lab.outbox())
    spoil(lab)
    lab.run_to_the_end()
    execution = lab.execution()
    assert (execution.state, execution.cleaned) == (State.FAILED, True)
    assert "cannot read the recipe in it: schedule" in execution.reason
    assert len(lab.outbox()) == sent
    assert tokens(lab) == []
    assert lab.violations() == ["unreadable"]
    alerts = (lab.state / "alerts.jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in alerts].count("failed") == 1


@pytest.mark.long
def test_a_live_execution_whose_snapshot_is_refused_stops_sending_and_adds_up(make_lab: MakeLab) -> None:
    lab = make_lab(shard_rows=1)
    lab.save(recipe(pushSequence=[push(1, layerId=3), push(2, layerId=3)]))
    lab.run_to(SEND_AT + MINUTE)
    sent = len(lab.outbox(test=False))
    spoil(lab)
    lab.run_to_the_end()
    execution = lab.execution()
    assert (execution.state, execution.cleaned) == (State.FAILED, True)
    assert execution.totals is not None
    assert (execution.totals.audience_size, execution.totals.sent) == (9 - 2, sent)
    assert execution.totals.not_reached == 7 - sent
    assert len(lab.outbox(test=False)) == sent
    lab.assert_contract()
    assert b"not_reached" in b"".join(export(lab.ports, lab.execution()))


def test_users_who_were_not_sent_to_get_their_reservations_back_without_the_recipe(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save(recipe(pushSequence=[push(1, layerId=3)]))
    lab.run_to(SEND_AT - MINUTE)
    lab.wrap = _unreachable
    lab.restart()
    lab.run_to(SEND_AT)
    reserved = [user(n) for n in range(4) if user_history(lab.ports, user(n), until=SEND_AT + MINUTE, days=1)]
    assert len(reserved) == 4
    lab.wrap = lambda ports: ports
    lab.restart()
    spoil(lab)
    lab.run_to_the_end()
    assert lab.execution().cleaned
    held = [user(n) for n in range(4) if user_history(lab.ports, user(n), until=SEND_AT + MINUTE, days=1)]
    assert held == []


class _Unreachable:
    """A sender that reaches no FCM, so that users are reserved and nothing is sent."""

    def send(self, *_: object) -> Any:
        raise Transient("FCM cannot be reached")


def _unreachable(ports: Ports) -> Ports:
    return replace(ports, sender=_Unreachable())


@pytest.mark.long
def test_a_step_that_comes_again_and_reconciling_change_nothing_more(lab: Lab) -> None:
    lab.run_to(START_AT + 6 * MINUTE)
    spoil(lab)
    answers = [lab.deliver("finish"), lab.deliver("checkpoint"), lab.deliver("send_shard", push=1, shard=1)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    ended = lab.execution()
    log = list(lab.ports.logs.of(lab.id))
    reconcile(lab.ports)
    assert lab.execution() == ended
    assert list(lab.ports.logs.of(lab.id)) == log


@pytest.mark.long
def test_reconciling_ends_what_no_step_would(lab: Lab) -> None:
    lab.run_to(START_AT + 6 * MINUTE)
    spoil(lab)
    drift = reconcile(lab.ports)
    assert any("this release cannot read the recipe in it" in sentence for sentence in drift.sentences)
    assert lab.execution().state is State.FAILED
    assert reconcile(lab.ports).sentences == (), "one task is enough"
    lab.run_to(START_AT + 7 * MINUTE)
    assert lab.execution().cleaned
    assert tokens(lab) == []


@pytest.mark.long
def test_a_process_that_dies_while_it_ends_one_is_followed_by_another_that_goes_on(lab: Lab) -> None:
    lab.run_to(START_AT + 6 * MINUTE)
    spoil(lab)

    class Dead(Exception):
        pass

    class DiesAtDeleting:
        def __getattr__(self, name: str) -> Any:
            return getattr(lab.ports.files, name)

        def delete(self, _: str) -> None:
            raise Dead

    with pytest.raises(Dead):
        end_unreadable(replace(lab.ports, files=DiesAtDeleting()), lab.id, "it cannot be read")
    assert lab.execution().state is State.FAILED
    assert not lab.execution().cleaned
    lab.run_to_the_end()
    assert lab.execution().cleaned
    assert tokens(lab) == []


def test_one_that_failed_stays_failed_when_its_snapshot_can_be_read_again(lab: Lab) -> None:
    lab.run_to(START_AT + 6 * MINUTE)
    right = dict(lab.execution().recipe)
    spoil(lab)
    reconcile(lab.ports)
    lab.ports.executions.change(lab.id, lambda execution: replace(execution, recipe=right))
    lab.run_to_the_end()
    assert lab.execution().state is State.FAILED
    assert lab.outbox(test=False) == []


@pytest.mark.long
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"state": "hibernating"}, id="state"),
        pytest.param({"kind": "lunar"}, id="kind"),
        pytest.param({"recipe": "a reference"}, id="recipe"),
    ],
)
def test_a_document_of_a_newer_release_takes_no_list_down_and_ends(
    changes: Mapping[str, Any], lab: Lab, api: ApiClient
) -> None:
    lab.run_to(START_AT + 6 * MINUTE)
    rewrite(lab, **changes)
    [shown] = api.data("GET", "/api/automation/monitor?type=executions")
    assert (shown["status"], "this release cannot read" in shown["reason"]) == ("failed", True)
    assert overview(lab.ports).executions == 1
    lab.run_to_the_end()
    assert (lab.execution().state, lab.execution().cleaned) == (State.FAILED, True)
    assert lab.outbox(test=False) == []
    assert tokens(lab) == []


def test_the_total_of_the_overview_has_executions_in_a_state_of_a_newer_release(lab: Lab) -> None:
    lab.run_to(START_AT + 6 * MINUTE)
    rewrite(lab, state="hibernating")
    assert lab.system is not None
    with lab.system.database.transaction() as connection:
        connection.execute("UPDATE executions SET state = 'hibernating'")
    seen = overview(lab.ports)
    assert (seen.executions, sum(seen.by_status.values())) == (1, 0)


@pytest.mark.long
def test_a_phase_and_a_violation_type_that_are_not_known_are_shown_as_far_as_they_can_be(
    make_lab: MakeLab,
) -> None:
    lab = make_lab()
    lab.save(recipe(settings__safeguards={"maxAudienceSize": 3}))
    lab.run_to_the_end()
    rewrite(lab, phases={"warming_up": {"startedAt": None, "endedAt": None}})
    assert lab.system is not None
    database = lab.system.database
    with database.transaction() as connection:
        connection.execute("UPDATE violations SET document = json_set(document, '$.type', 'eclipse')")
    assert lab.violations() == ["other"]
    assert lab.report()["status"] == "blocked"


@pytest.mark.long
def test_pages_lists_and_downloads_show_a_broken_execution_as_broken(lab: Lab, api: ApiClient) -> None:
    lab.run_to(START_AT + 6 * MINUTE)
    spoil(lab)
    visitor = Visitor(lambda: lab.ports)
    assert "cannot read" in visitor.get("/").text
    assert "cannot read the campaign in it" in visitor.get(f"/executions/{lab.id}").text
    for name in ("receipt", "audience-1"):
        assert visitor.open("GET", f"/executions/{lab.id}/{name}.csv").status_code == 200
    seen = api.data("GET", f"/api/automation/welcome/executions/{lab.id}")
    assert "cannot read the recipe in it" in seen["problem"]
    assert api("GET", f"/api/automation/welcome/executions/{lab.id}/export").status_code == 200
    logs = api.data("GET", "/api/push-logs")
    assert [(each["order"], each["layer"], each["audienceSize"]) for each in logs] == [
        (1, None, 4),
        (2, None, 3),
        (3, None, 2),
    ]
    assert push_logs(lab.ports, ExecutionSearch(), most=5).next is None
    assert watch_execution(lab.ports, load_execution(lab.ports, lab.id)).detail().problem


@pytest.mark.long
def test_an_execution_that_cannot_be_read_no_longer_counts_against_the_limit(lab: Lab) -> None:
    lab.run_to(START_AT + 6 * MINUTE)
    spoil(lab)
    reconcile(lab.ports)
    lab.run_to(START_AT + 7 * MINUTE)
    assert list(lab.ports.executions.unfinished()) == []


@pytest.fixture
def api(lab: Lab) -> ApiClient:
    return ApiClient(lambda: lab.ports)
