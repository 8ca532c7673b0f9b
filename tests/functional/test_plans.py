"""The sends that people see announced: from the plans that saving and reconciling keep."""

from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.audit import Action, Deed
from functions.domain.recipe.plan import plan_of
from functions.domain.recipe.read import read
from functions.stores import stores_on
from functions.usecases.recipes.save import delete_recipe, pause_recipe, resume_recipe, update_recipe
from functions.usecases.reports.upcoming import HORIZON, next_sends, upcoming
from functions.usecases.timeline.control import cancel
from functions.usecases.timeline.reconcile import reconcile
from local.embedded.clock import VirtualClock
from local.memory.documents import MemoryDocuments
from tests.examples import examples
from tests.factories import recipe
from tests.functional.conftest import SEND_AT, Lab

BY = "growth@example.com"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def announced(lab: Lab, most: int = 3) -> list[datetime]:
    return [send.at for send in upcoming(lab.ports)[:most]]


def test_a_saved_recipe_is_announced_at_once_and_a_paused_one_is_not(lab: Lab) -> None:
    assert announced(lab) == [SEND_AT, SEND_AT + DAY, SEND_AT + 2 * DAY]
    pause_recipe(lab.ports, "welcome", by=BY)
    assert announced(lab) == []
    resume_recipe(lab.ports, "welcome", by=BY)
    assert announced(lab, 1) == [SEND_AT]
    delete_recipe(lab.ports, "welcome", by=BY)
    assert list(lab.ports.recipes.plans()) == []


def test_a_moved_schedule_is_announced_at_once(lab: Lab) -> None:
    update_recipe(lab.ports, "welcome", {"schedule": {**recipe()["schedule"], "executionTime": "20:45"}}, by=BY)
    assert announced(lab, 1) == [next(read(lab.ports.recipes.get("welcome") or {}).sends(lab.clock.now()))]


@pytest.mark.parametrize("edited", [recipe(status="paused"), {**recipe(), "schedule": 7}, None])
def test_what_is_edited_by_hand_is_announced_once_it_was_reconciled(edited: dict[str, Any] | None, lab: Lab) -> None:
    lab.ports.recipes.change("welcome", lambda _: edited)
    assert announced(lab, 1) == [SEND_AT]
    reconcile(lab.ports)
    assert announced(lab) == []
    lab.ports.recipes.change("welcome", lambda _: recipe())
    reconcile(lab.ports)
    assert announced(lab, 1) == [SEND_AT]


@pytest.mark.long
@pytest.mark.usefixtures("reconciling_every_5_minutes")
def test_reconciling_moves_a_plan_on_behind_the_send_that_has_passed(lab: Lab) -> None:
    lab.run_to(SEND_AT + 10 * MINUTE)
    assert [plan.next_send_at for plan in lab.ports.recipes.plans()] == [SEND_AT + DAY]


def test_a_plan_that_reconciling_has_not_seen_for_weeks_announces_what_is_to_come(lab: Lab) -> None:
    lab.clock.advance_to(SEND_AT + 20 * DAY + MINUTE)
    assert announced(lab, 2) == [SEND_AT + 21 * DAY, SEND_AT + 22 * DAY]
    assert [send.at for send in next_sends(lab.ports, most=2)] == [SEND_AT + 21 * DAY, SEND_AT + 22 * DAY]


@pytest.mark.slow
def test_a_send_under_way_is_not_among_the_next_ones_and_a_cancelled_one_is_off(lab: Lab) -> None:
    lab.run_to(SEND_AT - 10 * MINUTE)
    assert [send.at for send in next_sends(lab.ports, most=2)] == [SEND_AT + DAY, SEND_AT + 2 * DAY]
    under_way = upcoming(lab.ports)[0]
    assert under_way.at == SEND_AT
    assert under_way.execution
    assert not under_way.is_off
    cancel(lab.ports, under_way.execution.id, "wrong shoes")
    assert [(send.at, send.is_off) for send in next_sends(lab.ports, most=2)] == [
        (SEND_AT, True),
        (SEND_AT + DAY, False),
    ]


SCHEDULES = st.one_of(
    st.fixed_dictionaries(
        {
            "timezone": st.sampled_from(("UTC", "America/New_York", "Asia/Tokyo")),
            "frequency": st.sampled_from(("daily", "weekly", "monthly")),
            "executionTime": st.sampled_from(("00:05", "18:30", "18:31", "23:59")),
        }
    ),
    st.fixed_dictionaries(
        {
            "timezone": st.just("UTC"),
            "frequency": st.just("custom"),
            "cronExpression": st.sampled_from(("0 9 * * 1-5", "*/20 8-11 * * *", "0 0 29 2 *")),
        }
    ),
)


@examples(60, few=15)
@given(schedules=st.lists(SCHEDULES, max_size=12), stale=st.integers(0, 60), most=st.integers(1, 9))
def test_the_next_sends_are_the_first_of_all_however_old_the_plans_are(
    schedules: list[dict[str, Any]], stale: int, most: int
) -> None:
    clock = VirtualClock(SEND_AT)
    stores = stores_on(MemoryDocuments())
    ports: Any = SimpleNamespace(clock=clock, recipes=stores["recipes"], executions=stores["executions"])
    documents = [{**recipe(), "id": f"r{number:02}", "schedule": each} for number, each in enumerate(schedules)]
    recipes = [read(document) for document in documents]
    for document in documents:
        ports.recipes.change(document["id"], partial(_put, document), Deed(by=BY, at=SEND_AT, action=Action.SAVED))
    clock.advance_to(SEND_AT + stale * DAY / 2)
    now = clock.now()
    every = sorted((at, each.id) for each in recipes for at in _until(each.sends(now), now + HORIZON))
    found = [(send.at, send.recipe_id) for send in next_sends(ports, most=most)]
    assert found == every[:most]
    assert [(send.at, send.recipe_id) for send in upcoming(ports)] == every


def _put(document: dict[str, Any], _: object) -> dict[str, Any]:
    return document


def _until(instants: Any, last: datetime) -> list[datetime]:
    found = []
    for at in instants:
        if at >= last:
            break
        found.append(at)
    return found


def test_a_plan_says_when_its_recipe_sends() -> None:
    written = recipe(schedule__frequency="once", schedule__startDate="2026-03-02")
    plan = plan_of(read(written), SEND_AT - DAY)
    assert plan
    assert list(plan.sends(SEND_AT - DAY)) == [SEND_AT] == [plan.next_send_at]
    assert plan_of(read(written), SEND_AT + MINUTE) is None
