"""Times on the pages: in the visitor's zone, in a campaign's where it matters, and in UTC on hover."""

from datetime import timedelta

import pytest

from tests.factories import recipe
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import Page, Visitor

HOUR = timedelta(hours=1)


def seen(visitor: Visitor, path: str, zone: str) -> Page:
    """A page as a visitor sees it whose browser has told its zone."""
    return visitor.get(path, Cookie=f"tminus_zone={zone}")


def test_lists_show_the_visitors_time_and_utc_on_hover(lab: Lab, visitor: Visitor) -> None:
    lab.run_to_the_end()
    assert "Mon 2 Mar, 18:30 UTC" in visitor.get("/").text
    page = seen(visitor, "/", "Asia/Tokyo")
    assert "Tue 3 Mar, 03:30 JST" in page.text
    assert "Mon 2 Mar 2026, 18:30 UTC" in [each.get("title") for tag, each in page.elements if tag == "time"]


def test_a_campaigns_time_is_in_its_zone_with_the_visitors_beside_it(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(schedule__timezone="America/New_York", schedule__executionTime="18:30"))
    lab.run_to(SEND_AT - 12 * HOUR)
    assert "18:30 New York 00:30 CET" in seen(visitor, "/recipes/welcome", "Europe/Berlin").text
    assert "18:30 New York Tue" in seen(visitor, "/recipes/welcome", "America/New_York").text


@pytest.mark.parametrize("zone", ["Nowhere/City", "../etc/passwd", "", "x" * 3000, "Z%FCrich"])
def test_a_zone_that_does_not_exist_is_no_zone(zone: str, visitor: Visitor) -> None:
    assert "Times in UTC" in seen(visitor, "/", zone).text


def test_the_help_page_remembers_another_zone(visitor: Visitor) -> None:
    answer = visitor.send("/help", "/help/time-zone", {"zone": "Asia/Kolkata"})
    assert "tminus_zone=Asia/Kolkata" in answer.headers["Set-Cookie"]
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    visitor.send("/help", "/help/time-zone", {"zone": "Nowhere"}, status=422)
    assert "tminus_zone=;" in visitor.send("/help", "/help/time-zone", {"forget": "yes"}).headers["Set-Cookie"]


def test_each_term_is_explained_on_the_help_page(visitor: Visitor) -> None:
    ids = {each.get("id") for _, each in visitor.get("/help").elements}
    assert {"campaign", "layer", "withheld", "delivery-unknown", "variable"} <= ids
