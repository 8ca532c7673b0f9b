"""Stopping, cancelling, pausing, resuming and executing now, over HTTP."""

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.execution.execution import State
from tests.factories import executions_of, push, recipe
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import EARLIER, SEND_AT, START_AT, Lab

CONTROL = "/api/automation/control"
MINUTE = timedelta(minutes=1)


def give(api: ApiClient, action: str, **order: Any) -> Any:
    return api.data("POST", CONTROL, json={"action": action, **order})


@pytest.mark.long
def test_a_cancel_a_minute_before_t0_sends_nothing(lab: Lab, api: ApiClient) -> None:
    lab.run_to(SEND_AT - MINUTE)
    done = give(api, "cancel", executionId=lab.id, reason="wrong picture")
    assert [each["status"] for each in done["executions"]] == ["cancelled"]
    lab.run_to_the_end()
    assert lab.outbox(test=False) == []
    assert lab.execution().reason == "wrong picture (local)"


@pytest.mark.long
def test_a_cancel_after_t0_says_what_is_possible(lab: Lab, api: ApiClient) -> None:
    lab.run_to(SEND_AT + MINUTE)
    response = api("POST", CONTROL, json={"action": "cancel", "executionId": lab.id})
    assert (response.status_code, "can no longer be cancelled" in response.text) == (409, True)


@pytest.mark.long
def test_an_emergency_stop_ends_an_execution_a_recipe_or_everything(lab: Lab, api: ApiClient) -> None:
    lab.save(recipe(id="other"))
    lab.run_to(SEND_AT + MINUTE)
    assert api("POST", CONTROL, json={"action": "emergency_stop"}).status_code == 422
    stopped = give(api, "emergency_stop", recipeId="welcome")
    assert [each["executionId"] for each in stopped["executions"]] == [lab.id]
    assert len(give(api, "emergency_stop", all=True)["executions"]) == 1
    before = lab.outbox()
    lab.run_to_the_end()
    assert lab.outbox() == before
    assert {lab.execution(each.id).state for each in executions_of(lab.ports, "other")} == {State.STOPPED}


@pytest.mark.long
def test_what_is_possible_now_follows_the_state_of_things(lab: Lab, api: ApiClient) -> None:
    asked = f"{CONTROL}?recipeId=welcome"
    assert api.data("GET", asked)["recipe"] == ["pause", "execute_now"]
    lab.run_to(START_AT)
    assert api.data("GET", CONTROL)["executions"][0]["possible"] == ["cancel", "emergency_stop"]
    lab.run_to(SEND_AT)
    assert api.data("GET", asked)["executions"][0]["possible"] == ["emergency_stop"]
    give(api, "pause", recipeId="welcome")
    assert api.data("GET", asked)["recipe"] == ["resume"]
    give(api, "resume", id="welcome")
    assert api.data("GET", asked)["recipe"] == ["pause", "execute_now"]
    assert api("GET", f"{CONTROL}?recipeId=unknown").status_code == 404
    assert api("GET", f"{CONTROL}?executionId=unknown").status_code == 404


@pytest.mark.parametrize(
    "body", [{"action": "explode"}, {"action": "pause"}, {"action": "cancel", "recipeId": 5}, {}]
)
def test_an_order_that_means_nothing_names_the_field(body: dict[str, Any], api: ApiClient) -> None:
    response = api("POST", CONTROL, json=body)
    assert response.status_code == 422
    assert json.loads(response.text)["errors"][0]["field"] in ("action", "recipeId")


@pytest.mark.slow
def test_executing_now_runs_the_whole_timeline_with_a_window_to_cancel(lab: Lab, api: ApiClient) -> None:
    response = api("POST", CONTROL, json={"action": "execute_now", "recipeId": "welcome"})
    assert response.status_code == 202
    place = response.headers["Location"]
    assert api.data("GET", place)["secondsToSend"] == 600
    lab.run_to(EARLIER + 5 * MINUTE)
    assert (len(lab.outbox(test=True)), len(lab.outbox(test=False))) == (3, 0)
    lab.run_to(EARLIER + 25 * MINUTE)
    assert api.data("GET", place)["totals"]["sent"] == 9
    lab.run_to_the_end()
    assert len(lab.outbox(test=False)) == 18  # the scheduled send goes out as well, once this one is over
    lab.assert_contract()


def test_a_request_that_comes_again_under_its_key_starts_nothing_new(lab: Lab, api: ApiClient) -> None:
    order, key = {"action": "execute_now", "recipeId": "welcome"}, {"Idempotency-Key": "monday"}
    first = api("POST", CONTROL, json=order, headers=key)
    lab.restart()
    lab.clock.advance_to(lab.clock.now() + MINUTE)
    again = api("POST", CONTROL, json=order, headers=key)
    assert again.headers["Location"] == first.headers["Location"]
    assert len(executions_of(lab.ports, "welcome")) == 1
    lab.save(recipe(id="other"))
    other = api("POST", CONTROL, json={**order, "recipeId": "other"}, headers=key)
    assert (other.status_code, "use a new key" in other.text) == (422, True)


@pytest.mark.slow
def test_two_executions_of_a_recipe_never_send_its_sequence_side_by_side(lab: Lab, api: ApiClient) -> None:
    order = {"action": "execute_now", "recipeId": "welcome"}
    lab.run_to(START_AT - 5 * MINUTE)
    soon = api("POST", CONTROL, json=order)
    assert (soon.status_code, "starts by its schedule at 2026-03-02 18:00" in soon.text) == (409, True)
    lab.run_to(START_AT + MINUTE)
    beside = api("POST", CONTROL, json=order)
    assert (beside.status_code, lab.id in beside.text) == (409, True)
    lab.run_to_the_end()
    assert len(lab.outbox(test=False)) == 9


@pytest.mark.slow
def test_a_scheduled_send_gives_way_to_one_by_hand_that_is_still_under_way(lab: Lab, api: ApiClient) -> None:
    lab.save(recipe(pushSequence=[push(1), push(2, timing={"delayAfterPrevious": 240})]))
    assert give(api, "execute_now", recipeId="welcome")["executions"][0]["kind"] == "manual"
    lab.run_to_the_end()
    assert (lab.execution().state, lab.violations()) == (State.BLOCKED, ["another_under_way"])
    lab.run_to(SEND_AT + timedelta(hours=5))
    assert len(lab.outbox(test=False)) == 7


def test_only_an_active_recipe_sends_for_any_caller(lab: Lab, api: ApiClient) -> None:
    give(api, "pause", recipeId="welcome")
    response = api("POST", CONTROL, json={"action": "execute_now", "recipeId": "welcome"})
    assert (response.status_code, "paused" in response.text) == (409, True)
    assert executions_of(lab.ports, "welcome") == []


@pytest.mark.slow
def test_pausing_answers_which_executions_it_cancelled(lab: Lab, api: ApiClient) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=10))
    order = {"action": "pause", "recipeId": "welcome"}
    done = api.data("POST", "/api/automation/control", json=order)
    assert [(each["executionId"], each["status"]) for each in done["executions"]] == [(lab.id, "cancelled")]
    assert api.data("POST", "/api/automation/control", json=order)["executions"] == []


def test_removing_answers_which_executions_it_cancelled(lab: Lab, api: ApiClient) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=10))
    assert api.data("DELETE", "/api/automation/recipes/welcome")["cancelled"] == [lab.id]


def test_the_next_send_of_a_recipe_is_one_that_goes_out(lab: Lab, api: ApiClient) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=10))
    recipe_at = "/api/automation/recipes/welcome"
    assert api.data("GET", recipe_at)["nextSendAt"] == "2026-03-02T18:30:00Z"
    api.data("POST", "/api/automation/control", json={"action": "cancel", "executionId": lab.id})
    assert api.data("GET", recipe_at)["nextSendAt"] == "2026-03-03T18:30:00Z"


def test_a_send_is_skipped_and_restored_and_an_order_without_a_send_names_the_field(api: ApiClient) -> None:
    at = SEND_AT.isoformat()
    assert give(api, "skip", recipeId="welcome", sendAt=at)["executions"] == []
    assert api.data("GET", "/api/automation/recipes/welcome")["schedule"]["skip"] == ["2026-03-02T18:30:00Z"]
    assert api.data("GET", "/api/automation/recipes/welcome")["nextSendAt"] == "2026-03-03T18:30:00Z"
    give(api, "restore", recipeId="welcome", sendAt=at)
    assert "skip" not in api.data("GET", "/api/automation/recipes/welcome")["schedule"]
    response = api("POST", CONTROL, json={"action": "skip", "recipeId": "welcome"})
    assert (response.status_code, "sendAt" in response.text) == (422, True)


def test_a_send_is_moved_once_and_an_order_without_a_time_names_the_field(api: ApiClient) -> None:
    order = {"action": "move", "recipeId": "welcome", "sendAt": SEND_AT.isoformat()}
    for _ in range(2):
        response = api("POST", CONTROL, json={**order, "to": "2026-03-02T21:00:00+01:00"})
        assert "recipe welcome-moved-20260302T1830Z sends once at 2026-03-02 20:00 UTC" in response.text
    moved = api.data("GET", "/api/automation/recipes/welcome-moved-20260302T1830Z")
    assert (moved["nextSendAt"], moved["status"]) == ("2026-03-02T20:00:00Z", "active")
    assert api.data("GET", "/api/automation/recipes/welcome")["nextSendAt"] == "2026-03-03T18:30:00Z"
    response = api("POST", CONTROL, json=order)
    assert (response.status_code, "to: is missing; move needs it" in response.text) == (422, True)
