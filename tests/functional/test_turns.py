"""More executions than may run at once: the excess waits its turn, in the order of creation, while that fits."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.domain.execution.execution import Execution, State
from functions.domain.execution.safeguards import Limits
from functions.domain.ids import execution_id
from functions.domain.instants import stamp
from functions.usecases.recipes.save import delete_recipe, pause_recipe
from functions.usecases.reports.executions import summary
from functions.usecases.timeline.control import cancel, stop
from tests.factories import push, recipe
from tests.functional.conftest import SEND_AT, START_AT, Lab
from tests.functional.crashes import Crash, CrashPoint, shares

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
MakeLab = Callable[..., Lab]
NAMES = ("first", "second", "third", "fourth")


def crowd(make_lab: MakeLab, names: tuple[str, ...] = NAMES[:3], *, at_once: int = 2, **changes: object) -> Lab:
    """Return a laboratory whose recipes all send at one instant, and of which so many may run at once."""
    lab = make_lab(limits=replace(Limits(), executions_at_once=at_once))
    for name in names:
        lab.save(recipe(id=name, pushSequence=[push(1)], **changes))
    return lab


def named(lab: Lab, name: str) -> Execution:
    return lab.execution(execution_id(name, SEND_AT))


def states(lab: Lab, names: tuple[str, ...] = NAMES[:3]) -> list[str]:
    return [named(lab, name).state.value for name in names]


def test_the_eleventh_recipe_of_a_minute_waits_and_is_sent(make_lab: MakeLab) -> None:
    names = tuple(f"recipe-{number:02}" for number in range(11))
    lab = crowd(make_lab, names, at_once=Limits().executions_at_once)
    lab.run_to_the_end()
    assert states(lab, names) == ["completed"] * 11
    report = lab.report(execution_id(names[-1], SEND_AT))
    live = next(phase for phase in report["timeline"] if phase["phase"] == "live_execution")
    assert "2026-03-02T18:35:00Z" <= live["startedAt"] <= "2026-03-02T18:45:00Z", "in time, and after the window"
    assert report["totals"]["sent"] == 4


@pytest.mark.long
def test_a_waiting_execution_says_so_and_for_what(make_lab: MakeLab) -> None:
    lab = crowd(make_lab)
    lab.run_to(SEND_AT - 5 * MINUTE)
    waiting, busy = named(lab, "third"), named(lab, "first")
    assert (waiting.state, busy.waiting) == (State.LAUNCHED, None)
    told = summary(waiting, lab.clock.now()).waiting
    assert told is not None
    assert (stamp(told.since), stamp(told.until), told.limit) == ("2026-03-02T18:00:00Z", "2026-03-02T18:37:00Z", 2)
    assert told.message == (
        "waits its turn: 2 executions are running, the most at once "
        "(MAX_EXECUTIONS_AT_ONCE); blocked if its turn has not come by 18:37 UTC"
    )
    [violation] = lab.report(waiting.id)["violations"]
    assert (violation["severity"], violation["actionTaken"]) == ("warning", "waits its turn")
    assert "it can wait until 18:37 UTC" in violation["message"]
    lab.run_to_the_end()
    assert summary(named(lab, "third"), lab.clock.now()).waiting is None
    log = [entry.message for entry in lab.ports.logs.of(waiting.id)]
    assert any(line.startswith("its turn has come; it waited 3") for line in log), log
    assert any(line.startswith("open until 18:3") for line in log), "the window begins after the wait"


@pytest.mark.long
def test_turns_come_in_the_order_of_creation(make_lab: MakeLab) -> None:
    lab = crowd(make_lab, NAMES, at_once=1, settings__maxLatenessMinutes=120)
    lab.run_to(SEND_AT + 3 * 60 * MINUTE)
    assert states(lab, NAMES) == ["completed"] * 4
    order = sorted(NAMES, key=lambda name: named(lab, name).number)
    begun = [named(lab, name).phases for name in order]
    live = [next(times for phase, times in phases.items() if phase.value == "live_execution") for phases in begun]
    began = [times.started_at for times in live if times.started_at]
    assert began == sorted(began)
    assert len(began) == 4


@pytest.mark.long
def test_only_a_wait_that_does_not_fit_is_blocked(make_lab: MakeLab) -> None:
    lab = crowd(make_lab, settings__maxLatenessMinutes=0)
    lab.run_to_the_end()
    assert states(lab) == ["completed", "completed", "blocked"]
    blocked = named(lab, "third")
    assert "it has waited its turn since 18:00 UTC" in blocked.reason
    assert "raise MAX_EXECUTIONS_AT_ONCE" in blocked.reason
    assert "could not be sent by 18:30 UTC (settings.maxLatenessMinutes)" in blocked.reason
    [end] = [one for one in lab.ports.violations.of(blocked.id) if one.finding.ends]
    assert SEND_AT - 8 * MINUTE <= end.at <= SEND_AT - 7 * MINUTE, "once the window and the steps no longer fit"
    assert blocked.cleaned


def test_an_execution_that_only_waits_to_be_cleaned_up_takes_no_place(make_lab: MakeLab) -> None:
    lab = crowd(make_lab, NAMES[:2], at_once=1)
    lab.run_to(SEND_AT + 2 * MINUTE)
    assert states(lab, NAMES[:2])[0] == "live"
    assert named(lab, "second").waiting is None


@pytest.mark.long
def test_a_place_is_kept_while_a_push_is_still_to_come(make_lab: MakeLab) -> None:
    lab = crowd(make_lab, NAMES[:1], at_once=1)
    later = [push(1), push(2, timing={"delayAfterPrevious": 30})]
    lab.save(recipe(id="first", pushSequence=later))
    lab.save(recipe(id="second", pushSequence=[push(1)]))
    lab.run_to(SEND_AT + 6 * MINUTE)
    assert named(lab, "second").waiting is not None
    lab.run_to_the_end()
    assert states(lab, NAMES[:2]) == ["completed", "blocked"]


@pytest.mark.parametrize("end", [cancel, stop])
def test_a_waiting_execution_can_be_cancelled_and_sends_nothing(
    make_lab: MakeLab, end: Callable[..., object]
) -> None:
    lab = crowd(make_lab)
    lab.run_to(SEND_AT - 5 * MINUTE)
    end(lab.ports, named(lab, "third").id, "a typo")
    lab.run_to_the_end()
    assert states(lab)[2] in ("cancelled", "stopped")
    assert named(lab, "third").cleaned
    assert {message["executionId"] for message in lab.outbox()} == {named(lab, name).id for name in NAMES[:2]}


@pytest.mark.long
def test_a_cancel_of_one_that_runs_lets_the_next_begin_at_once(make_lab: MakeLab) -> None:
    lab = crowd(make_lab)
    lab.run_to(SEND_AT - 20 * MINUTE)
    cancel(lab.ports, named(lab, "first").id, "a typo")
    lab.run_to(SEND_AT - 18 * MINUTE)
    assert named(lab, "third").state in (State.AUDIENCE_READY, State.TESTED)
    lab.run_to_the_end()
    assert states(lab) == ["cancelled", "completed", "completed"]


@pytest.mark.long
def test_a_cancelled_execution_does_not_keep_later_ones_waiting(make_lab: MakeLab) -> None:
    lab = crowd(make_lab, NAMES[:3], at_once=1)
    lab.run_to(SEND_AT - 5 * MINUTE)
    cancel(lab.ports, named(lab, "second").id, "a typo")
    lab.run_to_the_end()
    assert states(lab) == ["completed", "cancelled", "completed"]


@pytest.mark.long
def test_a_recipe_that_is_paused_or_deleted_while_it_waits_is_not_sent(make_lab: MakeLab) -> None:
    lab = crowd(make_lab, NAMES, at_once=2)
    lab.run_to(SEND_AT - 5 * MINUTE)
    pause_recipe(lab.ports, "third", by="growth@example.com")
    delete_recipe(lab.ports, "fourth", by="growth@example.com")
    lab.run_to_the_end()
    assert states(lab, NAMES) == ["completed", "completed", "cancelled", "cancelled"]


@pytest.mark.long
def test_a_recipe_that_is_edited_while_it_waits_is_sent_as_it_was_launched(make_lab: MakeLab) -> None:
    lab = crowd(make_lab)
    lab.run_to(SEND_AT - 5 * MINUTE)
    lab.save(recipe(id="third", pushSequence=[push(1, title="Another title")]))
    lab.run_to_the_end()
    sent = [message for message in lab.outbox(test=False) if message["executionId"] == named(lab, "third").id]
    assert len(sent) == 4
    assert not any("Another" in message["title"] for message in sent)


@pytest.mark.long
def test_steps_delivered_twice_and_out_of_order_change_nothing(make_lab: MakeLab) -> None:
    lab = crowd(make_lab)
    lab.run_to(SEND_AT - 5 * MINUTE)
    before = named(lab, "third")
    for function in ("build_audience", "checkpoint", "send_test", "build_audience", "finish"):
        answer = lab.deliver(function, executionId=before.id)
        assert "put off" in answer.text, function
    assert lab.launch(recipe_id="third").status == 200
    assert named(lab, "third") == before
    assert len(lab.report(before.id)["violations"]) == 1
    lab.run_to_the_end()
    assert states(lab) == ["completed"] * 3
    assert len(lab.outbox(test=False)) == 12


@pytest.mark.long
def test_waiting_is_no_drift(make_lab: MakeLab) -> None:
    lab = crowd(make_lab, NAMES[:2], at_once=1, settings__maxLatenessMinutes=120)
    lab.save(recipe(id="first", pushSequence=[push(1), push(2, timing={"delayAfterPrevious": 60})]))
    lab.run_to(SEND_AT + 3 * 60 * MINUTE)
    assert states(lab, NAMES[:2]) == ["completed"] * 2
    alerts = (lab.state / "alerts.jsonl").read_text()
    assert "second" in alerts
    assert "created its task build_audience again" not in alerts


@pytest.mark.long
def test_a_turn_comes_although_every_task_of_the_waiting_execution_is_lost(make_lab: MakeLab) -> None:
    lab = crowd(make_lab, settings__maxLatenessMinutes=60)
    lab.run_to(SEND_AT - 5 * MINUTE)
    with closing(sqlite3.connect(lab.state / "tminus.db")) as connection, connection:
        lost = connection.execute(
            "DELETE FROM tasks WHERE body LIKE ? AND done_at IS NULL", (f"%{named(lab, 'third').id}%",)
        )
        assert lost.rowcount >= 4
    lab.run_to_the_end()
    assert states(lab) == ["completed"] * 3


@pytest.mark.parametrize("after", [pytest.param(False, marks=pytest.mark.long), True], ids=["before", "after"])
@pytest.mark.parametrize("part", shares(4))
def test_a_crash_at_any_call_loses_no_turn_and_sends_nothing_twice(part: int, after: bool, make_lab: MakeLab) -> None:
    for number in range(5 * part, 60, 20):
        lab = crowd(make_lab, NAMES[:2], at_once=1, settings__maxLatenessMinutes=60)
        lab.run_to(START_AT - MINUTE)
        lab.close()
        lab.wrap = CrashPoint(number, after=after).wrap
        lab.open()
        while True:
            try:
                lab.run_to(SEND_AT + 30 * MINUTE)
            except Crash:
                lab.restart()
            else:
                break
        assert states(lab, NAMES[:2]) == ["completed"] * 2, number
        assert len({(each["executionId"], each["userId"]) for each in lab.outbox(test=False)}) == 8
        assert len(lab.outbox(test=False)) == 8
        lab.close()
