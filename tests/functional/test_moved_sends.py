"""Move one send of a recipe: it goes out once, at its new time, and the schedule goes on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.errors import BadRecipe, NotPossible
from functions.domain.recipe.moved import moved_id
from functions.ports.executions import ExecutionSearch
from functions.usecases.recipes.move_send import move_send
from functions.usecases.recipes.save import (
    delete_recipe,
    pause_recipe,
    restore_send,
    resume_recipe,
    save_recipe,
    skip_send,
    stored_recipe,
)
from functions.usecases.reports.upcoming import next_sends
from functions.usecases.timeline.reconcile import find_drift
from tests.factories import recipe
from tests.functional.conftest import SEND_AT, Lab

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BY = "growth@example.com"
LATER = SEND_AT + 3 * HOUR
COPY = moved_id("welcome", SEND_AT)


def states(lab: Lab) -> dict[str, str]:
    """The state of each execution, by its recipe and send time."""
    found = lab.ports.executions.search(ExecutionSearch(), most=20, oldest_first=True)
    return {f"{each.recipe_id} {each.send_at:%d. %H:%M}": each.state.value for each in found}


@pytest.mark.slow
def test_a_moved_send_goes_out_once_at_its_new_time_and_the_next_one_as_planned(lab: Lab) -> None:
    lab.save()
    moved = move_send(lab.ports, "welcome", SEND_AT, LATER, by=BY)
    assert (moved.copy.id, moved.copy.name, moved.copy.first_send_at) == (COPY, "Welcome (moved)", LATER)
    assert [each.at for each in next_sends(lab.ports, most=2)] == [LATER, SEND_AT + DAY]
    lab.run_to(SEND_AT + DAY + HOUR)
    assert states(lab) == {f"{COPY} 02. 21:30": "completed", "welcome 03. 18:30": "completed"}
    assert find_drift(lab.ports) == []


def test_moving_it_again_changes_the_time_and_moving_it_twice_changes_nothing(lab: Lab) -> None:
    lab.save()
    for to in (LATER, LATER + DAY, LATER + DAY):
        move_send(lab.ports, "welcome", SEND_AT, to, by=BY)
    assert [each.at for each in next_sends(lab.ports, most=3)][1] == LATER + DAY
    assert stored_recipe(lab.ports, "welcome")["schedule"]["skip"] == ["2026-03-02T18:30:00Z"]


def test_a_skipped_send_can_be_moved_and_a_send_under_way_is_cancelled(lab: Lab) -> None:
    lab.save()
    lab.run_to(SEND_AT - 25 * MINUTE)
    skip_send(lab.ports, "welcome", SEND_AT, by=BY)
    move_send(lab.ports, "welcome", SEND_AT, LATER, by=BY)
    lab.run_to(LATER - 20 * MINUTE)
    move_send(lab.ports, "welcome", SEND_AT, LATER + HOUR, by=BY)
    assert states(lab) == {"welcome 02. 18:30": "cancelled", f"{COPY} 02. 21:30": "cancelled"}


def test_a_moved_send_that_is_restored_goes_out_at_its_own_time_only(lab: Lab) -> None:
    lab.save()
    move_send(lab.ports, "welcome", SEND_AT, LATER, by=BY)
    restore_send(lab.ports, "welcome", SEND_AT, by=BY)
    assert stored_recipe(lab.ports, COPY)["status"] == "paused"
    assert [each.at for each in next_sends(lab.ports, most=2)] == [SEND_AT, SEND_AT + DAY]
    move_send(lab.ports, "welcome", SEND_AT, LATER, by=BY)
    assert [each.at for each in next_sends(lab.ports, most=2)] == [LATER, SEND_AT + DAY]


def test_a_move_whose_time_has_passed_is_not_taken_back(lab: Lab) -> None:
    lab.save()
    move_send(lab.ports, "welcome", SEND_AT, LATER, by=BY)
    lab.clock.advance_to(SEND_AT + MINUTE)
    with pytest.raises(NotPossible, match="is not in the future: it stays skipped"):
        restore_send(lab.ports, "welcome", SEND_AT, by=BY)
    assert stored_recipe(lab.ports, COPY)["status"] == "active"


@pytest.mark.slow
def test_a_send_that_was_moved_forward_and_sent_stays_skipped(lab: Lab) -> None:
    lab.save()
    move_send(lab.ports, "welcome", SEND_AT + DAY, SEND_AT + HOUR, by=BY)
    copy = moved_id("welcome", SEND_AT + DAY)
    lab.run_to(SEND_AT + HOUR + 2 * MINUTE)
    pause_recipe(lab.ports, copy, by=BY)
    for refused in (
        lambda: restore_send(lab.ports, "welcome", SEND_AT + DAY, by=BY),
        lambda: move_send(lab.ports, "welcome", SEND_AT + DAY, LATER + DAY, by=BY),
    ):
        with pytest.raises(NotPossible, match=rf"recipe '{copy}'"):
            refused()


def test_a_copy_is_not_resumed_beside_the_send_itself(lab: Lab) -> None:
    lab.save()
    move_send(lab.ports, "welcome", SEND_AT, LATER, by=BY)
    restore_send(lab.ports, "welcome", SEND_AT, by=BY)
    with pytest.raises(NotPossible, match="which is not skipped"):
        resume_recipe(lab.ports, COPY, by=BY)


def test_resuming_a_campaign_says_which_moved_send_stays_off_and_it_can_be_restored(lab: Lab) -> None:
    lab.save()
    move_send(lab.ports, "welcome", SEND_AT, LATER, by=BY)
    pause_recipe(lab.ports, "welcome", by=BY)
    resumed = resume_recipe(lab.ports, "welcome", by=BY)
    said = f"the send that was moved to 2026-03-02 21:30 UTC stays off: resume recipe {COPY}, or restore the send"
    assert resumed.notices == (said,)
    resume_recipe(lab.ports, COPY, by=BY)
    assert next_sends(lab.ports, most=1)[0].at == LATER
    pause_recipe(lab.ports, COPY, by=BY)
    restore_send(lab.ports, "welcome", SEND_AT, by=BY)
    assert next_sends(lab.ports, most=1)[0].at == SEND_AT


def by_hand(lab: Lab, recipe_id: str, **schedule: Any) -> None:
    """Change a stored recipe behind Tminus's back."""
    document = stored_recipe(lab.ports, recipe_id)
    document["schedule"] = {name: value for name, value in {**document["schedule"], **schedule}.items() if value}
    lab.ports.recipes.change(recipe_id, lambda _: document)


def test_a_copy_does_not_go_live_if_its_send_is_not_skipped_any_more(lab: Lab) -> None:
    lab.save()
    move_send(lab.ports, "welcome", SEND_AT + DAY, SEND_AT + HOUR, by=BY)
    lab.run_to(SEND_AT + HOUR - 5 * MINUTE)
    by_hand(lab, "welcome", skip=None)
    lab.run_to(SEND_AT + HOUR + 2 * MINUTE)
    [copy] = lab.ports.executions.search(ExecutionSearch(recipe_id=moved_id("welcome", SEND_AT + DAY)), most=5)
    assert (copy.state, copy.reason) == ("cancelled", "the send in whose place it sends was restored")


@pytest.mark.slow
def test_a_send_does_not_go_live_if_its_copy_has(lab: Lab) -> None:
    lab.save()
    move_send(lab.ports, "welcome", SEND_AT + DAY, SEND_AT + HOUR, by=BY)
    lab.run_to(SEND_AT + 2 * HOUR)
    by_hand(lab, "welcome", skip=None)
    lab.run_to(SEND_AT + DAY + 2 * MINUTE)
    sent = lab.ports.executions.search(ExecutionSearch(recipe_id="welcome"), most=5)
    assert [(each.state, each.reason) for each in sent if each.send_at > SEND_AT] == [
        ("cancelled", "its send was moved, and has gone out")
    ]


def test_a_save_that_forgets_the_skip_of_a_moved_send_is_refused(lab: Lab) -> None:
    lab.save()
    move_send(lab.ports, "welcome", SEND_AT, LATER, by=BY)
    with pytest.raises(NotPossible, match=rf"was moved to recipe '{COPY}'.*Keep it in schedule.skip"):
        save_recipe(lab.ports, recipe(), by=BY)
    pause_recipe(lab.ports, COPY, by=BY)
    save_recipe(lab.ports, recipe(), by=BY)
    assert next_sends(lab.ports, most=1)[0].at == SEND_AT


@pytest.mark.parametrize("end", [pause_recipe, delete_recipe])
def test_a_campaign_that_is_paused_or_deleted_sends_no_moved_send_either(lab: Lab, end: Callable[..., Any]) -> None:
    lab.save()
    move_send(lab.ports, "welcome", SEND_AT, LATER, by=BY)
    lab.run_to(LATER - 10 * MINUTE)
    end(lab.ports, "welcome", by=BY)
    assert states(lab) == {f"{COPY} 02. 21:30": "cancelled"}
    assert stored_recipe(lab.ports, COPY)["status"] == "paused"


def test_what_cannot_be_moved_changes_nothing(lab: Lab) -> None:
    lab.save()
    before = stored_recipe(lab.ports, "welcome")
    with pytest.raises(BadRecipe, match=r"too soon|earliest"):
        move_send(lab.ports, "welcome", SEND_AT, lab.clock.now() + MINUTE, by=BY)
    with pytest.raises(NotPossible, match="is at 2026-03-02 18:30 UTC already"):
        move_send(lab.ports, "welcome", SEND_AT, SEND_AT, by=BY)
    with pytest.raises(NotPossible, match="name a whole minute"):
        move_send(lab.ports, "welcome", SEND_AT, LATER + timedelta(seconds=5), by=BY)
    with pytest.raises(NotPossible, match="sends at 2026-03-03 18:30 UTC anyway"):
        move_send(lab.ports, "welcome", SEND_AT, SEND_AT + DAY, by=BY)
    with pytest.raises(NotPossible, match="has no send at"):
        move_send(lab.ports, "welcome", SEND_AT + MINUTE, LATER, by=BY)
    assert stored_recipe(lab.ports, "welcome") == before
    assert lab.ports.recipes.get(COPY) is None


def test_the_only_send_is_moved_by_its_schedule(lab: Lab) -> None:
    lab.save(recipe(schedule__frequency="once", schedule__startDate="2026-03-02"))
    with pytest.raises(NotPossible, match="is the last one of recipe 'welcome': change its schedule instead"):
        move_send(lab.ports, "welcome", SEND_AT, LATER, by=BY)


def before_a_change(lab: Lab, patch: pytest.MonkeyPatch, recipe_id: str, act: Callable[[], object]) -> None:
    """Do something just before the next change of a recipe is written."""
    change = lab.ports.recipes.change

    def changed(which: str, *arguments: Any) -> object:
        if which == recipe_id:
            patch.undo()
            act()
        return change(which, *arguments)

    patch.setattr(lab.ports.recipes, "change", changed)


def test_a_restore_in_the_middle_of_a_move_leaves_one_send(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.save()
    before_a_change(lab, monkeypatch, COPY, lambda: restore_send(lab.ports, "welcome", SEND_AT, by="ben"))
    with pytest.raises(NotPossible, match="which is not skipped: skip or move that send first"):
        move_send(lab.ports, "welcome", SEND_AT, LATER, by=BY)
    assert lab.ports.recipes.get(COPY) is None
    assert [each.at for each in next_sends(lab.ports, most=2)] == [SEND_AT, SEND_AT + DAY]


def test_a_move_in_the_middle_of_a_restore_leaves_one_send(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.save()
    skip_send(lab.ports, "welcome", SEND_AT, by=BY)
    before_a_change(lab, monkeypatch, "welcome", lambda: move_send(lab.ports, "welcome", SEND_AT, LATER, by="ben"))
    with pytest.raises(NotPossible, match="users would get the push twice"):
        restore_send(lab.ports, "welcome", SEND_AT, by=BY)
    assert [each.at for each in next_sends(lab.ports, most=2)] == [LATER, SEND_AT + DAY]


def test_the_id_of_a_copy_fits_and_differs_by_recipe() -> None:
    ids = [moved_id("r" * 99 + end, SEND_AT) for end in "ab"]
    assert len(set(ids)) == 2
    assert all(len(each) <= 100 for each in ids)
