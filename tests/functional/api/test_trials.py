"""The four test modes of a recipe, over HTTP."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from functions.domain.audience.partition import partition_of
from functions.domain.execution.execution import State
from functions.domain.ids import user_key
from tests.factories import TESTER, executions_of, push, recipe, user
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import EARLIER, SEND_AT, START_AT, Lab
from tests.functional.crashes import Crash, CrashPoint, shares

TEST = "/api/automation/test/welcome"
MINUTE = timedelta(minutes=1)
KEY = {"Idempotency-Key": "k"}
PARTS = 4
"""Into how many tests the crashes are cut."""
LAYERED = [push(1, layerId=3), push(2, layerId=3), push(3, layerId=1)]


def test_a_link_preview_never_sends(lab: Lab, api: ApiClient) -> None:
    for mode in ("test-live-send", "live-send"):
        response = api("GET", f"{TEST}?mode={mode}")
        assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    lab.run_to(EARLIER + 20 * MINUTE)
    assert lab.outbox() == []


@pytest.mark.slow
def test_a_dry_run_of_the_tests_shows_what_each_test_user_would_get(api: ApiClient) -> None:
    found = api.data("GET", TEST)
    assert [(each["audienceSize"], each["samples"][0]["userId"]) for each in found["pushes"]] == [(1, TESTER)] * 3
    assert (found["valid"], found["totals"]["messages"], found["problems"]) == (True, 3, [])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_dry_run_leaves_nothing_behind(method: str, lab: Lab, api: ApiClient) -> None:
    before = {path.name for path in lab.state.rglob("*.csv")}
    api.data(method, f"{TEST}?mode=real-dry-run")
    assert {path.name for path in lab.state.rglob("*.csv")} == before
    assert (lab.outbox(), lab.ports.executions.unfinished()) == ([], [])


@pytest.mark.slow
def test_a_dry_run_says_what_live_would_do_to_everybody(lab: Lab, api: ApiClient) -> None:
    lab.write_users({"a": range(10), "b": range(5, 12), "c": range(3)}, without_token=[0, 1])
    lab.save(recipe(pushSequence=LAYERED))
    found = api.data("GET", f"{TEST}?mode=real-dry-run")
    live = api("POST", f"{TEST}?mode=live-send").headers["Location"]
    lab.run_to(EARLIER + 30 * MINUTE)
    report = api.data("GET", live)
    assert report["status"] == "completed"
    for tried, sent in zip(found["pushes"], report["pushes"], strict=True):
        assert (tried["audienceSize"], tried["excluded"]) == (sent["audienceSize"], sent["excluded"])
        assert tried["eligible"] == sent["sent"]
    assert found["totals"]["excluded"] == {"no_token": 4, "layer_3_cooldown": 5}


@pytest.mark.long
def test_a_dry_run_counts_the_pushes_of_a_sequence_against_each_other_and_reserves_none(
    lab: Lab, api: ApiClient
) -> None:
    lab.write_users({"a": range(4), "b": range(4), "c": []})
    lab.save(recipe(pushSequence=[push(1, layerId=3), push(2, layerId=3)]))
    for _ in range(2):
        pushes = api.data("GET", f"{TEST}?mode=real-dry-run")["pushes"]
        assert [each["excluded"] for each in pushes] == [{}, {"layer_3_cooldown": 4}]
    key = user_key(user(1))
    day = SEND_AT.date()
    assert lab.ports.ledger.transact(partition_of(key), [day], lambda days: ({}, dict(days).get(day, b""))) == b""


@pytest.mark.slow
def test_a_dry_run_finds_what_would_go_wrong(lab: Lab, api: ApiClient) -> None:
    lab.write_rows([(user(1), "", "Ann", "a"), (user(2), "x" * 5_000, "Bob", "a"), (user(3), "Shoe", "Cy", "b")])
    lab.store(
        recipe(
            pushSequence=[push(1), push(2), push(3)],
            settings={"testUserIds": [], "safeguards": {"maxAudienceSize": 1}},
        )
    )
    found = api.data("GET", f"{TEST}?mode=real-dry-run")
    told = {(each["type"], each["severity"]) for each in found["problems"]}
    assert told >= {("audience_too_large", "critical"), ("test_failed", "critical"), ("audience_empty", "warning")}
    assert found["valid"] is False
    assert found["pushes"][0]["excluded"] == {"missing_variable": 1, "payload_too_large": 1}


def test_a_dry_run_tells_of_a_job_that_fails(lab: Lab, api: ApiClient) -> None:
    (lab.data / "users.csv").unlink()
    found = json.loads(api("GET", f"{TEST}?mode=real-dry-run").text)
    assert (found["data"]["valid"], "users" in found["data"]["problems"][0]["message"]) == (False, True)
    assert "not ready to send: the audiences cannot be built" in found["message"]


@pytest.mark.slow
def test_a_live_test_sends_each_push_once_to_each_test_user_and_ends_there(lab: Lab, api: ApiClient) -> None:
    response = api("POST", f"{TEST}?mode=test-live-send")
    assert response.status_code == 202
    lab.run_to(EARLIER + 20 * MINUTE)
    assert [(each["userId"], each["test"], each["push"]) for each in lab.outbox()] == [
        (TESTER, True, n) for n in (1, 2, 3)
    ]
    report = api.data("GET", response.headers["Location"])
    assert (report["status"], report["kind"], report["totals"]["testSent"]) == ("completed", "test", 3)
    assert not list((lab.state / "devices").rglob("*.csv"))


@pytest.mark.long
def test_a_live_test_reserves_nothing_and_takes_no_scheduled_send_away(lab: Lab, api: ApiClient) -> None:
    lab.write_users({"a": range(4), "b": [], "c": []})
    lab.save(recipe(pushSequence=[push(1, layerId=3)]))
    lab.run_to(SEND_AT - MINUTE)
    api("POST", f"{TEST}?mode=test-live-send")  # its own T-0 is the very minute of the scheduled one
    lab.run_to_the_end()
    assert (lab.execution().state, len(lab.outbox(test=False)), len(lab.outbox(test=True))) == (State.COMPLETED, 4, 2)


@pytest.mark.long
@pytest.mark.parametrize("status", ["draft", "paused"])
def test_a_recipe_can_be_tested_before_it_is_active(status: str, lab: Lab, api: ApiClient) -> None:
    lab.save(recipe(status=status))
    place = api("POST", f"{TEST}?mode=test-live-send").headers["Location"]
    lab.save(recipe(status=status, name="Edited meanwhile"))
    lab.run_to(START_AT)
    assert (api.data("GET", place)["status"], len(lab.outbox())) == ("completed", 3)
    assert api("POST", f"{TEST}?mode=live-send").status_code == 409


@pytest.mark.long
def test_a_live_test_that_fails_says_what_to_set(lab: Lab, api: ApiClient) -> None:
    lab.save(recipe(settings={"testUserIds": [user(99)]}))
    place = api("POST", f"{TEST}?mode=test-live-send").headers["Location"]
    lab.run_to(START_AT)
    report = api.data("GET", place)
    assert (report["status"], "no device token" in report["reason"]) == ("blocked", True)


@pytest.mark.long
def test_a_live_send_respects_cadence_and_fills_the_ledger(lab: Lab, api: ApiClient) -> None:
    lab.save(recipe(pushSequence=[push(1, layerId=3)]))
    place = api("POST", f"{TEST}?mode=live-send").headers["Location"]
    lab.run_to_the_end()
    assert api.data("GET", place)["totals"]["sent"] == 4
    assert lab.report()["totals"]["excluded"] == {"layer_3_cooldown": 4}


def test_a_key_names_one_send_however_often_it_is_asked_for(lab: Lab, api: ApiClient) -> None:
    places = set()
    for _ in range(3):
        places.add(api("POST", f"{TEST}?mode=live-send", headers=KEY).headers["Location"])
        lab.restart()
        lab.clock.advance_to(lab.clock.now() + MINUTE)
    assert len(places) == 1
    assert api("POST", f"{TEST}?mode=test-live-send", headers=KEY).status_code == 422


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("after", [pytest.param(False, marks=pytest.mark.long), True], ids=["before", "after"])
@pytest.mark.parametrize("part", shares(PARTS))
def test_a_send_that_breaks_off_anywhere_goes_on_under_its_key_and_is_sent_once(
    part: int, after: bool, make_lab: Callable[..., Lab]
) -> None:
    at = part
    while True:
        lab, point = make_lab(), CrashPoint(at, after=after)
        lab.save()
        lab.ports = point.wrap(lab.ports)
        api = ApiClient(lambda lab=lab: lab.ports)  # type: ignore[misc]
        try:
            api("POST", f"{TEST}?mode=live-send", headers=KEY)
        except Crash:
            lab.restart()
        else:
            assert at > 5, "no crash has happened"
            return
        lab.clock.advance_to(lab.clock.now() + MINUTE)
        place = api("POST", f"{TEST}?mode=live-send", headers=KEY).headers["Location"]
        lab.run_to(START_AT - MINUTE)
        assert api.data("GET", place)["status"] == "completed"
        assert len(executions_of(lab.ports, "welcome")) == 1
        assert len(lab.outbox(test=False)) == 9
        lab.close()
        at += PARTS


def test_a_send_whose_request_comes_again_too_late_expires(lab: Lab, api: ApiClient) -> None:
    """The key was claimed, and the process died before the execution was there."""
    point = CrashPoint(1, after=True)
    lab.ports = point.wrap(lab.ports)
    with pytest.raises(Crash):
        api("POST", f"{TEST}?mode=live-send", headers=KEY)
    lab.restart()
    lab.clock.advance_to(lab.clock.now() + 40 * MINUTE)
    place = api("POST", f"{TEST}?mode=live-send", headers=KEY).headers["Location"]
    assert api.data("GET", place)["status"] == "expired"


def test_an_unknown_mode_and_an_unknown_recipe_are_distinguished(api: ApiClient) -> None:
    assert api("GET", f"{TEST}?mode=send-it").status_code == 422
    assert api("GET", "/api/automation/test/unknown").status_code == 404
    assert api("POST", "/api/automation/test/unknown?mode=live-send").status_code == 404
