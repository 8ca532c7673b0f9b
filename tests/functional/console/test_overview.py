"""The overview: missed and cancelled sends, what needs a person, and the last seven days in numbers."""

import json
import re
from datetime import datetime, timedelta

import pytest

from functions.domain.execution.execution import Execution, Kind, PhaseTimes, State
from functions.domain.ids import execution_id
from functions.domain.push.outcomes import Tally
from functions.domain.recipe.timeline import Phase
from functions.usecases.by_hand.start import start_by_hand
from functions.usecases.reports.week import last_week
from functions.usecases.timeline.reconcile import reconcile
from tests.factories import recipe
from tests.functional.conftest import EARLIER, SEND_AT, Lab
from tests.functional.console.visitor import Visitor

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def ended(days_ago: int, state: State = State.COMPLETED, *, kind: Kind = Kind.SCHEDULED) -> Execution:
    """A send of 100 messages to 80 people at 10:00, of which 60 were sent to 50 of them."""
    at = EARLIER.replace(hour=10) - days_ago * DAY
    live = {Phase.LIVE_EXECUTION: PhaseTimes(started_at=at, ended_at=at)}
    return Execution(
        id=execution_id("welcome", at, "" if kind is Kind.SCHEDULED else kind),
        recipe_id="welcome",
        recipe=recipe(),
        send_at=at,
        created_at=at,
        claim="",
        kind=kind,
        state=state,
        phases=live if state in (State.COMPLETED, State.STOPPED) else {},
        cleaned=True,
        people=80,
        people_reached=50,
        totals=Tally(audience_size=100, sent=60, failed=5, unknown=3, excluded={"no_token": 20, "opted_out": 12}),
    )


def alerts(lab: Lab) -> list[str]:
    return [json.loads(line)["message"] for line in (lab.state / "alerts.jsonl").read_text().splitlines()]


def test_a_campaign_activated_inside_its_lead_time_is_sent(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - 20 * MINUTE)
    lab.save(recipe(id="late", name="Late"))
    assert "Late Preparing" in visitor.get("/").text
    lab.run_to(SEND_AT + 30 * MINUTE)
    assert lab.execution(execution_id("late", SEND_AT)).state is State.COMPLETED


def test_a_send_that_comes_too_soon_to_be_prepared_is_never_announced(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - 8 * MINUTE)
    lab.save(recipe(id="late", name="Late", schedule={**recipe()["schedule"], "executionTime": "18:29"}))
    assert "Late Tuesday Tue 3 Mar, 18:29" in visitor.get("/").text


@pytest.mark.parametrize("saved_at", [EARLIER, SEND_AT - 20 * MINUTE])
def test_a_send_that_nothing_ran_is_missed_on_every_page_and_alerted(
    saved_at: datetime, lab: Lab, visitor: Visitor
) -> None:
    lab.clock.advance_to(saved_at)
    lab.save(recipe(id="late", name="Late"))
    lab.clock.advance_to(SEND_AT + 40 * MINUTE)  # nothing has run until now
    reconcile(lab.ports)
    lab.run_to(SEND_AT + 45 * MINUTE)
    late = lab.execution(execution_id("late", SEND_AT))
    assert late.state is State.EXPIRED
    overview = visitor.get("/")
    assert "Missed Late Mon 2 Mar, 18:30" in overview.text
    assert "2 missed" in overview.text
    assert any(values.get("href") == "/recipes/late/run" for _, values in overview.elements)
    assert "Missed" in visitor.get("/recipes/late").text
    assert "Missed: it could not be sent in time" in visitor.get(f"/executions/{late.id}").text
    assert [message for message in alerts(lab) if message.startswith("expired: ") and "40 minutes after" in message]


@pytest.mark.parametrize("verb", ["cancel", "stop"])
def test_after_an_end_by_hand_the_send_names_the_next_one_and_offers_to_pause(
    verb: str, lab: Lab, visitor: Visitor
) -> None:
    lab.run_to(SEND_AT - MINUTE if verb == "cancel" else SEND_AT + MINUTE)
    place = f"/executions/{lab.id}"
    visitor.send(f"{place}/confirm", f"{place}/{verb}")
    page = visitor.get(place)
    assert "Welcome stays scheduled. Next send: Tue 3 Mar, 18:30" in page.text
    assert any(values.get("href") == "/recipes/welcome/edit" for _, values in page.elements)
    visitor.send(place, "/recipes/welcome/pause")
    assert "stays scheduled" not in visitor.get(place).text


def test_nothing_can_be_stopped_once_everyone_was_sent_to(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT + MINUTE)
    place = f"/executions/{lab.id}"
    form = visitor.get(f"{place}/confirm").form(f"{place}/stop").fields
    lab.run_to(SEND_AT + 5 * MINUTE)
    assert "Emergency stop" not in visitor.get("/").text + visitor.get(place).text
    response = visitor.post(f"{place}/stop", form, status=303)
    assert "everyone had already been sent to" in visitor.get(response.headers["Location"]).text
    lab.run_to(SEND_AT + 20 * MINUTE)
    assert lab.execution().state is State.COMPLETED


def test_the_week_counts_sends_without_tests_by_day_state_and_reason(lab: Lab, visitor: Visitor) -> None:
    for days_ago, state in ((0, State.COMPLETED), (1, State.EXPIRED), (2, State.STOPPED), (8, State.COMPLETED)):
        lab.ports.executions.create(ended(days_ago, state))
    lab.ports.executions.create(ended(3, kind=Kind.TEST))
    lab.ports.executions.create(ended(14))
    text = visitor.get("/").text
    assert "Sends 3 +200%" in text
    assert "People reached 100 +100%" in text
    assert "Messages sent 120 +100% against the seven days before, 60 60% of messages" in text
    assert "Failed 10 5% of messages Delivery unknown 6 3% of messages" in text
    assert "Withheld, by reason No device token 40 20% Opted out 24 12%" in text
    assert {"1 done", "1 missed", "1 stopped"} <= set(re.findall(r"\d done|\d missed|\d stopped", text))
    assert [day.numbers.sent for day in last_week(lab.ports).days] == [0, 0, 0, 0, 60, 0, 60]
    assert "3 sends from 2026-02-24 before 2026-03-03" not in text


def test_the_week_follows_a_send_from_its_start_to_its_end(lab: Lab) -> None:
    seen = []
    for minute in (-1, 1, 3, 60):
        lab.run_to(SEND_AT + minute * MINUTE)
        total = last_week(lab.ports).total
        seen.append((total.sends, total.messages, total.sent, total.not_reached, total.people_reached))
    assert seen == [(0, 0, 0, 0, 0), (1, 9, 4, 5, 0), (1, 9, 7, 2, 0), (1, 9, 9, 0, 9)]


def test_repeated_sends_of_a_day_are_one_line(lab: Lab, visitor: Visitor) -> None:
    cron = {"timezone": "UTC", "frequency": "custom", "cronExpression": "0 7,17,20,22 * * *"}
    lab.save(recipe(id="morning", name="Morning news", schedule=cron))
    text = visitor.get("/").text
    assert "Morning news in 60 min 3 sends today, next Mon 2 Mar, 17:00" in text
    assert "Morning news in 15 h 4 sends tomorrow, next Tue 3 Mar, 07:00" in text


def test_an_issue_is_resolved_with_a_note_for_all_problems_of_its_send(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(settings__safeguards__maxAudienceSize=1))
    lab.run_to(SEND_AT - 10 * MINUTE)
    page = visitor.get("/")
    assert page.text.count("Change the audience") == 1
    assert len(page.form("/violations").fields["violation"]) == 3
    visitor.send("/", "/violations", {"note": "Raised the limit"})
    assert "Needs attention" not in visitor.get("/").text
    assert visitor.get(f"/executions/{lab.id}").text.count("resolved by ana@kicks.example: Raised the limit") == 3


def test_a_campaign_that_cannot_be_read_is_named_with_a_way_to_fix_it(lab: Lab, visitor: Visitor) -> None:
    assert visitor.get("/broken").text == ""
    lab.ports.recipes.change("bad", lambda _: {"id": "bad", "name": "Old", "status": "active", "pushSequence": []})
    lab.clock.advance_to(lab.clock.now() + 5 * MINUTE)
    assert "Sends nothing Old" in visitor.get("/broken").text


def test_an_empty_overview_says_what_to_do_first(lab: Lab, visitor: Visitor) -> None:
    lab.ports.recipes.change("welcome", lambda _: None)
    assert "No campaigns yet Create your first campaign." in visitor.get("/").text


def test_a_test_is_marked_and_shows_test_pushes_only(lab: Lab, visitor: Visitor) -> None:
    test = start_by_hand(lab.ports, "welcome", Kind.TEST, lab.clock.now())
    lab.run_to(EARLIER + 30 * MINUTE)
    assert "Welcome Test Done" in visitor.get("/").text
    assert "Done 3 test pushes sent" in visitor.get(f"/executions/{test.id}").text
    assert "No sends in the last seven days" in visitor.get("/").text
