"""Skip one send of a recipe: nothing is sent then, the schedule goes on, and the skip can be taken back."""

from datetime import timedelta

import pytest

from functions.domain.errors import BadRecipe, NotPossible
from functions.domain.instants import stamp
from functions.domain.recipe.first_send import Underway
from functions.ports.executions import ExecutionSearch
from functions.usecases.recipes.save import restore_send, save_recipe, skip_send, stored_recipe, update_recipe
from functions.usecases.reports.upcoming import upcoming
from functions.usecases.timeline.launch import launch
from functions.usecases.timeline.reconcile import find_drift, reconcile
from tests.factories import recipe
from tests.functional.conftest import SEND_AT, START_AT, Lab

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
BY = "growth@example.com"


def states(lab: Lab) -> dict[str, str]:
    """The state of each execution of the recipe, by its send time."""
    found = lab.ports.executions.search(ExecutionSearch(recipe_id="welcome"), most=20, oldest_first=True)
    return {f"{each.send_at:%d. %H:%M}": each.state.value for each in found}


def skips(lab: Lab) -> list[str]:
    return list(stored_recipe(lab.ports, "welcome")["schedule"].get("skip", []))


def test_a_skipped_send_starts_nothing_and_is_not_missed(lab: Lab) -> None:
    lab.save()
    first = stored_recipe(lab.ports, "welcome")["firstSendAt"]
    skip_send(lab.ports, "welcome", SEND_AT, by=BY)
    assert stored_recipe(lab.ports, "welcome")["firstSendAt"] == first
    assert upcoming(lab.ports)[0].at == SEND_AT + DAY
    lab.clock.advance_to(START_AT)
    assert launch(lab.ports, "welcome", START_AT) is None
    lab.clock.advance_to(SEND_AT + 20 * MINUTE)
    assert find_drift(lab.ports) == []
    reconcile(lab.ports)
    assert states(lab) == {}


@pytest.mark.slow
def test_the_send_after_a_skipped_one_goes_out(lab: Lab) -> None:
    lab.save()
    skip_send(lab.ports, "welcome", SEND_AT, by=BY)
    lab.run_to(SEND_AT + DAY + 2 * MINUTE)
    assert states(lab) == {"03. 18:30": "live"}


def test_skipping_a_send_that_is_prepared_cancels_its_execution(lab: Lab) -> None:
    lab.save()
    lab.run_to(SEND_AT - 25 * MINUTE)
    skipped = skip_send(lab.ports, "welcome", SEND_AT, by=BY)
    assert [each.reason for each in skipped.cancelled] == ["its send is skipped"]
    assert states(lab) == {"02. 18:30": "cancelled"}
    restored = restore_send(lab.ports, "welcome", SEND_AT, by=BY)
    assert skips(lab) == []
    assert restored.cancelled == ()
    assert states(lab) == {"02. 18:30": "cancelled"}


def test_a_skip_written_by_hand_in_the_store_holds_at_the_checkpoint(lab: Lab) -> None:
    lab.save()
    lab.run_to(SEND_AT - 5 * MINUTE)
    document = stored_recipe(lab.ports, "welcome")
    document["schedule"]["skip"] = [stamp(SEND_AT)]
    lab.ports.recipes.change("welcome", lambda _: document)
    lab.run_to(SEND_AT + 2 * MINUTE)
    assert states(lab) == {"02. 18:30": "cancelled"}


def test_a_live_send_cannot_be_skipped(lab: Lab) -> None:
    lab.save()
    lab.run_to(SEND_AT + MINUTE)
    with pytest.raises(NotPossible, match=r"welcome_20260302T183000Z is live: stop it"):
        skip_send(lab.ports, "welcome", SEND_AT, by=BY)


def test_skipping_twice_changes_nothing_and_the_history_names_the_skip(lab: Lab) -> None:
    lab.save()
    for _ in range(2):
        skip_send(lab.ports, "welcome", SEND_AT + DAY, by=BY)
    assert skips(lab) == ["2026-03-03T18:30:00Z"]
    restore_send(lab.ports, "welcome", SEND_AT + DAY, by=BY)
    actions = [entry.deed.action.value for entry in lab.ports.audit.of_recipe("welcome", most=9)]
    assert sorted(actions) == ["restored", "saved", "saved", "skipped", "skipped"]


def test_a_restored_send_inside_its_lead_time_starts_at_once(lab: Lab) -> None:
    lab.save()
    skip_send(lab.ports, "welcome", SEND_AT, by=BY)
    lab.clock.advance_to(SEND_AT - 20 * MINUTE)
    restored = restore_send(lab.ports, "welcome", SEND_AT, by=BY)
    assert restored.notices == ("the send at 2026-03-02 18:30 UTC starts now, 20 minutes before its time",)


def test_what_cannot_be_skipped_is_refused_with_the_way_out(lab: Lab) -> None:
    lab.save()
    with pytest.raises(NotPossible, match="has no send at 2026-03-02 18:31 UTC: name one of its next sends"):
        skip_send(lab.ports, "welcome", SEND_AT + MINUTE, by=BY)
    with pytest.raises(NotPossible, match="only a future send can be skipped"):
        skip_send(lab.ports, "welcome", SEND_AT - DAY, by=BY)
    once = recipe(schedule__frequency="once", schedule__startDate="2026-03-02")
    lab.save(once)
    with pytest.raises(NotPossible, match="is the last one of recipe 'welcome': pause the recipe instead"):
        skip_send(lab.ports, "welcome", SEND_AT, by=BY)
    update_recipe(lab.ports, "welcome", {"status": "draft"}, by=BY)
    with pytest.raises(NotPossible, match="is draft: it has no send to skip"):
        skip_send(lab.ports, "welcome", SEND_AT, by=BY)


def test_a_skipped_day_stays_skipped_if_the_time_of_day_changes(lab: Lab) -> None:
    lab.save()
    skip_send(lab.ports, "welcome", SEND_AT, by=BY)
    schedule = stored_recipe(lab.ports, "welcome")["schedule"] | {"executionTime": "19:30"}
    update_recipe(lab.ports, "welcome", {"schedule": schedule}, by=BY, underway=Underway.REPLACE)
    assert upcoming(lab.ports)[0].at == SEND_AT + DAY + 60 * MINUTE


def test_saving_an_old_copy_of_the_recipe_does_not_turn_a_past_skip_into_a_missed_send(lab: Lab) -> None:
    lab.save()
    skip_send(lab.ports, "welcome", SEND_AT, by=BY)
    lab.clock.advance_to(SEND_AT + 60 * MINUTE)
    save_recipe(lab.ports, recipe(), by=BY)
    reconcile(lab.ports)
    assert states(lab) == {}
    assert skips(lab) == ["2026-03-02T18:30:00Z"]
    lab.clock.advance_to(SEND_AT + 40 * DAY)
    skip_send(lab.ports, "welcome", SEND_AT + 50 * DAY, by=BY)
    assert skips(lab) == ["2026-04-21T18:30:00Z"]


def test_a_new_skip_in_the_past_is_dropped_and_a_bad_one_named(lab: Lab) -> None:
    schedule = recipe()["schedule"]
    lab.save(recipe(schedule={**schedule, "skip": ["2026-02-01T18:30:00Z", "2026-03-05T18:30:00+00:00"]}))
    assert skips(lab) == ["2026-03-05T18:30:00Z"]
    with pytest.raises(BadRecipe, match=r"schedule\.skip\[0\]: must be an instant with its zone"):
        lab.save(recipe(schedule={**schedule, "skip": ["Friday"]}))
    many = [stamp(SEND_AT + day * DAY) for day in range(101)]
    with pytest.raises(BadRecipe, match=r"schedule\.skip.*100"):
        lab.save(recipe(schedule={**schedule, "skip": many}))
