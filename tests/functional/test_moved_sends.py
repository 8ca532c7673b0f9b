"""Sends that are promised, moved and missed: saving inside the lead time, editing while one is under way."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.domain.errors import BadRecipe, NotPossible
from functions.domain.execution.execution import Kind, State
from functions.domain.recipe.first_send import ScheduleUnderWay, Underway
from functions.domain.recipe.read import read
from functions.ports.executions import ExecutionSearch
from functions.usecases.by_hand.start import start_by_hand
from functions.usecases.recipes.save import (
    complete_recipe,
    delete_recipe,
    pause_recipe,
    resume_recipe,
    stored_recipe,
    update_recipe,
)
from functions.usecases.reports.recipes import shown_recipe
from functions.usecases.timeline.control import cancel, stop
from functions.usecases.timeline.launch import launch
from functions.usecases.timeline.missed import start_due
from functions.usecases.timeline.reconcile import find_drift, reconcile
from tests.factories import push, recipe
from tests.functional.conftest import SEND_AT, START_AT, Lab

pytestmark = pytest.mark.slow

MakeLab = Callable[..., Lab]
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
BY = "growth@example.com"


def once(**changes: Any) -> dict[str, Any]:
    return recipe(**{"schedule__frequency": "once", "schedule__startDate": "2026-03-02", **changes})


def states(lab: Lab) -> dict[str, str]:
    """The state of each execution of the recipe, by its send time."""
    found = lab.ports.executions.search(ExecutionSearch(recipe_id="welcome"), most=20, oldest_first=True)
    return {f"{each.send_at:%d. %H:%M}": each.state.value for each in found}


def next_send(lab: Lab) -> str:
    return str(shown_recipe(stored_recipe(lab.ports, "welcome"), lab.clock.now())["nextSendAt"])


def move(lab: Lab, to: str, underway: Underway | None = None) -> Any:
    changes = {"schedule": {**recipe()["schedule"], "executionTime": to}}
    return update_recipe(lab.ports, "welcome", changes, by=BY, underway=underway)


# Inside the lead time.


@pytest.mark.parametrize("document", [recipe(), once()], ids=["daily", "once"])
@pytest.mark.parametrize("left", [29, 20, 10])
def test_a_recipe_saved_inside_its_lead_time_starts_with_the_time_that_is_left(
    left: int, document: dict[str, Any], make_lab: MakeLab
) -> None:
    lab = make_lab()
    lab.clock.advance_to(SEND_AT - left * MINUTE)
    lab.save(document)
    assert next_send(lab) == "2026-03-02T18:30:00Z"
    lab.run_to(SEND_AT + 2 * MINUTE)
    assert states(lab) == {"02. 18:30": "live"}
    lab.run_to_the_end()
    assert len(lab.outbox(test=False)) == 9


def test_a_once_recipe_that_is_too_near_to_prepare_is_refused_with_the_earliest_time(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.clock.advance_to(SEND_AT - 10 * MINUTE + timedelta(seconds=1))
    with pytest.raises(BadRecipe, match=r"9 minutes away.*take 10; the earliest time is now 2026-03-02 18:31 in UTC"):
        lab.save(once())
    assert lab.ports.recipes.get("welcome") is None


@pytest.mark.long
def test_a_daily_recipe_that_is_too_near_to_prepare_promises_tomorrow_and_says_why(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.clock.advance_to(SEND_AT - 9 * MINUTE)
    lab.save(recipe(status="draft"))
    resumed = resume_recipe(lab.ports, "welcome", by=BY)
    assert "2026-03-02 18:30 UTC is not sent: it is 9 minutes away" in resumed.notices[0]
    assert next_send(lab) == "2026-03-03T18:30:00Z"
    lab.run_to_the_end()
    assert states(lab) == {}
    lab.run_to(SEND_AT + DAY + MINUTE)
    assert states(lab) == {"03. 18:30": "live"}


def test_a_resumed_recipe_says_that_its_send_starts_now(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.clock.advance_to(SEND_AT - 20 * MINUTE)
    lab.save(recipe(status="draft"))
    resumed = resume_recipe(lab.ports, "welcome", by=BY)
    assert resumed.notices == ("the send at 2026-03-02 18:30 UTC starts now, 20 minutes before its time",)
    assert states(lab) == {"02. 18:30": "launched"}


def test_a_resumed_recipe_does_not_promise_the_send_that_its_pause_cancelled(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.run_to(SEND_AT - 25 * MINUTE)
    pause_recipe(lab.ports, "welcome", by=BY)
    resumed = resume_recipe(lab.ports, "welcome", by=BY)
    assert resumed.notices == ("2026-03-02 18:30 UTC is not sent: its execution is cancelled already",)
    assert next_send(lab) == "2026-03-03T18:30:00Z"
    lab.run_to_the_end()
    assert states(lab) == {"02. 18:30": "cancelled"}


def test_a_save_that_dies_before_it_starts_the_send_leaves_that_to_reconciling(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.clock.advance_to(SEND_AT - 20 * MINUTE)
    lab.ports.recipes.change("welcome", lambda _: {**recipe(), "firstSendAt": "2026-03-02T18:30:00Z"})
    lab.run_to(SEND_AT)
    assert states(lab) == {"02. 18:30": "live"}


def test_another_title_leaves_the_promise_as_it_is(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.clock.advance_to(SEND_AT - 9 * MINUTE)
    lab.ports.recipes.change("welcome", lambda _: {**recipe(), "firstSendAt": "2026-03-02T18:30:00Z"})
    update_recipe(lab.ports, "welcome", {"name": "Another"}, by=BY)
    assert next_send(lab) == "2026-03-02T18:30:00Z"
    lab.run_to(SEND_AT + MINUTE)
    assert states(lab) == {"02. 18:30": "live"}


# Missed.


def test_a_send_that_nothing_started_is_recorded_as_missed_with_an_alert(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.clock.advance_to(SEND_AT + 40 * MINUTE)
    assert find_drift(lab.ports) == ["the send of welcome at 2026-03-02 18:30 UTC was not started"]
    lab.run_to(SEND_AT + 45 * MINUTE)
    assert states(lab) == {"02. 18:30": "expired"}
    [violation] = lab.ports.violations.of(lab.id)
    assert violation.finding.type.value == "missed"
    assert "nothing started it until 40 minutes after its send time" in violation.finding.message
    assert "nothing started it until 40 minutes" in (lab.state / "alerts.jsonl").read_text()


def down_until(lab: Lab, at: datetime) -> None:
    """The system stands still, and the first thing that runs then is reconciling."""
    lab.clock.advance_to(at)
    reconcile(lab.ports)


def test_every_send_of_an_outage_of_days_is_recorded_as_missed(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    reconcile(lab.ports)
    lab.clock.advance_to(SEND_AT + 3 * DAY + 90 * MINUTE)
    assert len(find_drift(lab.ports)) == 4
    reconcile(lab.ports)
    assert states(lab) == {f"0{day}. 18:30": "expired" for day in (2, 3, 4, 5)}
    found = lab.ports.violations.unresolved(most=9)
    assert [violation.finding.type.value for violation in found] == ["missed"] * 4
    assert (lab.state / "alerts.jsonl").read_text().count("the send was missed") >= 4
    assert find_drift(lab.ports) == []
    assert reconcile(lab.ports).launched == ()


def test_sends_that_the_scheduler_starts_after_an_outage_hide_none_before_them(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    reconcile(lab.ports)
    lab.clock.advance_to(START_AT + 3 * DAY)
    launch(lab.ports, "welcome", START_AT + 3 * DAY)
    reconcile(lab.ports)
    assert states(lab) == {
        "02. 18:30": "expired",
        "03. 18:30": "expired",
        "04. 18:30": "expired",
        "05. 18:30": "launched",
    }


@pytest.mark.long
def test_of_ten_thousand_missed_sends_the_newest_are_recorded_and_the_others_counted_once(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save(
        recipe(schedule__frequency="custom", schedule__cronExpression="* * * * *", settings__maxLatenessMinutes=0)
    )
    reconcile(lab.ports)
    lab.clock.advance_to(lab.clock.now() + 7 * DAY)
    reads = count_reads(lab)
    due = 7 * 24 * 60 - 30
    assert f"{due - 20:,} more sends were missed" in find_drift(lab.ports)[0]
    for _ in range(2):
        reconcile(lab.ports)
    assert lab.ports.executions.count(ExecutionSearch(recipe_id="welcome", state=State.EXPIRED)) == 20
    [told] = [each for each in lab.ports.violations.unresolved(most=99) if each.finding.action == "counted"]
    assert f"{due - 20:,} more sends were missed from 2026-03-02 16:3" in told.finding.message
    assert told.finding.message in (lab.state / "alerts.jsonl").read_text()
    assert find_drift(lab.ports) == []
    assert len(reads) < 800, "each missed send alone would be ten thousand"


@pytest.mark.long
def test_reconciling_looks_up_few_executions_of_a_recipe_that_sends_each_minute(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save(
        recipe(schedule__frequency="custom", schedule__cronExpression="* * * * *", settings__maxLatenessMinutes=0)
    )
    down_until(lab, SEND_AT)
    down_until(lab, SEND_AT + 20 * 60 * MINUTE)
    reads = count_reads(lab)
    reconcile(lab.ports)
    assert len(reads) < 150


def test_a_count_of_missed_sends_survives_a_crash_and_is_reported_once(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save(recipe(schedule__frequency="custom", schedule__cronExpression="0 * * * *"))
    reconcile(lab.ports)
    lab.clock.advance_to(lab.clock.now() + 3 * DAY)
    document = stored_recipe(lab.ports, "welcome")
    for execution in start_due(lab.ports, read(document), lab.ports.executions.accounted_until()):
        assert execution.state is State.EXPIRED
        break  # a crash: nothing more is recorded, and nothing says that all sends are accounted for
    lab.restart()
    reconcile(lab.ports)
    assert lab.ports.executions.count(ExecutionSearch(recipe_id="welcome", state=State.EXPIRED)) == 20
    found = lab.ports.violations.unresolved(most=99)
    assert sum(each.finding.action == "counted" for each in found) == 1


CHANGES: dict[str, Callable[[Lab], object]] = {
    "moved": lambda lab: move(lab, "22:00"),
    "paused": lambda lab: pause_recipe(lab.ports, "welcome", by=BY),
    "deleted": lambda lab: delete_recipe(lab.ports, "welcome", by=BY),
}


@pytest.mark.parametrize("minutes", [10, 30])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_after_an_outage_records_the_send_that_it_makes_the_recipe_forget(
    change: Callable[[Lab], object], minutes: int, make_lab: MakeLab
) -> None:
    lab = make_lab()
    lab.save()
    lab.clock.advance_to(SEND_AT + minutes * MINUTE)
    change(lab)
    [violation] = lab.ports.violations.of(lab.id)
    assert violation.finding.type.value == "missed"
    assert states(lab) == {"02. 18:30": "expired"}
    reconcile(lab.ports)
    assert "02. 18:30" in states(lab)
    assert lab.outbox(test=False) == []


def test_a_refused_change_after_an_outage_leaves_the_send_to_start_late(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.clock.advance_to(SEND_AT + 10 * MINUTE)
    with pytest.raises(BadRecipe):
        update_recipe(lab.ports, "welcome", {"schedule": {"executionTime": "never"}}, by=BY)
    assert states(lab) == {}
    reconcile(lab.ports)
    assert states(lab) == {"02. 18:30": "launched"}


def test_saving_the_same_schedule_after_an_outage_leaves_the_send_to_start_late(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.clock.advance_to(SEND_AT + 10 * MINUTE)
    update_recipe(lab.ports, "welcome", {"name": "Welcome back"}, by=BY)
    assert states(lab) == {"02. 18:30": "launched"}


def count_reads(lab: Lab) -> list[str]:
    """The executions that are looked up from now on, as they are."""
    reads: list[str] = []
    store = lab.ports.executions

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def get(self, execution_id: str) -> Any:
            reads.append(execution_id)
            return store.get(execution_id)

    lab.ports = replace(lab.ports, executions=Counting())
    return reads


# Moved while today's send is under way.


def test_moving_todays_send_while_it_is_under_way_asks_what_becomes_of_it(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.run_to(START_AT + 2 * MINUTE)
    with pytest.raises(ScheduleUnderWay) as refused:
        move(lab, "18:45")
    assert str(refused.value) == (
        f"execution {lab.id}, which sends at 2026-03-02 18:30 UTC, is under way. underway=keep lets it send, and the "
        "new schedule starts on 2026-03-03 at 18:45 UTC; underway=replace cancels it, and the new schedule starts on "
        "2026-03-02 at 18:45 UTC"
    )
    assert stored_recipe(lab.ports, "welcome")["schedule"]["executionTime"] == "18:30"


@pytest.mark.long
def test_a_send_under_way_that_is_kept_goes_out_and_the_new_time_begins_tomorrow(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.run_to(START_AT + 2 * MINUTE)
    move(lab, "18:45", Underway.KEEP)
    lab.run_to(START_AT + 3 * MINUTE)
    update_recipe(lab.ports, "welcome", {"name": "Another"}, by=BY)
    assert next_send(lab) == "2026-03-03T18:45:00Z"
    lab.run_to(SEND_AT + DAY + timedelta(hours=1))
    assert states(lab) == {"02. 18:30": "completed", "03. 18:45": "completed"}


@pytest.mark.long
def test_a_send_under_way_that_is_replaced_is_cancelled_and_sent_at_the_new_time(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.run_to(START_AT + 2 * MINUTE)
    moved = move(lab, "18:45", Underway.REPLACE)
    assert moved.effects[0] == f"cancelled execution {lab.id}: its send was moved"
    lab.run_to_the_end()
    assert states(lab) == {"02. 18:30": "cancelled", "02. 18:45": "completed"}


@pytest.mark.long
def test_replacing_again_after_a_crash_cancels_what_was_left(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.run_to(START_AT + 2 * MINUTE)
    moved = {**stored_recipe(lab.ports, "welcome"), "firstSendAt": "2026-03-02T18:45:00Z"}
    moved["schedule"] = {**moved["schedule"], "executionTime": "18:45"}
    lab.ports.recipes.change("welcome", lambda _: moved)
    move(lab, "18:45", Underway.REPLACE)
    lab.run_to_the_end()
    assert states(lab) == {"02. 18:30": "cancelled", "02. 18:45": "completed"}


@pytest.mark.long
def test_an_edit_that_leaves_the_send_under_way_where_it_is_asks_nothing(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.run_to(START_AT + 2 * MINUTE)
    changes = {"name": "Another", "schedule": {**recipe()["schedule"], "endDate": "2026-03-20"}}
    update_recipe(lab.ports, "welcome", changes, by=BY)
    lab.run_to_the_end()
    assert states(lab) == {"02. 18:30": "completed"}


@pytest.mark.long
def test_a_recipe_that_has_sent_today_does_not_send_again_when_it_is_moved_to_later(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.run_to(SEND_AT + timedelta(hours=1))
    moved = move(lab, "23:00")
    assert "the recipe's send of 2026-03-02 went live, and it sends once a day" in moved.notices[0]
    lab.run_to(SEND_AT + DAY)
    assert states(lab) == {"02. 18:30": "completed"}


@pytest.mark.long
def test_a_schedule_moved_by_hand_in_the_store_sends_once_a_day_too(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.run_to(START_AT + 2 * MINUTE)
    by_hand = {**recipe(), "schedule": {**recipe()["schedule"], "executionTime": "18:45"}}
    lab.ports.recipes.change("welcome", lambda _: by_hand)
    lab.run_to_the_end()
    assert states(lab) == {"02. 18:30": "completed", "02. 18:45": "blocked"}
    assert "it sends once a day" in lab.ports.violations.of("welcome_20260302T184500Z")[0].finding.message


@pytest.mark.long
def test_a_cron_may_send_several_times_a_day(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save(recipe(schedule__frequency="custom", schedule__cronExpression="30 18,20 * * *"))
    lab.run_to(SEND_AT + timedelta(hours=4))
    assert states(lab) == {"02. 18:30": "completed", "02. 20:30": "completed"}


@pytest.mark.long
def test_a_once_recipe_that_is_moved_while_it_is_cleaned_up_stays_active(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save(once())
    lab.run_to(SEND_AT + 6 * MINUTE)
    lab.save(once(schedule__startDate="2026-03-03"))
    with pytest.raises(NotPossible, match="has a send left"):
        complete_recipe(lab.ports, "welcome", by="finish")
    lab.run_to_the_end()
    assert stored_recipe(lab.ports, "welcome")["status"] == "active"


# Several at one instant.


@pytest.mark.long
@pytest.mark.usefixtures("reconciling_every_5_minutes")
def test_an_execution_whose_creator_died_before_it_was_judged_is_judged_when_it_is_built(make_lab: MakeLab) -> None:
    lab = make_lab()
    for number in range(10):
        lab.save(recipe(id=f"recipe-{number:02d}", pushSequence=[push(1)]))
    lab.run_to(START_AT + MINUTE)
    lab.save(recipe(status="draft"))
    one = lab.ports.executions.get("recipe-00_20260302T183000Z")
    assert one is not None
    of_it = replace(one, id=lab.id, recipe_id="welcome", recipe=recipe(), state=State.LAUNCHED, claim="mine")
    lab.ports.executions.create(of_it)
    lab.ports.recipes.change("welcome", lambda _: recipe())
    lab.run_to(SEND_AT - MINUTE)
    assert states(lab) == {"02. 18:30": "launched"}, "it waits its turn"
    lab.run_to_the_end()
    assert states(lab) == {"02. 18:30": "completed"}


def test_of_two_started_by_hand_at_once_the_first_goes_on(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    first = start_by_hand(lab.ports, "welcome", Kind.MANUAL, lab.clock.now())
    with pytest.raises(NotPossible):
        start_by_hand(lab.ports, "welcome", Kind.MANUAL, lab.clock.now() + timedelta(seconds=1))
    lab.run_to(SEND_AT - timedelta(hours=1))
    assert lab.ports.executions.change(first.id, lambda same: same).state is State.COMPLETED


# By hand, after one was stopped.


@pytest.mark.long
def test_a_recipe_that_was_stopped_after_a_push_is_not_started_again_by_hand_today(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.run_to(SEND_AT + MINUTE)
    stop(lab.ports, lab.id, "a wrong price")
    refusal = f"execution {lab.id} has sent this recipe.*Wait until 2026-03-03 18:30 UTC, or send a one-off"
    with pytest.raises(NotPossible, match=refusal):
        start_by_hand(lab.ports, "welcome", Kind.MANUAL, lab.clock.now())


@pytest.mark.long
def test_a_recipe_whose_send_was_cancelled_can_be_started_by_hand(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.run_to(START_AT + MINUTE)
    cancel(lab.ports, lab.id, "somebody asked for it")
    start_by_hand(lab.ports, "welcome", Kind.MANUAL, lab.clock.now())
    lab.run_to_the_end()
    assert len(lab.outbox(test=False)) == 9
