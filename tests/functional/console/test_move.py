"""Move one send of a campaign in the console, to a time that a person types."""

from datetime import timedelta

from functions.domain.recipe.moved import moved_id
from functions.domain.roles import Role
from tests.factories import recipe
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import Page, Visitor

CAMPAIGN, MOVE, AT = "/recipes/welcome", "/recipes/welcome/move", "2026-03-02T18:30:00Z"
ASK = f"{MOVE}?at={AT}"
COPY = moved_id("welcome", SEND_AT)
MINUTE = timedelta(minutes=1)


def typed(day: str, clock: str) -> dict[str, str]:
    return {"schedule.startDate": day, "schedule.executionTime": clock}


def test_a_send_is_moved_to_a_typed_time_and_taken_back(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(schedule__timezone="Europe/Berlin", schedule__executionTime="19:30"))
    hrefs = [each.get("href", "") for tag, each in visitor.get(CAMPAIGN).elements if tag == "a"]
    assert any(href.endswith(f"{MOVE}?at={AT.replace(':', '%3A')}") for href in hrefs)
    assert "The next send stays Tue 3 Mar, 19:30" in visitor.get(ASK).text
    response = visitor.send(ASK, MOVE, typed("wednesday", "9am"))
    page = visitor.get(response.headers["Location"])
    assert "Moved Mon 2 Mar, 19:30 Berlin to Wed 4 Mar, 09:00 Berlin. All other sends go out as planned." in page.text
    copy = lab.ports.recipes.get(COPY)
    assert copy is not None
    assert (copy["name"], copy["status"], copy["firstSendAt"]) == (
        "Welcome (moved)",
        "active",
        "2026-03-04T08:00:00Z",
    )
    assert "Welcome (moved)" in visitor.get("/calendar?day=2026-03-04").text
    assert "Moved to Wed 4 Mar, 09:00 Move again Restore" in visitor.get(CAMPAIGN).text
    assert visitor.get(f"/recipes/{COPY}/move?at=2026-03-04T08:00:00Z", status=303)
    assert "which then does not go out. Restore that send there" in visitor.get(f"/recipes/{COPY}/delete").text
    undone = visitor.send(response.headers["Location"], "/recipes/welcome/restore")
    assert "Restored. Mon 2 Mar, 19:30 Berlin is sent as planned." in visitor.get(undone.headers["Location"]).text
    assert (lab.ports.recipes.get(COPY) or {})["status"] == "paused"


def test_a_skipped_send_goes_out_at_another_time(lab: Lab, visitor: Visitor) -> None:
    skipped = visitor.send(f"/recipes/welcome/skip?at={AT}", "/recipes/welcome/skip")
    page = visitor.get(skipped.headers["Location"])
    [address] = [each["href"] for tag, each in page.elements if tag == "a" and "/move?" in each.get("href", "")][:1]
    visitor.send(address.removeprefix("/console"), MOVE, typed("tomorrow", "10:00"))
    assert (lab.ports.recipes.get(COPY) or {})["firstSendAt"] == "2026-03-03T10:00:00Z"


def test_what_is_wrong_with_a_time_stands_beside_its_field_and_moves_nothing(lab: Lab, visitor: Visitor) -> None:
    def refused(day: str, clock: str) -> str:
        return Page(visitor.send(ASK, MOVE, typed(day, clock), status=422).text).text

    assert "Choose a day" in refused("", "10:00")
    assert "04/12 can mean two days" in refused("04/12", "10:00")
    assert "Use 24-hour time, e.g. 17:30" in refused("tomorrow", "late")
    assert "This time has passed." in refused("1 Mar 2026", "10:00")
    assert "is at 2026-03-02 18:30 UTC already" in refused("2 Mar", "18:30")
    lab.clock.advance_to(SEND_AT - 120 * MINUTE)
    assert "is too soon" in refused("today", "16:35")
    assert "skip" not in (lab.ports.recipes.get("welcome") or {})["schedule"]
    assert lab.ports.recipes.get(COPY) is None


def test_moving_a_send_in_preparation_says_that_it_starts_again(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - 10 * MINUTE)
    assert "Moving cancels it, and a new one is prepared" in visitor.get(ASK).text
    visitor.send(ASK, MOVE, typed("tomorrow", "10:00"))
    assert lab.execution().state.value == "cancelled"


def test_a_viewer_may_not_move(visitor: Visitor) -> None:
    visitor.become(Role.VIEWER)
    visitor.get(ASK, status=403)
    assert "Move the send" not in visitor.get(CAMPAIGN).text
