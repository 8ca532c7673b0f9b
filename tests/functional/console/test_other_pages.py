"""Overview, calendar, cadence, audit log."""

from datetime import timedelta

import pytest

from functions.usecases.timeline.check_audit import check_audit
from tests.factories import recipe
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import Page, Visitor


@pytest.mark.long
def test_the_overview_tells_what_runs_what_is_next_and_what_happened(lab: Lab, visitor: Visitor) -> None:
    assert "Nothing is sending right now" in visitor.get("/").text
    assert "in 2 h 30 min" in visitor.get("/").text
    lab.run_to(SEND_AT - timedelta(minutes=1))
    page = visitor.get("/")
    assert "T-1:00 Test pushes are sent" in page.text
    lab.run_to_the_end()
    assert "9 of 9 people reached, 9 messages sent" in visitor.get("/").text


@pytest.mark.long
def test_the_overview_follows_what_runs(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=1))
    page = visitor.get("/")
    asked = next(values["hx-get"] for _, values in page.elements if values.get("id") == "running")
    assert visitor.open("GET", asked).status_code == 204
    lab.run_to(SEND_AT)
    assert "Emergency stop" in visitor.open("GET", asked).text


def test_health_asks_everything(visitor: Visitor) -> None:
    assert visitor.get("/health").text.count(" OK") == 9


def test_the_calendar_shows_each_send_on_the_day_of_the_zone_that_is_asked_for(lab: Lab, visitor: Visitor) -> None:
    lab.save(
        recipe(schedule={"timezone": "UTC", "frequency": "once", "startDate": "2026-03-07", "executionTime": "20:00"})
    )
    assert "Welcome 05:00 20:00 UTC" in visitor.get("/calendar?day=2026-03-08&zone=Asia/Tokyo").text
    assert "1 send. Times in UTC" in visitor.get("/calendar?zone=UTC").text
    assert "is not a time zone" in visitor.get("/calendar?zone=../etc", 422).text
    assert "is not a day" in visitor.get("/calendar?day=soon", 422).text


@pytest.mark.long
def test_executions_are_found_by_state_and_recipe(lab: Lab, visitor: Visitor) -> None:
    lab.run_to_the_end()
    found = visitor.get("/executions?state=completed&recipe=welcome").text
    assert "1 send, newest first" in found
    assert "Done" in found
    assert "No sends match these filters" in visitor.get("/executions?state=failed").text
    assert "unknown state 'odd'" in visitor.get("/executions?state=odd", 422).text


def test_rules_are_changed_by_an_admin_and_errors_stand_beside_them(lab: Lab, visitor: Visitor) -> None:
    page = Page(visitor.send("/cadence", "/cadence", {"layer_3_cooldown.hours": "x9"}, status=422).text)
    assert "must be a whole number from 1 to 720" in page.text
    assert page.form("/cadence").fields["layer_3_cooldown.hours"] == ["x9"]
    visitor.send("/cadence", "/cadence", {"layer_3_cooldown.hours": "48"})
    assert {rule.reason: rule.hours for rule in lab.ports.ledger.rules()}["layer_3_cooldown"] == 48
    assert "ana@kicks.example changed the frequency caps" in visitor.get("/audit").text


def test_the_audit_log_says_who_changed_what(visitor: Visitor) -> None:
    visitor.send("/recipes/welcome/edit", "/recipes/welcome/edit", {"name": "Hello"})
    text = visitor.get("/audit?recipe=welcome").text
    assert "ana@kicks.example changed Hello" in text
    assert "Name Welcome Hello" in text


def test_the_audit_page_says_when_new_entries_were_verified_and_verifies_the_whole_log(
    lab: Lab, visitor: Visitor
) -> None:
    assert "No entries were verified yet." in visitor.get("/audit").text
    check_audit(lab.ports)
    text = visitor.get("/audit").text
    assert ("New entries were last verified" in text, "audit.checkpoints" in text) == (True, False)
    assert "The log is sound: 2 entries of 2 subjects." in visitor.get("/audit?verify=1").text
    assert "reconcile checked the new entries of this log" in visitor.get("/audit?recipe=audit.checkpoints").text


@pytest.mark.long
def test_the_audit_page_of_everything_goes_on_behind_its_newest_entries(lab: Lab, visitor: Visitor) -> None:
    for number in range(60):
        lab.save(recipe(id=f"r-{number:02}", name=f"r-{number:02}"))
    first = visitor.get("/audit")
    [older] = [values["href"] for tag, values in first.elements if tag == "a" and values.get("rel") == "next"]
    assert ("created r-59 " in first.text, "created r-03 " in first.text) == (True, False)
    assert "created r-03 " in visitor.get(older).text
    visitor.get("/audit?before=broken", status=422)


def test_an_overview_on_which_nothing_sends_says_what_is_next(lab: Lab, visitor: Visitor) -> None:
    shown = visitor.get("/live").text
    assert "Nothing is sending right now. Next: Welcome , " in shown
    lab.run_to(SEND_AT - timedelta(minutes=30))
    assert "Next: " not in visitor.get("/live").text
