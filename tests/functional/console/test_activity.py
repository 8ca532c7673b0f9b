"""Activity: every action of a person is in the log, with the reason, and resolving can be taken back."""

import io
from datetime import timedelta

import pytest

from functions.domain.audit import IMPORTS
from functions.domain.errors import NotPossible
from functions.domain.execution.execution import Kind
from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.recipe.timeline import Phase
from functions.domain.roles import Role
from functions.usecases.by_hand.start import start_by_hand
from functions.usecases.cadence.import_history import import_history
from functions.usecases.reports.audit import history_of
from functions.usecases.reports.verify_audit import verify_audit
from functions.usecases.timeline.control import cancel, stop
from functions.usecases.timeline.journal import breach
from tests.factories import recipe
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import Visitor

ANA = "ana@kicks.example"


def actions(lab: Lab, subject: str = "welcome") -> list[tuple[str, str]]:
    return [(entry.action, entry.by) for entry in history_of(lab.ports, subject).entries]


def breached(lab: Lab) -> str:
    """Record a violation of the send, and return its id."""
    finding = Finding(type=ViolationType.NOT_REACHED, severity=Severity.WARNING, message="2 users", action="none")
    breach(lab.ports, lab.execution(), Phase.LIVE_EXECUTION, finding)
    [violation] = lab.ports.violations.of(lab.id)
    return violation.id


@pytest.mark.slow
def test_a_cancel_is_in_the_log_with_its_reason_and_a_link_to_the_send(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=10))
    at = f"/executions/{lab.id}"
    visitor.send(f"{at}/confirm", f"{at}/cancel", {"reason": "wrong shoes"})
    page = visitor.get("/audit")
    assert "ana@kicks.example cancelled a send of Welcome" in page.text
    assert "wrong shoes" in page.text
    assert "wrong shoes (ana@kicks.example)" not in page.text
    assert at in {values.get("href") for tag, values in page.elements if tag == "a"}
    assert verify_audit(lab.ports).sound


@pytest.mark.slow
def test_a_cancel_or_stop_adds_one_entry_and_a_refused_one_none(lab: Lab) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=10))
    before = len(actions(lab))
    for _ in range(2):
        stop(lab.ports, lab.id, "a wrong price", by=ANA)
    with pytest.raises(NotPossible):
        cancel(lab.ports, lab.id, "too late", by=ANA)
    assert actions(lab)[:-before] == [("stopped", ANA)]
    entry = lab.ports.audit.of_recipe("welcome", most=1)[0]
    assert (entry.after or {})["reason"] == "a wrong price"


def test_what_tminus_ends_by_itself_is_no_deed_of_a_person(lab: Lab) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=29))
    before = actions(lab)
    cancel(lab.ports, lab.id, "its recipe is paused")
    assert actions(lab) == before


def test_tests_and_sends_by_hand_are_in_the_log_once(lab: Lab, visitor: Visitor) -> None:
    for kind, action in ((Kind.TEST, "tested"), (Kind.MANUAL, "started")):
        for _ in range(2):
            start_by_hand(lab.ports, "welcome", kind, lab.clock.now(), by=ANA)
        assert [each for each, _ in actions(lab)].count(action) == 1
    text = visitor.get("/audit?kind=test").text
    assert "ana@kicks.example sent a test of Welcome" in text
    assert "started a send" not in text


def test_an_import_is_in_the_log_and_a_dry_run_is_not(lab: Lab, visitor: Visitor) -> None:
    for dry_run in (True, False):
        rows = b"user_id,layer,sent_at\n10000000-0000-4000-8000-000000000001,3,2026-03-01T12:00:00Z\n"
        import_history(lab.ports, io.BytesIO(rows), dry_run=dry_run, by=ANA)
    assert actions(lab, IMPORTS) == [("imported", ANA)]
    assert "imported past pushes of another system" in visitor.get("/audit").text


@pytest.mark.slow
def test_a_resolution_has_a_note_and_can_be_taken_back(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=10))
    violation_id = breached(lab)
    lab.ports.violations.resolve(lab.id, violation_id, lab.clock.now(), ANA, "known outage")
    assert lab.ports.violations.unresolved(most=9) == []
    page = visitor.get("/audit")
    assert "resolved an issue of Welcome" in page.text
    assert "Not reached: known outage" in page.text
    visitor.send("/audit", "/audit/reopen")
    [violation] = lab.ports.violations.unresolved(most=9)
    assert (violation.id, violation.note, violation.resolved_by) == (violation_id, "", "")
    page = visitor.get("/audit?outcome=reopened")
    assert "reopened an issue of Welcome" in page.text
    assert "/audit/reopen" not in [form.action for form in page.forms]
    assert verify_audit(lab.ports).sound


@pytest.mark.slow
def test_a_viewer_cannot_reopen(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=10))
    lab.ports.violations.resolve(lab.id, breached(lab), lab.clock.now(), ANA)
    visitor.become(Role.VIEWER)
    assert "/audit/reopen" not in [form.action for form in visitor.get("/audit").forms]


def test_activity_is_filtered_by_campaign_person_action_and_day(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(id="other", name="Other"))
    visitor.send("/recipes/welcome", "/recipes/welcome/pause")
    everything = visitor.get("/audit").text
    assert "paused Welcome" in everything
    assert "created Other" in everything
    assert "created Other" not in visitor.get("/audit?recipe=wel").text
    assert "created Other" not in visitor.get("/audit?by=ANA@").text
    assert "paused Welcome" in visitor.get("/audit?by=ANA@&kind=pause&from=2026-03-02&to=2026-03-02").text
    for query in ("to=2026-03-01", "from=2026-03-03", "recipe=Nothing+like+it", "by=ben", "kind=stop"):
        assert "No activity matches these filters. Show everything" in visitor.get(f"/audit?{query}").text, query
    assert "unknown kind of action" in visitor.get("/audit?kind=odd", 422).text


def test_the_last_change_of_a_recipe_is_not_a_deed_on_its_sends(lab: Lab, visitor: Visitor) -> None:
    form = visitor.get("/recipes/welcome/edit").form("/recipes/welcome/edit").fields
    visitor.send("/recipes/welcome/edit", "/recipes/welcome/edit", {"name": "Hello"})
    start_by_hand(lab.ports, "welcome", Kind.TEST, lab.clock.now(), by="ben@kicks.example")
    response = visitor.post("/recipes/welcome/edit", {**form, "name": "Hi"})
    assert "ben@kicks.example" not in response.text
    assert "ana@kicks.example" in response.text
