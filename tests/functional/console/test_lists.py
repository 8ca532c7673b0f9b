"""Lists: campaigns and sends are found by what people know of them, and the calendar shows any month."""

import csv
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.errors import BadRecipe
from functions.domain.roles import Role
from functions.usecases.recipes.save import create_recipe, update_recipe
from functions.usecases.reports.execution import report
from functions.usecases.timeline.control import cancel
from tests.factories import recipe
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import Page, Visitor

ANA = "ana@kicks.example"
MINUTE = timedelta(minutes=1)


def add(lab: Lab, name: str, **fields: Any) -> None:
    create_recipe(lab.ports, recipe(**{"id": name.lower().replace(" ", "-"), "name": name, **fields}), by=ANA)


def rows(page: Page) -> list[str]:
    """The campaigns that a list links to, in its order."""
    links = [values.get("href", "") for tag, values in page.elements if tag == "a"]
    return [link.removeprefix("/recipes/") for link in links if link.startswith("/recipes/") and "/new" not in link]


@pytest.mark.parametrize("text", ["cafe", "CAFÉ", "café spring", "spring cafe", "fresh"])
def test_a_campaign_is_found_by_name_and_tag_without_case_and_accents(lab: Lab, visitor: Visitor, text: str) -> None:
    add(lab, "Café spring", id="cafe-1", tags=["Frésh"])
    assert rows(visitor.get(f"/recipes?q={text}")) == ["cafe-1"]


def test_campaigns_are_filtered_by_status_tag_and_owner_and_say_how_many(lab: Lab, visitor: Visitor) -> None:
    add(lab, "Alpha", tags=["sale"], status="draft")
    add(lab, "Beta", tags=["sale"], owner="ben@kicks.example")
    assert rows(visitor.get("/recipes")) == ["alpha", "beta", "welcome"]
    assert rows(visitor.get("/recipes?tag=sale")) == ["alpha", "beta"]
    assert rows(visitor.get("/recipes?tag=sale&status=draft")) == ["alpha"]
    page = visitor.get("/recipes?owner=ben@kicks.example")
    assert (rows(page), "1 of 3 campaigns" in page.text) == (["beta"], True)
    nothing = visitor.get("/recipes?q=nothing")
    assert "No campaigns match these filters. Show all campaigns" in nothing.text
    assert "unknown status 'odd'" in visitor.get("/recipes?status=odd", 422).text
    assert "unknown order 'odd'" in visitor.get("/recipes?sort=odd", 422).text
    assert "is not the number of a page" in visitor.get("/recipes?page=0", 422).text


def test_a_console_without_campaigns_offers_to_create_one(lab: Lab, visitor: Visitor) -> None:
    lab.ports.recipes.change("welcome", lambda _: None)
    lab.clock.advance_to(lab.clock.now() + timedelta(minutes=1))
    assert "No campaigns yet. Create the first campaign" in visitor.get("/recipes").text
    visitor.become(Role.VIEWER)
    assert "Create the first campaign" not in visitor.get("/recipes").text
    assert "No sends yet." in visitor.get("/executions").text


def test_the_person_who_creates_a_campaign_owns_it_and_a_change_keeps_the_owner(lab: Lab) -> None:
    add(lab, "Alpha")
    update_recipe(lab.ports, "alpha", {"name": "Beta", "tags": ["a"]}, by="ben@kicks.example")
    stored = lab.ports.recipes.get("alpha") or {}
    assert (stored["owner"], stored["tags"]) == (ANA, ["a"])


@pytest.mark.parametrize(
    ("labels", "field"),
    [
        ({"tags": "sale"}, "tags"),
        ({"tags": ["x"] * 11}, "tags"),
        ({"tags": ["ok", " "]}, "tags[1]"),
        ({"tags": ["x" * 41]}, "tags[0]"),
        ({"owner": 5}, "owner"),
        ({"owner": "x" * 255}, "owner"),
    ],
)
def test_labels_have_bounds_and_errors_name_them(lab: Lab, labels: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRecipe) as refused:
        add(lab, "Alpha", **labels)
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.long
def test_numbers_of_the_lists_are_those_of_the_store(lab: Lab, visitor: Visitor) -> None:
    lab.run_to_the_end()
    execution = lab.execution()
    assert execution.totals is not None
    assert execution.people_reached is not None
    campaigns = visitor.get("/recipes?sort=last").text
    assert f"Mon 2 Mar, 18:30 {execution.people_reached} people reached" in campaigns
    assert f"1 {execution.totals.sent} Times in UTC" in campaigns
    sends = visitor.get("/executions?recipe=WELC&from=2026-03-02&to=2026-03-02&kind=scheduled&state=completed").text
    assert f"{execution.totals.audience_size} {execution.totals.sent} 100% 0 0%" in sends
    assert "No sends match these filters. Show all sends" in visitor.get("/executions?to=2026-03-01").text
    assert "No sends match these filters" in visitor.get("/executions?kind=test").text
    assert "largest first" in visitor.get("/executions?sort=size").text
    calendar = visitor.get("/calendar?month=2026-03").text
    assert "18:30 Welcome Done" in calendar
    [head, line] = csv.reader(visitor.open("GET", "/executions/export?state=completed").text.splitlines())
    exported = dict(zip(head, line, strict=True))
    assert (exported["campaign"], exported["send_id"]) == ("Welcome", lab.id)
    assert int(exported["sent"]) == execution.totals.sent
    assert int(exported["reached"]) == execution.people_reached


@pytest.mark.slow
def test_lists_have_the_numbers_of_a_send_before_it_is_cleaned_up(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT + 5 * MINUTE)
    totals = report(lab.ports, lab.id).totals
    assert lab.execution().totals is None
    assert totals.sent == totals.audience_size - sum(totals.excluded.values()) > 0
    shares = f"{totals.audience_size} {totals.sent}"
    for page in ("/executions", "/executions?sort=size"):
        text = visitor.get(page).text
        assert shares in text
        assert "Sent" in text.partition(shares)[0].rpartition("Welcome")[2]
    assert "Mon 2 Mar, 18:30 Sent" in visitor.get("/recipes").text
    assert f"{totals.sent}" in visitor.get("/recipes/welcome").text.partition("Last sends")[2]


def test_an_unknown_name_of_a_campaign_finds_no_send_and_offers_the_way_back(visitor: Visitor) -> None:
    page = visitor.get("/executions?recipe=Nothing+like+that")
    assert "No sends match these filters. Show all sends Find a campaign" in page.text
    assert "No sends match these filters" in visitor.get("/executions?recipe=gone").text


def test_a_name_that_several_campaigns_share_offers_them(lab: Lab, visitor: Visitor) -> None:
    for number in range(12):
        add(lab, f"Sale {number}")
    page = visitor.get("/executions?recipe=sale")
    assert "Several campaigns match. Choose one: Sale 0 , Sale 1 ," in page.text
    assert "Several campaigns" not in visitor.get("/executions?recipe=Sale+3").text
    assert "sale-11" in visitor.get("/executions/suggest?recipe=sale 11").text


def test_days_are_those_of_the_visitors_zone(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=29))
    assert "1 send" in visitor.get("/executions?from=2026-03-03&to=2026-03-03&zone=Asia/Tokyo").text
    assert "No sends match" in visitor.get("/executions?from=2026-03-03&to=2026-03-03&zone=UTC").text
    page = visitor.open("GET", "/executions", headers={"Cookie": "tminus_zone=Asia/Tokyo"}).text
    assert "Tue 3 Mar 2026, 03:30" in page
    assert "Times in Tokyo" in page
    assert "is not a day" in visitor.get("/executions?from=soon", 422).text


def test_the_calendar_keeps_the_chosen_zone_and_shows_other_months(visitor: Visitor) -> None:
    cookies = visitor.open("GET", "/calendar?zone=Asia/Tokyo").headers["Set-Cookie"]
    assert "tminus_zone=Asia/Tokyo" in cookies
    assert "SameSite=Lax" in cookies
    page = visitor.get("/calendar?month=2026-12")
    assert "31 sends. Times in UTC" in page.text
    assert {"/calendar?month=2026-11", "/calendar?month=2027-01"} <= {
        values.get("href") for tag, values in page.elements if tag == "a"
    }
    assert "is not a month" in visitor.get("/calendar?month=soon", 422).text
    assert "is too far away" in visitor.get("/calendar?month=2030-01", 422).text


def test_repeated_sends_of_a_campaign_are_one_line_of_a_day(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(schedule={"timezone": "UTC", "frequency": "custom", "cronExpression": "0 */4 * * *"}))
    page = visitor.get("/calendar?month=2026-04").text
    assert "1 April 00:00 Welcome \u00d76" in page
    assert "180 sends" in page


@pytest.mark.slow
def test_a_cancelled_send_is_struck_through_in_the_calendar(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=10))
    cancel(lab.ports, lab.id, "wrong shoes", by=ANA)
    page = visitor.get("/calendar")
    assert any(tag == "del" for tag, _ in page.elements)
    assert "Welcome Cancelled" in page.text


def test_a_refusal_says_what_is_not_possible_and_the_way_back(visitor: Visitor) -> None:
    page = visitor.get("/recipes/none", 404, Referer="http://localhost/recipes?q=x")
    assert "Campaign not found" in page.text
    assert "Status 404 · reference" in page.text
    links = {values.get("href") for tag, values in page.elements if tag == "a"}
    assert {"/recipes?q=x", "/recipes", "/executions"} <= links
    elsewhere = visitor.get("/nothing", 404, Referer="https://evil.example/recipes")
    assert "Page not found" in elsewhere.text
    assert "Go back" not in elsewhere.text
