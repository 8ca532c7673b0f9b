"""A recipe runs its whole timeline, exactly once."""

import logging
import threading
from collections import Counter
from datetime import timedelta

import pytest

from tests.factories import TESTER, executions_of, recipe, user
from tests.functional.conftest import EARLIER, SEND_AT, START_AT, Lab

MINUTE = timedelta(minutes=1)


@pytest.mark.slow
def test_the_phases_happen_at_their_times(lab: Lab) -> None:
    lab.run_to_the_end()
    times = {phase["phase"]: (phase["startedAt"], phase["endedAt"]) for phase in lab.report()["timeline"]}
    assert times == {
        "audience_generation": ("2026-03-02T18:00:00Z", "2026-03-02T18:00:00Z"),
        "test_sending": ("2026-03-02T18:05:00Z", "2026-03-02T18:05:00Z"),
        "cancellation_window": ("2026-03-02T18:05:00Z", "2026-03-02T18:30:00Z"),
        "live_execution": ("2026-03-02T18:30:00Z", "2026-03-02T18:44:00Z"),
        "cleanup": ("2026-03-02T18:44:00Z", "2026-03-02T18:44:00Z"),
    }
    assert lab.report()["status"] == "completed"


@pytest.mark.long
def test_everybody_gets_the_push_of_their_audience_once_and_at_its_time(lab: Lab) -> None:
    lab.run_to_the_end()
    got = sorted((m["push"], m["userId"], m["at"]) for m in lab.outbox(test=False))
    expected = [(1, user(n), "2026-03-02T18:30:00Z") for n in range(4)]
    expected += [(2, user(n), "2026-03-02T18:32:00Z") for n in range(4, 7)]
    expected += [(3, user(n), "2026-03-02T18:34:00Z") for n in range(7, 9)]
    assert got == expected
    lab.assert_contract()


def test_three_pushes_and_one_test_user_are_three_test_messages(lab: Lab) -> None:
    lab.run_to(SEND_AT - MINUTE)
    tests = lab.outbox()
    assert [(m["push"], m["userId"], m["test"]) for m in tests] == [(n, TESTER, True) for n in (1, 2, 3)]


@pytest.mark.long
def test_a_test_message_has_the_values_of_a_real_row(lab: Lab) -> None:
    lab.run_to(SEND_AT - MINUTE)
    shoes = [m["body"] for m in lab.outbox()]
    assert all(body.startswith("Your Shoe ") for body in shoes)


@pytest.mark.slow
def test_every_task_delivered_three_times_changes_nothing(lab: Lab) -> None:
    lab.run_to(START_AT)
    for function in ("build_audience", "build_audience"):
        lab.deliver(function)
    lab.run_to(SEND_AT - 25 * MINUTE)
    for _ in range(2):
        lab.deliver("build_audience")
        lab.deliver("send_test")
    lab.run_to(SEND_AT)
    for _ in range(2):
        lab.deliver("checkpoint")
        lab.deliver("send_push", push=1, generation=0)
        lab.deliver("send_shard", push=1, shard=1)
    lab.run_to_the_end()
    for function in ("build_audience", "send_test", "checkpoint", "finish"):
        assert lab.deliver(function).status == 200
    lab.run_to_the_end()
    assert len(lab.outbox(test=True)) == 3
    assert len(lab.outbox(test=False)) == 9
    lab.assert_contract()


@pytest.mark.slow
def test_forty_two_launches_of_one_slot_make_one_execution(lab: Lab) -> None:
    lab.clock.advance_to(START_AT)
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(lab.launch().status)) for _ in range(42)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(answers) == {200: 42}
    lab.run_to_the_end()
    assert len(executions_of(lab.ports, "welcome")) == 1
    assert (len(lab.outbox(test=True)), len(lab.outbox(test=False))) == (3, 9)
    assert sum("launched" in entry.message for entry in lab.ports.logs.of(lab.id)) == 1


@pytest.mark.long
def test_the_same_slot_launched_again_next_day_changes_nothing(lab: Lab) -> None:
    lab.run_to_the_end()
    before = lab.outbox()
    lab.launch(START_AT)
    lab.run_to_the_end()
    assert lab.outbox() == before


@pytest.mark.slow
def test_each_day_is_an_execution_of_its_own(lab: Lab) -> None:
    lab.run_to(SEND_AT + timedelta(days=2, hours=1))
    executions = executions_of(lab.ports, "welcome")
    assert [execution.send_at for execution in executions] == [SEND_AT + timedelta(days=n) for n in (2, 1, 0)]
    assert len(lab.outbox(test=False)) == 27
    lab.assert_contract()


@pytest.mark.slow
def test_tasks_in_reverse_order_still_send_everything_once(lab: Lab) -> None:
    lab.run_to(START_AT - MINUTE)
    lab.clock.advance_to(START_AT)
    lab.launch()
    for function, body in (
        ("finish", {}),
        ("send_push", {"push": 1, "generation": 0}),
        ("checkpoint", {}),
        ("send_test", {}),
    ):
        assert "put off" in lab.deliver(function, **body).text
    lab.run_to_the_end()
    assert lab.report()["status"] == "completed"
    assert len(lab.outbox(test=False)) == 9
    lab.assert_contract()


@pytest.mark.long
def test_device_tokens_are_gone_after_the_cleanup(lab: Lab) -> None:
    lab.run_to(SEND_AT + 5 * MINUTE)
    kept = [path for path in lab.state.rglob("*") if path.is_file() and b"token-1" in path.read_bytes()]
    assert {path.parent.parent.name for path in kept if path.name != "outbox.jsonl"} == {"devices"}
    lab.run_to_the_end()
    assert not (lab.state / "devices" / lab.id).exists()
    assert (lab.state / "audiences" / lab.id / "1-a.csv").exists()


@pytest.mark.long
def test_a_push_follows_the_audience_by_position_or_by_name(lab: Lab) -> None:
    document = recipe()
    document["pushSequence"][0]["audienceName"] = "c"
    document["pushSequence"][1]["audienceName"] = "default"
    lab.save(document)
    lab.run_to_the_end()
    assert [push["audience"] for push in lab.report()["pushes"]] == ["c", "b", "c"]


@pytest.mark.long
def test_a_once_recipe_is_completed_after_its_send(lab: Lab) -> None:
    once = {"timezone": "UTC", "frequency": "once", "startDate": "2026-03-02", "executionTime": "18:30"}
    lab.save(recipe(schedule=once))
    lab.run_to(SEND_AT + timedelta(days=2))
    stored = lab.ports.recipes.get("welcome")
    assert stored is not None
    assert (stored["status"], stored["isActive"]) == ("completed", False)
    assert len(lab.outbox(test=False)) == 9
    assert [job.name for job in lab.ports.schedules.all()] == ["reconcile-tminus"]


@pytest.mark.long
def test_test_mode_takes_three_minutes_and_sends_no_live_message(lab: Lab) -> None:
    lab.save(recipe(audienceCriteria__testMode=True))
    lab.run_to(SEND_AT + timedelta(hours=1))
    numbers = lab.report()
    assert numbers["timeline"][0]["plannedAt"] == "2026-03-02T18:27:00Z"
    assert (numbers["status"], numbers["dryRun"], numbers["totals"]["sent"]) == ("completed", True, 9)
    assert lab.outbox(test=False) == []
    assert len(lab.outbox(test=True)) == 3


def test_a_launch_without_the_schedule_time_is_refused(lab: Lab) -> None:
    lab.clock.advance_to(EARLIER)
    answer = lab.runtime.call("launch", {"X-CloudScheduler": "true"}, {"recipeId": "welcome"})
    assert answer.status == 400
    assert "X-CloudScheduler-ScheduleTime" in answer.text


def test_a_fire_that_no_send_belongs_to_launches_nothing(lab: Lab) -> None:
    lab.clock.advance_to(START_AT)
    answer = lab.launch(START_AT - MINUTE)
    assert (answer.status, "nothing to launch" in answer.text) == (200, True)
    assert executions_of(lab.ports, "welcome") == []


@pytest.mark.long
def test_the_log_says_what_became_of_each_shard(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="tminus"):
        lab.run_to_the_end()
    done = [vars(record) for record in caplog.records if vars(record).get("action") == "step_done"]
    shards = [(line["sent"], line["failed"], line["unknown"]) for line in done if "sent" in line]
    assert shards == [(4, 0, 0), (3, 0, 0), (2, 0, 0)]
