"""Reconcile finds and corrects drift: schedules, missed starts, lost tasks, edits by hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.ports.queue import ScheduledJob, Task
from functions.usecases.recipes.save import pause_recipe, resume_recipe
from functions.usecases.timeline.reconcile import reconcile
from local.embedded.system import RECONCILE_JOB
from tests.factories import executions_of, recipe
from tests.functional.conftest import SEND_AT, START_AT, Lab

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("reconciling_every_5_minutes")]

MINUTE = timedelta(minutes=1)
MakeLab = Callable[..., Lab]


def drift(lab: Lab) -> tuple[str, ...]:
    return reconcile(lab.ports).sentences


def test_a_sound_system_shows_no_drift(lab: Lab) -> None:
    assert drift(lab) == ()
    lab.run_to(SEND_AT + timedelta(days=1))
    assert "drift" not in (lab.state / "alerts.jsonl").read_text()


@pytest.mark.long
def test_a_lost_schedule_is_created_again(lab: Lab) -> None:
    lab.ports.schedules.delete("tminus-welcome")
    assert drift(lab) == ("created the schedule tminus-welcome: 0 18 * * * in UTC",)
    lab.run_to_the_end()
    assert len(lab.outbox(test=False)) == 9


def test_a_schedule_without_a_recipe_is_deleted(lab: Lab) -> None:
    lab.ports.schedules.put(
        ScheduledJob(name="tminus-old", cron="0 18 * * *", zone="UTC", function="launch", body={"recipeId": "old"})
    )
    assert drift(lab) == ("deleted the schedule tminus-old: no active recipe has it",)


@pytest.mark.long
def test_a_schedule_moved_by_hand_is_corrected_and_launches_nothing_meanwhile(lab: Lab) -> None:
    job = ScheduledJob(
        name="tminus-welcome", cron="7 17 * * *", zone="UTC", function="launch", body={"recipeId": "welcome"}
    )
    lab.ports.schedules.put(job)
    lab.run_to_the_end()
    assert len(executions_of(lab.ports, "welcome")) == 1
    assert len(lab.outbox(test=False)) == 9


@pytest.mark.parametrize("late", [4 * MINUTE, 29 * MINUTE, 35 * MINUTE])
def test_a_missed_start_is_launched_as_long_as_it_is_not_too_late(late: timedelta, make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save()
    lab.clock.advance_to(START_AT + late)
    lab.ports.schedules.delete("tminus-welcome")
    assert drift(lab)[-1] == f"the start of {lab.id} was missed: it is launched now"
    lab.run_to_the_end()
    assert lab.report()["status"] == "completed"
    assert (len(lab.outbox(test=True)), len(lab.outbox(test=False))) == (3, 9)
    lab.assert_contract()


def test_a_start_that_was_missed_for_too_long_is_recorded_as_expired(lab: Lab) -> None:
    lab.clock.advance_to(SEND_AT + 16 * MINUTE)
    lab.ports.schedules.delete("tminus-welcome")
    drift(lab)
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.outbox()) == ("expired", [])
    assert lab.execution().cleaned


@pytest.mark.long
def test_a_late_start_still_leaves_people_five_minutes_to_cancel(lab: Lab) -> None:
    lab.clock.advance_to(SEND_AT + 2 * MINUTE)
    lab.ports.schedules.delete("tminus-welcome")
    drift(lab)
    lab.run_to(SEND_AT + 7 * MINUTE - timedelta(seconds=1))
    assert (len(lab.outbox(test=True)), lab.outbox(test=False)) == (3, [])
    lab.run_to_the_end()
    assert lab.outbox(test=False)[0]["at"].startswith("2026-03-02T18:37:0")


@pytest.mark.long
def test_a_start_so_late_that_no_window_is_left_sends_nothing(lab: Lab) -> None:
    lab.clock.advance_to(SEND_AT + 11 * MINUTE)
    lab.ports.schedules.delete("tminus-welcome")
    drift(lab)
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.outbox(test=False)) == ("expired", [])


@pytest.mark.parametrize(
    "function", ["build_audience", "send_test", "checkpoint", "send_push", "send_shard", "finish"]
)
def test_a_lost_task_is_created_again(function: str, make_lab: MakeLab) -> None:
    lost: list[str] = []

    class _Loses:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def add(self, task: Task) -> bool:
            if task.function == function and task.name not in lost and task.name.endswith("-g0"):
                lost.append(task.name)
                return True
            return bool(self._inner.add(task))

    lab = make_lab(wrap=lambda ports: replace(ports, tasks=_Loses(ports.tasks)))
    lab.save()
    lab.run_to(SEND_AT + timedelta(hours=3))
    assert lost
    assert lab.report()["status"] == "completed"
    assert (len(lab.outbox(test=True)), len(lab.outbox(test=False))) == (3, 9)
    assert lab.execution().cleaned


def store(lab: Lab, document: dict[str, Any]) -> None:
    """Write a document as a person does in the database's console: past every check."""
    lab.ports.recipes.change(document["id"], lambda _: document)


@pytest.mark.long
def test_a_recipe_broken_by_hand_is_reported_and_never_run(lab: Lab) -> None:
    broken = recipe()
    broken["schedule"]["executionTime"] = "25:61"
    store(lab, broken)
    told = drift(lab)
    assert any("recipe 'welcome' is malformed and will not run: schedule.executionTime" in line for line in told)
    lab.run_to(SEND_AT + timedelta(days=2))
    assert lab.outbox() == []
    assert [job.name for job in lab.ports.schedules.all()] == ["reconcile-tminus"]


@pytest.mark.long
def test_a_recipe_paused_by_hand_before_t0_sends_nothing(lab: Lab) -> None:
    lab.run_to(SEND_AT - 10 * MINUTE)
    store(lab, recipe(status="paused"))
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.outbox(test=False)) == ("cancelled", [])


@pytest.mark.long
def test_a_recipe_deleted_by_hand_before_t0_sends_nothing(lab: Lab) -> None:
    lab.run_to(SEND_AT - 10 * MINUTE)
    lab.ports.recipes.change("welcome", lambda _: None)
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.outbox(test=False)) == ("cancelled", [])


@pytest.mark.long
@pytest.mark.parametrize("written", [recipe(status="paused"), recipe(status="paused", pushSequence=7), None])
def test_a_recipe_stopped_by_hand_in_the_last_moment_sends_nothing(written: dict[str, Any] | None, lab: Lab) -> None:
    lab.ports.schedules.delete(RECONCILE_JOB.name)
    lab.run_to(SEND_AT, inclusive=False)
    lab.ports.recipes.change("welcome", lambda _: written)
    lab.run_to_the_end()
    assert (lab.report()["status"], lab.outbox(test=False)) == ("cancelled", [])


@pytest.mark.long
def test_what_a_recipe_started_that_was_resumed_during_reconciling_goes_on(lab: Lab) -> None:
    pause_recipe(lab.ports, "welcome", by="ops@example.com")
    lab.run_to(START_AT + 5 * MINUTE)
    recipes = _Meanwhile(lab.ports.recipes, lambda: resume_recipe(lab.ports, "welcome", by="ops@example.com"))
    assert reconcile(replace(lab.ports, recipes=recipes)).cancelled == ()
    lab.run_to_the_end()
    assert (lab.report()["status"], len(lab.outbox(test=False))) == ("completed", 9)


def test_the_schedule_of_a_recipe_that_was_saved_during_reconciling_stays(make_lab: MakeLab) -> None:
    lab = make_lab()
    recipes = _Meanwhile(lab.ports.recipes, lab.save)
    assert reconcile(replace(lab.ports, recipes=recipes)).schedules == ()
    assert "tminus-welcome" in {job.name for job in lab.ports.schedules.all()}


class _Meanwhile:
    """A store in which somebody does something while all recipes are being read."""

    def __init__(self, inner: Any, do: Callable[[], object]) -> None:
        self._inner, self._do = inner, do

    def all(self) -> list[Any]:
        found = list(self._inner.all())
        self._do()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.mark.long
def test_a_recipe_written_by_hand_gets_its_schedule_and_runs(make_lab: MakeLab) -> None:
    lab = make_lab()
    store(lab, recipe(unknown={"kept": [1, None]}))
    lab.run_to_the_end()
    assert len(lab.outbox(test=False)) == 9
    assert (lab.ports.recipes.get("welcome") or {})["unknown"] == {"kept": [1, None]}


@pytest.mark.long
def test_reconciling_often_changes_nothing(lab: Lab) -> None:
    lab.run_to(SEND_AT + 3 * MINUTE)
    before = lab.outbox()
    for _ in range(5):
        assert drift(lab) == ()
    assert lab.outbox() == before
