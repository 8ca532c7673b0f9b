"""What blocks, stops, expires or warns; and that the numbers add up when it does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from functions.domain.errors import LedgerUnreadable, NotYet
from functions.domain.execution.execution import State
from functions.domain.execution.safeguards import Limits
from functions.domain.push.outcomes import Outcome
from functions.ports import Ports
from functions.usecases.timeline.checkpoint import checkpoint
from functions.usecases.timeline.send_to_testers import send_test
from local.embedded.outbox import OutcomeScript
from tests.factories import TESTER, executions_of, push, recipe, user
from tests.functional.conftest import SEND_AT, START_AT, Lab

MINUTE = timedelta(minutes=1)
MakeLab = Callable[..., Lab]


@pytest.mark.slow
def test_an_audience_above_the_default_limit_is_blocked_and_no_message_is_sent(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.write_users({"a": range(10_001), "b": [10_001], "c": [10_002]})
    lab.save()
    lab.run_to_the_end()
    [violation] = lab.report()["violations"]
    assert (lab.report()["status"], violation["type"], violation["severity"]) == (
        "blocked",
        "audience_too_large",
        "critical",
    )
    assert "10,001 users; the limit is 10,000 (raise settings.safeguards.maxAudienceSize" in violation["message"]
    assert lab.outbox() == []


@pytest.mark.long
def test_an_audience_at_the_limit_is_sent(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save(recipe(settings__safeguards={"maxAudienceSize": 4}))
    lab.run_to_the_end()
    assert lab.report()["status"] == "completed"


def test_an_audience_above_the_alert_threshold_is_sent_with_a_warning(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save(recipe(settings__safeguards={"alertThresholds": {"audienceSize": 3}}))
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.violations()) == ("completed", ["audience_alert"])
    assert "audience_alert" in (lab.state / "alerts.jsonl").read_text()


def test_audiences_that_are_too_large_together_are_blocked(make_lab: MakeLab) -> None:
    lab = make_lab(limits=replace(Limits(), total_audience=8))
    lab.save()
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.violations()) == ("blocked", ["total_audience_too_large"])


@pytest.mark.long
def test_an_empty_audience_warns_and_the_others_are_sent(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.write_users({"a": range(4), "c": [7]})
    lab.save()
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.violations()) == ("completed", ["audience_empty"])
    assert [entry["sent"] for entry in lab.report()["pushes"]] == [4, 0, 1]


@pytest.mark.long
def test_an_empty_user_database_completes_without_a_message(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.write_users({})
    lab.save()
    lab.run_to_the_end()
    assert lab.report()["status"] == "completed"
    assert lab.outbox() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"testUserIds": []}, "set settings.testUserIds or DEFAULT_TEST_USER_IDS"),
        ({"testUserIds": [""]}, "set settings.testUserIds or DEFAULT_TEST_USER_IDS"),
        ({"testUserIds": [user(999)]}, "a test user has no device token"),
        ({"testUserIds": ["stranger"]}, "a test user's id is not valid; fix settings.testUserIds"),
    ],
)
def test_without_a_successful_test_the_live_send_is_blocked(
    settings: dict[str, Any], told: str, make_lab: MakeLab
) -> None:
    lab = make_lab()
    lab.store(recipe(settings=settings))
    lab.run_to_the_end()
    [violation] = lab.report()["violations"]
    assert (lab.report()["status"], violation["type"]) == ("blocked", "test_failed")
    assert told in violation["message"]
    assert lab.outbox() == []


@pytest.mark.long
def test_the_deployments_test_users_stand_in_for_missing_ones(make_lab: MakeLab) -> None:
    lab = make_lab(default_test_user_ids=(TESTER,))
    lab.save(recipe(settings={}))
    lab.run_to_the_end()
    assert len(lab.outbox(test=True)) == 3


@pytest.mark.long
def test_a_test_that_is_not_required_only_warns(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save(recipe(settings={"safeguards": {"requireTestFirst": False}}))
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.violations()) == ("completed", ["test_failed"])


def test_a_test_that_ends_while_the_live_send_is_decided_on_leaves_the_time_to_cancel(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save(recipe(settings__safeguards={"requireTestFirst": False}))
    lab.run_to(SEND_AT - 25 * MINUTE, inclusive=False)
    assert lab.execution().state is State.AUDIENCE_READY
    lab.clock.advance_to(SEND_AT)

    class Slow:
        def change(self, *arguments: Any) -> Any:
            send_test(lab.ports, lab.id)
            return lab.ports.executions.change(*arguments)

        def __getattr__(self, name: str) -> Any:
            return getattr(lab.ports.executions, name)

    slow: Any = Slow()
    with pytest.raises(NotYet, match="cancellation window"):
        checkpoint(replace(lab.ports, executions=slow), lab.id)
    assert lab.execution().state is State.TESTED


@pytest.mark.slow
def test_test_users_named_twice_or_in_capitals_get_one_message_a_push(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save(recipe(settings={"testUserIds": [TESTER, TESTER.upper(), ""]}))
    lab.run_to_the_end()
    assert [message["push"] for message in lab.outbox(test=True)] == [1, 2, 3]


@pytest.mark.long
def test_too_many_failures_stop_the_execution(make_lab: MakeLab) -> None:
    failing = {user(n): Outcome.BAD_MESSAGE for n in range(20)}
    lab = make_lab(chunk_rows=50, script=OutcomeScript(by_user=failing))
    lab.write_users({"a": range(200), "b": [300], "c": [301]})
    lab.save(recipe(settings__safeguards={"alertThresholds": {"failureRate": 0.05}}))
    lab.run_to_the_end()
    numbers = lab.report()
    assert (numbers["status"], lab.violations()) == ("stopped", ["failure_rate"])
    assert numbers["totals"]["notReached"] > 0
    lab.assert_contract()


@pytest.mark.long
def test_few_messages_are_too_few_to_judge(make_lab: MakeLab) -> None:
    lab = make_lab(script=OutcomeScript(by_user={user(n): Outcome.BAD_MESSAGE for n in range(3)}))
    lab.save()
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.report()["totals"]["failed"]) == ("completed", 3)


@pytest.mark.long
def test_a_dead_token_is_not_sent_to_again(make_lab: MakeLab) -> None:
    lab = make_lab(script=OutcomeScript(by_user={user(1): Outcome.DEAD_TOKEN}))
    lab.save()
    lab.run_to(SEND_AT + timedelta(days=1, hours=1))
    first, second = lab.report()["pushes"][0], lab.report("welcome_20260303T183000Z")["pushes"][0]
    assert (first["failed"], first["excluded"]) == (1, {})
    assert (second["failed"], second["excluded"]) == (0, {"dead_token": 1})


@pytest.mark.long
def test_messages_that_did_not_leave_are_sent_by_a_later_delivery(make_lab: MakeLab) -> None:
    script = _Recovers(user(2), failures=2)
    lab = make_lab(script=script)
    lab.save()
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.report()["totals"]["sent"]) == ("completed", 9)
    lab.assert_contract()


@pytest.mark.long
def test_messages_that_never_leave_are_given_up_and_counted(make_lab: MakeLab) -> None:
    lab = make_lab(script=OutcomeScript(by_user={user(2): Outcome.NOT_SENT}))
    lab.save()
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.violations()) == ("failed", ["not_reached"])
    assert lab.report()["totals"]["notReached"] == 1
    lab.assert_contract()


class _Recovers(OutcomeScript):
    """A user's message does not leave the first times."""

    def __init__(self, user_id: str, failures: int) -> None:
        super().__init__(by_user={user_id: Outcome.NOT_SENT})
        object.__setattr__(self, "_left", [failures])

    def outcome(self, message: Any) -> Outcome:
        outcome = super().outcome(message)
        if outcome is Outcome.NOT_SENT:
            self._left[0] -= 1  # type: ignore[attr-defined]
            return outcome if self._left[0] >= 0 else Outcome.SENT  # type: ignore[attr-defined]
        return outcome


@pytest.mark.long
def test_an_unknown_outcome_is_counted_and_not_sent_again(make_lab: MakeLab) -> None:
    lab = make_lab(script=OutcomeScript(by_user={user(3): Outcome.UNKNOWN}))
    lab.save()
    lab.run_to_the_end()
    assert lab.report()["totals"]["unknown"] == 1
    assert [m["userId"] for m in lab.outbox(test=False)].count(user(3)) == 1
    lab.assert_contract()


class _Unreadable:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def rules(self) -> Any:
        return self._inner.rules()

    def transact(self, partition: int, days: Sequence[date], change: Callable[[Mapping[date, bytes]], Any]) -> Any:
        raise LedgerUnreadable(f"partition {partition} of {len(days)} days: disk on fire ({change.__name__})")


def _without_ledger(ports: Ports) -> Ports:
    ledger: Any = _Unreadable(ports.ledger)
    return replace(ports, ledger=ledger)


@pytest.mark.slow
def test_without_the_ledger_nothing_is_sent(make_lab: MakeLab) -> None:
    lab = make_lab(wrap=_without_ledger)
    lab.save(recipe(pushSequence=[push(1, layerId=3)]))
    lab.run_to_the_end()
    assert lab.outbox(test=False) == []
    assert lab.violations() == ["ledger_unreadable", "not_reached"]
    assert not (lab.state / "devices" / lab.id).exists()
    lab.wrap = lambda ports: ports
    lab.restart()
    lab.run_to(SEND_AT + timedelta(hours=5))
    assert lab.execution().cleaned


@pytest.mark.long
def test_a_deployment_may_fail_open_and_says_so(make_lab: MakeLab) -> None:
    lab = make_lab(wrap=_without_ledger, fail_open=True)
    lab.save(recipe(pushSequence=[push(1, layerId=3)]))
    lab.run_to_the_end()
    assert len(lab.outbox(test=False)) == 4
    assert lab.violations() == ["ledger_unreadable"]


@pytest.mark.long
@pytest.mark.parametrize(("late", "status"), [(15 * MINUTE, "completed"), (16 * MINUTE, "expired")])
def test_a_live_phase_that_would_start_too_late_expires(late: timedelta, status: str, lab: Lab) -> None:
    assert lab.system is not None
    lab.run_to(SEND_AT - MINUTE)
    lab.system.queue.pause()
    lab.run_to(SEND_AT + late)
    lab.system.queue.resume()
    lab.run_to_the_end()
    assert lab.report()["status"] == status
    assert len(lab.outbox(test=False)) == (9 if status == "completed" else 0)
    lab.assert_contract()


@pytest.mark.slow
def test_a_late_push_of_a_sequence_is_skipped_and_counted(lab: Lab) -> None:
    assert lab.system is not None
    lab.run_to(SEND_AT + MINUTE)
    lab.system.queue.pause()
    lab.run_to(SEND_AT + 20 * MINUTE)
    lab.system.queue.resume()
    lab.run_to_the_end()
    assert [entry["sent"] for entry in lab.report()["pushes"]] == [4, 0, 0]
    assert lab.report()["totals"]["notReached"] == 5
    assert "too_late" in lab.violations()
    assert lab.execution().cleaned


@pytest.mark.long
def test_more_executions_than_allowed_at_once_are_blocked_where_their_wait_does_not_fit(make_lab: MakeLab) -> None:
    lab = make_lab(limits=replace(Limits(), executions_at_once=2))
    for name in ("one", "two", "welcome"):
        lab.save(recipe(id=name, settings__maxLatenessMinutes=0))
    lab.run_to_the_end()
    states = sorted(executions_of(lab.ports, name)[0].state.value for name in ("one", "two", "welcome"))
    assert states == ["blocked", "completed", "completed"]


@pytest.mark.long
def test_an_audience_whose_ids_are_all_invalid_warns_at_t30_and_says_what_to_set(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.write_rows([(str(number), "Shoe", "Name", name) for number, name in enumerate("aaabc")])
    lab.write_devices([(str(number), f"token-{number}") for number in range(5)] + [(TESTER, "token")])
    lab.save()
    lab.run_to(START_AT + MINUTE)
    told = [one["message"] for one in lab.report()["violations"]]
    assert told[0] == (
        "push 1 reaches no user: all 3 users are excluded (3 invalid_user_id); "
        "set USER_ID_FORMAT to any if these are your users' ids (it is uuid)"
    )
    lab.run_to_the_end()
    assert lab.report()["status"] == "completed"
    assert lab.violations() == ["audience_excluded"] * 3, "once for each push"
    assert (lab.state / "alerts.jsonl").read_text().count("push 1 reaches no user") == 1


@pytest.mark.long
def test_an_audience_without_a_single_device_warns_at_t30(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.write_users({"a": range(4), "b": range(4, 7), "c": range(7, 9)}, without_token=[4, 5, 6])
    lab.save()
    lab.run_to(START_AT + MINUTE)
    [violation] = lab.report()["violations"]
    assert violation["message"].startswith(
        "push 2 reaches no user: all 3 users are excluded (3 no_token); check that"
    )
    lab.run_to_the_end()
    assert lab.violations() == ["audience_excluded"]


@pytest.mark.long
def test_an_audience_that_is_excluded_while_it_is_sent_warns_at_the_end(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.write_rows([(user(number), "", "Name", name) for number, name in enumerate("aabc")])
    lab.write_devices([(user(number), f"token-{number}") for number in range(4)] + [(TESTER, "token")])
    lab.save(recipe(settings__safeguards={"requireTestFirst": False}))
    lab.run_to_the_end()
    excluded = [one for one in lab.report()["violations"] if one["type"] == "audience_excluded"]
    assert len(excluded) == 3
    assert excluded[0]["message"].endswith(
        "(2 missing_variable); give each variable a fallback: [[var:column|fallback]]"
    )


def test_an_audience_that_cadence_holds_back_is_a_line_of_the_log_and_no_violation(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save(recipe(pushSequence=[push(1, layerId=3), push(2, layerId=3, audienceName="a")]))
    lab.run_to_the_end()
    warnings = [entry.message for entry in lab.ports.logs.of(lab.id) if entry.level == "warning"]
    assert warnings == ["push 2 reaches no user: all 4 users are excluded (4 layer_3_cooldown)"]
    assert (lab.report()["status"], lab.violations()) == ("completed", [])


@pytest.mark.long
def test_a_short_cancellation_window_warns(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save(recipe(schedule__leadTimeMinutes=5))
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.violations()) == ("completed", ["short_cancellation_window"])


def test_user_data_that_breaks_after_saving_fails_the_execution_in_words(lab: Lab) -> None:
    (lab.data / "users.csv").write_text("id,first_name\n1,x\n")
    lab.run_to_the_end()
    [violation] = lab.report()["violations"]
    assert (lab.report()["status"], violation["type"]) == ("failed", "audience_failed")
    assert "users.csv lacks the column" in violation["message"]
    assert lab.outbox() == []


@pytest.mark.long
def test_an_audience_file_changed_by_hand_is_not_sent(lab: Lab) -> None:
    lab.run_to(SEND_AT - MINUTE)
    path = lab.state / "audiences" / lab.id / "1-a.csv"
    path.chmod(0o644)
    path.write_text(path.read_text() + f"{user(5000)},Intruder,Shoe\n")
    lab.run_to(SEND_AT + timedelta(hours=3))
    assert user(5000) not in {message["userId"] for message in lab.outbox()}
    assert lab.report()["pushes"][0]["sent"] == 0
    assert lab.violations() == ["step_failed", "not_reached"]
    assert lab.execution().cleaned


@pytest.mark.slow
def test_the_job_sees_the_executions_time_not_the_machines(lab: Lab) -> None:
    seen = []
    engine = lab.ports.engine

    class _Watched:
        def __getattr__(self, name: str) -> Any:
            return getattr(engine, name)

        def run(self, job: Any, arguments: Any, *, now: Any) -> Any:
            seen.append(now)
            return engine.run(job, arguments, now=now)

    lab.ports = replace(lab.ports, engine=_Watched())
    lab.run_to_the_end()
    assert seen == [START_AT]
