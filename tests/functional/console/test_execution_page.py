"""The page of an execution: its button is always true, its numbers follow, and a lost race is told."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.domain.execution.execution import Kind, State
from functions.domain.execution.safeguards import Limits
from functions.domain.ids import execution_id
from functions.domain.push.outcomes import word
from functions.domain.recipe.timeline import Phase
from functions.domain.roles import Role
from functions.handlers.console import words
from functions.usecases.by_hand.send_once import OneOff, send_once
from tests.factories import push, recipe, user
from tests.functional.conftest import SEND_AT, START_AT, Lab
from tests.functional.console.visitor import Page, Visitor, path_of

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def at(lab: Lab) -> str:
    return f"/executions/{lab.id}"


def poll(page: Page) -> str:
    return next(values["hx-get"] for _, values in page.elements if values.get("id") == "live" and "hx-get" in values)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("when", "state", "button"),
    [
        (START_AT + SECOND, "Preparing T-29:59 Audiences are ready", "Cancel this send"),
        (SEND_AT - MINUTE, "Waiting T-1:00", "Cancel this send"),
        (SEND_AT + MINUTE, "Sending T+1:00", "Emergency stop"),
        (SEND_AT + 5 * MINUTE, "Sent 9 of 9 messages sent 9 of 9 messages sent. Final numbers at 18:44 UTC.", "Sent"),
        (SEND_AT + timedelta(hours=1), "Done 9 of 9 people reached", "Finished"),
    ],
)
def test_the_button_does_what_is_possible_in_each_phase(
    when: object, state: str, button: str, lab: Lab, visitor: Visitor
) -> None:
    lab.run_to(when)  # type: ignore[arg-type]
    page = visitor.get(at(lab))
    assert state in page.text
    assert button in page.text


@pytest.mark.slow
def test_a_cancel_in_the_window_is_asked_for_once_more_and_then_sends_nothing(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - SECOND)
    assert (
        "Nobody receives the push: 9 people, 9 messages in 3 pushes. This can't be undone."
        in visitor.get(f"{at(lab)}/confirm").text
    )
    response = visitor.send(f"{at(lab)}/confirm", f"{at(lab)}/cancel", {"reason": "wrong shoes"})
    assert response.headers["Location"].endswith(f"{at(lab)}?outcome=cancelled")
    lab.run_to_the_end()
    assert lab.outbox(test=False) == []
    page = visitor.get(at(lab))
    assert "wrong shoes (ana@kicks.example)" in page.text
    assert "Cancelled" in page.text


@pytest.mark.slow
def test_a_cancel_that_loses_the_race_at_t0_says_so_and_offers_the_stop(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - SECOND)
    form = visitor.get(f"{at(lab)}/confirm").form(f"{at(lab)}/cancel").fields
    lab.run_to(SEND_AT)
    response = visitor.post(f"{at(lab)}/cancel", form, status=303)
    page = visitor.get(response.headers["Location"])
    assert "Too late to cancel" in page.text
    assert "Emergency stop" in page.text
    visitor.send(f"{at(lab)}/confirm", f"{at(lab)}/stop")
    lab.run_to_the_end()
    assert lab.report()["status"] == "stopped"
    assert [push["sent"] for push in lab.report()["pushes"]] == [4, 0, 0]


def test_a_cancel_after_the_end_changes_nothing_and_says_so(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - SECOND)
    form = visitor.get(f"{at(lab)}/confirm").form(f"{at(lab)}/cancel").fields
    lab.run_to_the_end()
    response = visitor.post(f"{at(lab)}/cancel", form, status=303)
    assert "the send had already ended" in visitor.get(response.headers["Location"]).text
    assert path_of(visitor.open("GET", f"{at(lab)}/confirm")) == at(lab)


@pytest.mark.slow
def test_a_viewer_sees_all_and_can_stop_nothing(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - MINUTE)
    visitor.become(Role.VIEWER)
    page = visitor.get(at(lab))
    assert "Only an operator can do this" in page.text
    assert [form.action for form in page.forms] == []
    assert all("/confirm" not in values.get("href", "") for _, values in page.elements)


@pytest.mark.slow
def test_the_page_asks_for_changes_only_and_stops_asking_at_the_end(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - MINUTE)
    asked = poll(visitor.get(at(lab)))
    assert visitor.open("GET", asked).status_code == 204
    lab.run_to(SEND_AT)
    response = visitor.open("GET", asked)
    assert response.status_code == 200
    assert Page(response.text).text.count("Emergency stop") == 1
    lab.run_to_the_end()
    response = visitor.open("GET", poll(Page(response.text)))
    assert response.status_code == 286
    assert "hx-trigger" not in response.text


def test_a_poll_leaves_the_button_alone_while_it_stays_the_same(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - 20 * MINUTE)
    asked = poll(visitor.get(at(lab)))
    lab.run_to(SEND_AT - MINUTE)
    page = Page(visitor.open("GET", asked).text)
    assert all(values.get("id") != "control" for _, values in page.elements)


def test_messages_have_the_values_of_the_test_audience_once_there_is_one(lab: Lab, visitor: Visitor) -> None:
    lab.clock.advance_to(START_AT)
    lab.launch()
    page = visitor.get(at(lab))
    assert "Preview uses placeholder values" in page.text
    lab.run_to(SEND_AT - MINUTE)
    shown = visitor.open("GET", poll(page)).text
    assert "with the values of a real user" in shown
    assert "Push 1 for Name " in shown
    assert "[[var:" not in shown


@pytest.mark.slow
def test_the_receipt_is_a_csv_that_no_spreadsheet_runs(lab: Lab, visitor: Visitor) -> None:
    lab.write_rows([("=HYPERLINK(1)", "Shoe", "Name", "a")])
    lab.run_to_the_end()
    response = visitor.open("GET", f"{at(lab)}/receipt.csv")
    assert response.headers["Content-Disposition"] == f'attachment; filename="{lab.id}-receipt.csv"'
    assert "1,a,'=HYPERLINK(1),excluded,invalid_user_id\n" in response.text
    assert visitor.open("GET", f"{at(lab)}/audience-1.csv").text == "user_id,name,shoe\n'=HYPERLINK(1),Name,Shoe\n"
    assert "has built no audience for push 9" in visitor.get(f"{at(lab)}/audience-9.csv", 404).text


@pytest.mark.slow
def test_a_violation_is_shown_until_a_person_resolves_it(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(settings__safeguards__maxAudienceSize=1))
    lab.run_to_the_end()
    assert "the limit is 1" in visitor.get("/").text
    visitor.send(at(lab), "/violations")
    assert "resolved by ana@kicks.example" in visitor.get(at(lab)).text


@pytest.mark.long
def test_a_push_that_is_sent_once_is_listed_shown_and_cancelled_as_any_other(lab: Lab, visitor: Visitor) -> None:
    push = OneOff(written={"title": "Hi", "body": "b", "layerId": 1})
    sent = send_once(lab.ports, push, io.BytesIO(f"user_id\n{user(1)}\n".encode()), by="ann@kicks.example")
    lab.run_to(sent.send_at - SECOND)
    for path in ("/", "/live", "/executions", "/executions?recipe=one-off"):
        assert "One-off push" in visitor.get(path).text
    place = f"/executions/{sent.id}"
    page = visitor.get(place)
    assert "One-off" in page.text
    assert f"The audience is ready. Sends automatically at {sent.send_at:%H:%M} UTC." in page.text
    assert not [values for _, values in page.elements if values.get("href", "").endswith("/recipes/one-off")]
    visitor.send(f"{place}/confirm", f"{place}/cancel", {"reason": "wrong shoes"})
    assert "wrong shoes" in visitor.get(place).text
    lab.run_to_the_end()
    assert [message for message in lab.outbox() if message["executionId"] == sent.id] == []


def test_whatever_an_execution_can_be_has_a_name() -> None:
    assert words.KINDS.keys() == {kind.value for kind in Kind}
    assert words.STATES.keys() >= {state.value for state in State}
    assert words.PHASES.keys() == {phase.value for phase in Phase}
    assert words.REASONS.keys() == {word(code, {})[1] for code in range(256)} - {""}


@pytest.mark.long
def test_a_send_that_waits_its_turn_says_so_and_can_be_cancelled(lab: Lab, visitor: Visitor) -> None:
    lab.policy = replace(lab.policy, limits=Limits(executions_at_once=1))
    lab.restart()
    lab.save(recipe(id="zzz", pushSequence=[push(1)]))
    lab.run_to(SEND_AT - 10 * MINUTE)
    page = visitor.get(f"/executions/{execution_id('zzz', SEND_AT)}")
    assert "Waits its turn: 1 send that started before it must finish sending first." in page.text
    assert "If its turn has not come by 18:37" in page.text
    assert "Anyone can cancel while it waits." in page.text
    lab.run_to(SEND_AT + 6 * MINUTE)
    late = visitor.get(f"/executions/{execution_id('zzz', SEND_AT)}")
    assert "Test pushes are sent. Please check them. Sends automatically at 18:" in late.text
