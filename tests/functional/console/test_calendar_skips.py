"""Skipped sends in the calendar: struck through, and skipped or restored on the page of their day."""

from datetime import timedelta

from functions.domain.roles import Role
from functions.usecases.recipes.save import skip_send
from tests.factories import recipe
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import Visitor, path_of

DAY = timedelta(days=1)


def daily(lab: Lab) -> None:
    lab.save(recipe(schedule__frequency="daily", schedule__daysOfWeek=None))


def test_a_skipped_send_is_struck_through_and_says_so(lab: Lab, visitor: Visitor) -> None:
    daily(lab)
    skip_send(lab.ports, "welcome", SEND_AT + DAY, by="ana")
    html = visitor.open("GET", f"/calendar?month={SEND_AT:%Y-%m}").text
    assert html.count("<del>") == 1
    assert html.count("Skipped") == 1
    day = visitor.get(f"/calendar?day={(SEND_AT + DAY):%Y-%m-%d}")
    assert "Skipped" in day.text
    assert ("del", {}) in day.elements


def test_a_send_is_skipped_and_restored_from_its_day(lab: Lab, visitor: Visitor) -> None:
    daily(lab)
    address = f"/calendar?day={(SEND_AT + DAY):%Y-%m-%d}"
    links = [values["href"] for tag, values in visitor.get(address).elements if tag == "a"]
    [skip] = [each for each in links if "/skip?" in each]
    visitor.send(skip, "/recipes/welcome/skip")
    assert "Skipped" in visitor.get(address).text
    response = visitor.send(address, "/recipes/welcome/restore")
    assert path_of(response) == "/recipes/welcome"
    assert "Skipped" not in visitor.get(address).text


def test_a_viewer_sees_what_is_skipped_and_no_way_to_change_it(lab: Lab, visitor: Visitor) -> None:
    daily(lab)
    skip_send(lab.ports, "welcome", SEND_AT + DAY, by="ana")
    visitor.become(Role.VIEWER)
    page = visitor.get(f"/calendar?day={(SEND_AT + DAY):%Y-%m-%d}")
    assert "Skipped" in page.text
    assert "Restore" not in page.text
