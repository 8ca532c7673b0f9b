"""Device tokens that FCM refuses for a setting, such as its project's: one is a failed row, all are the setting."""

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.audience.partition import PARTITIONS
from functions.domain.errors import Conflict
from functions.domain.execution.safeguards import Finding, Severity, Violation, ViolationType
from functions.domain.push.outcomes import Outcome
from functions.ports import Ports
from functions.usecases.reports.history import user_history
from local.embedded.outbox import OutcomeScript
from tests.factories import TESTER, recipe, user
from tests.functional.conftest import SEND_AT, Lab

pytestmark = pytest.mark.slow

MakeLab = Callable[..., Lab]
MISMATCH, NO_KEY, SENT = Outcome.WRONG_PROJECT, Outcome.THIRD_PARTY_AUTH, Outcome.SENT
EVERYBODY = OutcomeScript(default=MISMATCH)
ALL_BUT_TESTERS = OutcomeScript(by_user={TESTER: SENT}, default=MISMATCH)


def played(make_lab: MakeLab, script: OutcomeScript, **more: Any) -> Lab:
    lab = make_lab(script=script, firebase_project="kicks-prod", **more)
    lab.save()
    lab.run_to_the_end()
    return lab


def assert_no_graves(lab: Lab) -> None:
    assert not any(lab.ports.devices.graves(range(PARTITIONS)).values())


def alerts(lab: Lab) -> str:
    return (lab.state / "alerts.jsonl").read_text(encoding="utf-8")


def test_the_test_send_finds_a_wrong_project_and_no_token_is_buried(make_lab: MakeLab) -> None:
    lab = played(make_lab, EVERYBODY)
    report = lab.report()
    assert report["status"] == "blocked"
    assert "1 of 1 test users have a device token of another Firebase project than kicks-prod" in report["reason"]
    assert "check GOOGLE_CLOUD_PROJECT" in report["reason"]
    assert lab.violations() == ["misconfigured", "test_failed"]
    assert "another Firebase project than kicks-prod" in alerts(lab)
    assert lab.outbox() == []
    assert_no_graves(lab)


@pytest.mark.long
def test_once_the_project_is_right_the_same_tokens_get_the_next_send(make_lab: MakeLab) -> None:
    lab = played(make_lab, EVERYBODY)
    lab.script = OutcomeScript()
    lab.restart()
    lab.run_to(SEND_AT + timedelta(days=1, hours=2))
    assert lab.report("welcome_20260303T183000Z")["totals"]["sent"] == 9


@pytest.mark.long
def test_a_project_that_is_wrong_for_all_but_the_testers_stops_the_execution(make_lab: MakeLab) -> None:
    lab = played(make_lab, ALL_BUT_TESTERS)
    report = lab.report()
    assert (report["status"], lab.violations()) == ("stopped", ["misconfigured"])
    assert "GOOGLE_CLOUD_PROJECT: 4 users have device tokens of another Firebase project" in report["reason"]
    assert (report["totals"]["failed"], report["totals"]["notReached"]) == (4, 5)
    assert "another Firebase project than kicks-prod" in alerts(lab)
    assert_no_graves(lab)


@pytest.mark.long
def test_without_a_test_send_the_first_mismatch_before_any_success_stops_the_execution(make_lab: MakeLab) -> None:
    lab = make_lab(script=EVERYBODY, chunk_rows=1)
    lab.save(recipe(settings__safeguards={"requireTestFirst": False}))
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.report()["totals"]["failed"]) == ("stopped", 1)
    assert_no_graves(lab)


def test_a_missing_key_of_apple_s_service_is_found_by_the_test_send(make_lab: MakeLab) -> None:
    lab = played(make_lab, OutcomeScript(default=NO_KEY))
    report = lab.report()
    assert (report["status"], lab.violations()) == ("blocked", ["misconfigured", "test_failed"])
    assert "for 1 of 1 test users; renew the APNs key" in report["reason"]


def test_a_missing_key_stops_the_execution_where_most_tokens_need_it(make_lab: MakeLab) -> None:
    lab = played(make_lab, OutcomeScript(by_user={TESTER: SENT}, default=NO_KEY))
    report = lab.report()
    assert (report["status"], lab.violations()) == ("stopped", ["misconfigured"])
    assert "Firebase project settings: FCM cannot speak for the app to Apple" in report["reason"]
    assert report["totals"]["failed"] == 4


@pytest.mark.long
@pytest.mark.parametrize("refusal", [MISMATCH, NO_KEY])
@pytest.mark.parametrize("chunk_rows", [1, pytest.param(500, marks=pytest.mark.long)])
def test_one_refused_token_is_a_failed_row_with_its_reason_and_stops_nothing(
    make_lab: MakeLab, chunk_rows: int, refusal: Outcome
) -> None:
    for stray in range(4):
        lab = played(make_lab, OutcomeScript(by_user={user(stray): refusal}), chunk_rows=chunk_rows, shard_rows=3)
        totals = lab.report()["totals"]
        assert (lab.report()["status"], totals["sent"], totals["failed"]) == ("completed", 8, 1)
        with (lab.state / "receipts" / f"{lab.id}.csv").open(encoding="utf-8", newline="") as file:
            reasons = {row["user_id"]: (row["outcome"], row["reason"]) for row in csv.DictReader(file)}
        assert reasons[user(stray)] == ("failed", refusal.value)
        assert_no_graves(lab)


def test_who_has_a_token_of_another_project_is_not_held_back_from_the_next_push(make_lab: MakeLab) -> None:
    lab = make_lab(script=OutcomeScript(by_user={user(1): MISMATCH}))
    document = recipe()
    for push in document["pushSequence"]:
        push["layerId"] = 3
    lab.save(document)
    lab.run_to_the_end()
    assert lab.report()["totals"]["failed"] == 1
    assert user_history(lab.ports, user(1), until=SEND_AT, days=1) == []


class _StopFails:
    """A ViolationStore whose first record meets another writer."""

    def __init__(self, right: Any) -> None:
        self._right, self.failed = right, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._right, name)

    def record(self, violation: Any) -> bool:
        if not self.failed:
            self.failed = True
            raise Conflict("somebody else wrote first")
        recorded: bool = self._right.record(violation)
        return recorded


def test_a_stop_that_could_not_be_stored_is_made_up_for_by_the_next_delivery(make_lab: MakeLab) -> None:
    stores: list[_StopFails] = []

    def wrap(ports: Ports) -> Ports:
        stores.append(_StopFails(ports.violations))
        return replace(ports, violations=stores[0])

    lab = played(make_lab, ALL_BUT_TESTERS, wrap=wrap)
    assert stores[0].failed
    assert (lab.report()["status"], lab.violations()) == ("stopped", ["misconfigured"])


def test_a_stop_whose_worker_died_after_it_had_recorded_why_is_carried_out_at_cleanup(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.run_to(SEND_AT + timedelta(minutes=5))
    finding = Finding(
        type=ViolationType.MISCONFIGURED, severity=Severity.CRITICAL, message="wrong project", action="stopped"
    )
    lab.ports.violations.record(
        Violation(id="v", execution_id=lab.id, recipe_id="welcome", finding=finding, at=SEND_AT)
    )
    lab.run_to_the_end()
    assert lab.report()["status"] == "stopped"
    assert "wrong project" in alerts(lab)
