"""What alerts say, where they go, and what a webhook gets of them."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.domain.alerts.alert import (
    Alert,
    Built,
    after_tests,
    audience_ready,
    channels_for,
    drift,
    ended,
    finished,
    live_started,
    malformed_recipe,
)
from functions.domain.alerts.payload import Links, payload
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.execution.safeguards import Finding, Severity, Violation, ViolationType
from functions.domain.push.outcomes import Tally
from tests.factories import recipe

SEND_AT = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)
LAST = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)


def an_execution(**fields: Any) -> Execution:
    given: dict[str, Any] = {
        "id": "welcome_20260302T183000Z",
        "recipe_id": "welcome",
        "recipe": recipe(),
        "claim": "",
    }
    return Execution(**({"send_at": SEND_AT, "created_at": SEND_AT} | given | fields))


def built(push: int, audience: str, users: int, **fields: Any) -> Built:
    given: dict[str, Any] = {"push": push, "audience": audience, "users": users, "devices": users}
    return Built(**(given | fields))


def a_violation(kind: ViolationType, action: str) -> Violation:
    finding = Finding(type=kind, severity=Severity.CRITICAL, message="too many fail", action=action)
    return Violation(id="v", execution_id="e", recipe_id="r", finding=finding, at=SEND_AT)


def test_the_alert_of_ready_audiences_has_sizes_and_what_changed_most() -> None:
    now = [built(1, "a", 4310, devices=4102, excluded={"no_token": 191, "dead_token": 17}), built(2, "b", 50)]
    alert = audience_ready(an_execution(), now, (LAST, [built(1, "b", 10), built(2, "a", 4000)]))
    assert alert.message == (
        "the audiences are ready: 4,360 messages in 2 pushes, 4,152 devices; "
        "biggest change against the run of 2026-03-01: push 2 (b) from 10 to 50 users, +400%; "
        "excluded so far: 191 no token, 17 dead token"
    )
    assert alert.details[0] == "push 1 (a): 4,310 users, 4,102 devices; 191 no token, 17 dead token"


@pytest.mark.parametrize(
    ("users", "before", "told"),
    [
        (5, [("a", 5)], "no size changed against the run of 2026-03-01"),
        (5, [("a", 0)], "push 1 (a) from 0 to 5 users"),
        (0, [("a", 5)], "push 1 (a) from 5 to 0 users, -100%"),
        (5, [("other", 5)], "no audience is one of those of 2026-03-01"),
    ],
)
def test_a_change_is_described_whatever_was_there_before(
    users: int, before: list[tuple[str, int]], told: str
) -> None:
    then = [built(1, name, size) for name, size in before]
    assert audience_ready(an_execution(), [built(1, "a", users)], (LAST, then)).message.endswith(told)


def test_a_first_run_is_compared_with_nothing() -> None:
    alert = audience_ready(an_execution(), [built(1, "a", 1)], None)
    assert alert.message == "the audiences are ready: 1 user in 1 push, 1 device"


def test_a_long_sequence_is_described_briefly() -> None:
    alert = audience_ready(an_execution(), [built(push, f"a{push}", 1) for push in range(1, 21)], None)
    assert len(alert.details) == 11
    assert alert.details[-1] == "and 11 more"


def test_tests_say_how_many_arrived_and_until_when_to_cancel() -> None:
    alert = after_tests(an_execution(), Tally(audience_size=3, sent=2), users=1, until=SEND_AT)
    assert alert.message == "2 of 3 test pushes arrived (1 test user); anyone can cancel until 18:30 UTC"


def test_a_mere_test_has_nothing_to_cancel() -> None:
    alert = after_tests(an_execution(kind=Kind.TEST), Tally(audience_size=3, sent=3), users=1, until=SEND_AT)
    assert alert.message == "3 of 3 test pushes arrived (1 test user); it was a test: nothing else is sent"


def test_a_live_start_and_a_dry_run_are_distinguished() -> None:
    times = [SEND_AT, SEND_AT + timedelta(minutes=4)]
    live, dry = (live_started(an_execution(), times, dry_run=dry_run).message for dry_run in (False, True))
    assert live == "it is live: 2 pushes, the last at 18:34 UTC"
    assert dry == "the dry run has begun (2 pushes, the last at 18:34 UTC): no message is sent"


def test_totals_name_every_reason() -> None:
    tally = Tally(audience_size=100, sent=90, failed=1, unknown=2, excluded={"layer_3_cooldown": 4})
    assert finished(an_execution(state=State.COMPLETED), tally).message == (
        "completed: of 100 messages 90 sent, 1 failed, 2 unknown, 4 layer 3 cooldown, 3 not reached"
    )


@pytest.mark.parametrize("state", [State.CANCELLED, State.BLOCKED, State.EXPIRED, State.FAILED, State.STOPPED])
def test_an_end_has_an_alert_of_its_own_name_with_its_reason(state: State) -> None:
    alert = ended(an_execution(state=state, reason="somebody asked for it"))
    assert alert is not None
    assert alert.kind == state.value
    assert alert.message.startswith(f"{state.value}: somebody asked for it; nothing")
    assert alert.urgent is (state not in (State.CANCELLED, State.STOPPED))


def test_what_a_safeguard_stops_has_an_alert_with_the_safeguards_name() -> None:
    stopped = an_execution(state=State.STOPPED, reason="too many fail")
    telling = a_violation(ViolationType.AUDIENCE_ALERT, "none; the execution goes on")
    alert = ended(stopped, [telling, a_violation(ViolationType.FAILURE_RATE, "stopped")])
    assert alert is not None
    assert (alert.kind, alert.urgent) == ("failure_rate", True)


@pytest.mark.parametrize("state", [State.LAUNCHED, State.LIVE, State.COMPLETED])
def test_what_goes_on_or_is_completed_has_no_end_to_tell(state: State) -> None:
    assert ended(an_execution(state=state)) is None


def test_the_same_drift_has_one_alert_a_day() -> None:
    told = ["deleted the schedule x", "created a task again"]
    first, later, tomorrow = (drift(told, SEND_AT + timedelta(hours=hours)).id for hours in (0, 1, 24))
    assert first == later != tomorrow
    assert drift(told, SEND_AT).message == "reconciling found 2 differences: deleted the schedule x"
    assert malformed_recipe("größe", "status", SEND_AT).id != malformed_recipe("grösse", "status", SEND_AT).id


def test_an_id_has_only_letters_that_tasks_and_documents_may_be_named_by() -> None:
    alert = Alert(kind="audience_alert", execution_id="e_1", message="", subject="push 1 (größe/../\ud800)")
    assert alert.id.replace("-", "").replace("_", "").isalnum()
    assert alert.id.isascii()
    assert alert.id != replace(alert, subject="push 2").id


@pytest.mark.parametrize(
    ("settings", "heard"),
    [
        ({}, ("all",)),
        ({"alertChannels": ["growth", "unknown"]}, ("all", "growth")),
        ({"alertChannels": "growth"}, ("all",)),
        ({"alertChannels": [["growth"], None, 7, {}]}, ("all",)),
        ({"alertChannels": {"growth": 1}}, ("all",)),
        ("growth", ("all",)),
        (None, ("all",)),
    ],
)
def test_whatever_a_recipe_has_for_channels_those_that_are_there_hear_of_it(settings: Any, heard: Any) -> None:
    assert channels_for({"settings": settings}, ("all", "growth", "ops")) == heard


def test_what_concerns_no_recipe_goes_to_the_channel_for_everything_only() -> None:
    assert channels_for(None, ("growth", "all")) == ("all",)
    assert channels_for(None, ("growth",)) == ()
    assert channels_for(None, ()) == ()


def test_a_payload_has_a_text_and_blocks_with_the_links() -> None:
    execution = an_execution(recipe=recipe(schedule__timezone="America/New_York"))
    alert = Alert(kind="audience_ready", execution_id=execution.id, message="9 users", details=("push 1: 9",))
    made = payload(alert, execution, Links(execution="https://c.example/executions/e", cancel="https://c.example/x"))
    assert made["text"] == "Welcome, Mon 2026-03-02 13:30 America/New_York: 9 users"
    first, second = (block["text"]["text"] for block in made["blocks"])
    assert first == (":information_source: *Welcome, Mon 2026-03-02 13:30 America/New_York*\n9 users\n• push 1: 9")
    assert second == (
        "<https://c.example/executions/e|Open the execution>  ·  <https://c.example/x|Cancel this send>"
    )
    assert made["unfurl_links"] is False


HOSTILE = "<!channel> & <https://evil.example|Win>\n*now*\x00\u202e" + "x" * 5_000


@pytest.mark.parametrize("name", [HOSTILE, "", None, 7, ["x"], "👟" * 3_000, "\ud800"])
@pytest.mark.parametrize("timezone", ["UTC", "../etc/passwd", "No/Where", 7, None, ""])
def test_nothing_that_a_recipe_says_can_mention_people_or_break_the_payload(name: Any, timezone: Any) -> None:
    execution = an_execution(recipe={"name": name, "schedule": {"timezone": timezone}})
    alert = Alert(kind="failed", execution_id="e", message=HOSTILE, details=(HOSTILE,) * 11)
    made = payload(alert, execution, Links())
    written = json.dumps(made)
    assert "<" not in written
    assert "\\n*now" not in written
    assert len(made["blocks"][0]["text"]["text"]) <= 3_000
    assert len(written.encode()) < 40_000


def test_an_alert_that_concerns_no_execution_speaks_for_the_deployment() -> None:
    made = payload(Alert(kind="reconcile_drift", execution_id="", message="corrected"), None, Links())
    assert made["text"] == "Tminus: corrected"
    assert len(made["blocks"]) == 1
