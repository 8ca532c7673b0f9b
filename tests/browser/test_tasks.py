"""A marketer's tasks from end to end: the Friday campaign, by mouse, by keyboard alone, and on a phone."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from functions.domain.ids import execution_id
from tests.browser.conftest import Console, OpenPage, tab_to
from tests.factories import TESTER, recipe, user
from tests.functional.conftest import Lab, lab_tables

FRIDAY = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
"""17:30 in Berlin."""
SEND = execution_id("friday-deals", FRIDAY)
MINUTE = timedelta(minutes=1)
BERLIN = {"timezone_id": "Europe/Berlin"}
PHONE = {"viewport": {"width": 375, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
QUERY = 30_000
"""How long a query may take on a busy machine, in milliseconds."""
ME = user(1)
TITLE, BODY = '[id="pushSequence[0].title"]', '[id="pushSequence[0].body"]'


@pytest.fixture
def lab(make_lab: Callable[..., Lab], request: pytest.FixtureRequest) -> Lab:
    """An empty workspace with models: eight people in Berlin, two of them without a device, and two in Paris.

    With the parameter `marketplace`, the built-in workspace with a draft.
    """
    lab = make_lab()
    if getattr(request, "param", "") == "marketplace":
        lab.save(recipe(status="draft"))
        return lab
    berlin = [(user(n), "Berlin", "" if n == 2 else f"Name {n}", "de" if n < 3 else "en") for n in range(8)]
    lab.write_rows([*berlin, *((user(n), "Paris", f"Name {n}", "fr") for n in (8, 9))])
    lab.write_devices([(user(n), f"token-{n}") for n in range(10) if n not in (6, 7)])
    lab.use_models(
        lab_tables(),
        people="SELECT id AS user_id, first_name AS name, username AS city, bio AS locale FROM users",
        devices="SELECT user_id, token, platform, updated_at FROM devices",
    )
    return lab


def write(page: Page) -> None:
    """Write the push: an image, a button, a variable with a fallback, and a German translation."""
    page.get_by_label("Name", exact=True).fill("Friday deals")
    page.locator(TITLE).fill("Hi ")
    page.get_by_role("button", name="Insert variable: Title").first.click()
    page.locator(".picker .choices button", has=page.get_by_text("name", exact=True)).click()
    page.keyboard.type("friend")
    page.keyboard.press("Enter")
    expect(page.locator(TITLE)).to_have_value("Hi [[var:name|friend]]")
    page.locator(BODY).fill("Weekend deals are here")
    page.get_by_label("Image", exact=True).first.fill("https://cdn.example.com/friday.jpg")
    page.get_by_role("button", name="Add a button").click()
    expect(page.locator('[id="pushSequence[0].buttons[0].title"]')).to_be_focused()
    page.keyboard.type("Shop now")
    page.locator("#push-1").get_by_label("Layer", exact=True).select_option("1")


def translate(page: Page) -> None:
    page.locator("summary", has_text="Add a language").click()
    page.get_by_label("Language", exact=True).first.fill("German")
    page.keyboard.press("Enter")
    german = page.locator('[id="pushSequence[0].translations.de.title"]')
    expect(german).to_be_focused()
    page.keyboard.type("Hallo [[var:name|du]]")
    page.locator('[id="pushSequence[0].translations.de.body"]').fill("Angebote zum Wochenende")
    expect(page.locator(".device.ios .body")).to_have_text("Angebote zum Wochenende")


def schedule(page: Page) -> None:
    page.get_by_role("radio", name="Weekly").check()
    page.get_by_role("checkbox", name="Friday").check()
    page.get_by_label("Send time").fill("17:30")
    expect(page.locator("#schedule-panel")).to_contain_text("Every Friday at 17:30 Berlin")


def choose_berlin(page: Page) -> None:
    page.get_by_label("Condition 1: what to compare").select_option("city")
    value = page.get_by_label("Condition 1: value")
    value.fill("Berlin")
    page.get_by_role("button", name="Count people").click()
    expect(page.locator("#who-found")).to_contain_text("8 people match; 6 of them can be reached", timeout=QUERY)


def send_to_me(page: Page, console: Console) -> None:
    """Send the test to oneself from the page of the campaign, and see that it arrived."""
    page.get_by_role("link", name="Test & send").click()
    page.get_by_label("Who are you in your app?").fill(ME)
    page.get_by_role("button", name="Send to me").click()
    expect(page.get_by_text("Test started. This page updates automatically.")).to_be_visible()
    console.lab.run_to(console.lab.clock.now() + 3 * MINUTE)
    expect(page.get_by_text("Sent to ana (iOS).")).to_be_visible(timeout=10_000)
    assert {each["userId"] for each in console.lab.outbox(test=True)} == {ME}


def activate(page: Page, people: int) -> None:
    """Review the campaign of the page, and activate it."""
    page.get_by_role("link", name="Review and activate").click()
    expect(page.locator(".figure .num")).to_have_text(str(people), timeout=QUERY)
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("Activated. First send: Fri 6 Mar, 17:30 Berlin.")).to_be_visible()


def number(page: Page, label: str) -> int:
    """The number under a label of the overview."""
    return int(page.locator(".figures div", has=page.get_by_text(label, exact=True)).locator("dd a").inner_text())


def check_numbers(page: Page, console: Console) -> Counter[str]:
    """Compare the numbers on all pages with the store and the receipt, and return the receipt's rows by outcome."""
    totals = console.lab.report(SEND)["totals"]
    page.goto(f"{console.url}/")
    assert number(page, "Sends") == 1
    assert number(page, "People reached") == totals["peopleReached"]
    assert number(page, "Messages sent") == totals["sent"]
    page.get_by_role("link", name="Sends", exact=True).click()
    row = page.locator("main tbody tr", has=page.locator(f"a[href$='{SEND}']"))
    assert row.locator("[data-label='People reached']").inner_text() == str(totals["peopleReached"])
    sent = row.locator("[data-label='Messages sent']").evaluate("(cell) => cell.firstChild.textContent")
    assert sent == str(totals["sent"])
    page.goto(f"{console.url}/executions/{SEND}")
    for label, count in {
        "Audience": "audienceSize",
        "Sent": "sent",
        "Failed": "failed",
        "Unknown": "unknown",
    }.items():
        assert page.locator(f".numbers [data-label={label}]").first.inner_text() == str(totals[count]), label
    assert int(page.locator(".numbers [data-label=Withheld]").first.inner_text()) == sum(totals["excluded"].values())
    link = page.get_by_role("link", name="Receipt (CSV)").get_attribute("href")
    answer = page.request.get(f"{console.url.removesuffix('/console')}{link}")
    outcomes = Counter(row["outcome"] for row in csv.DictReader(io.StringIO(answer.text())))
    assert outcomes["sent"] == totals["sent"]
    assert outcomes.total() == totals["audienceSize"]
    return outcomes


def stored(console: Console) -> dict[str, Any]:
    return console.lab.ports.recipes.get("friday-deals") or {}


@pytest.mark.long
def test_the_friday_campaign_from_an_empty_workspace(console: Console, open_page: OpenPage) -> None:
    page = open_page("/", **BERLIN)
    page.get_by_role("link", name="Create your first campaign").click()
    write(page)
    translate(page)
    choose_berlin(page)
    page.get_by_role("button", name="Load sample people").click()
    page.get_by_label("Show", exact=True).select_option("empty:name", timeout=QUERY)
    expect(page.locator(".device.ios .title")).to_have_text("Hallo du")
    schedule(page)
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", name="Friday deals")).to_be_visible()
    send_to_me(page, console)
    page.get_by_role("link", name="Friday deals").first.click()
    page.get_by_role("link", name="Review and activate").click()
    page.get_by_role("link", name="Fix").first.click(timeout=QUERY)
    page.get_by_label("Test users").fill(ME)
    page.get_by_role("button", name="Save draft").click()
    activate(page, people=6)
    push = stored(console)["pushSequence"][0]
    assert push["buttons"] == [{"id": "shop-now", "title": "Shop now"}]
    console.lab.run_to(FRIDAY + timedelta(hours=2))
    assert check_numbers(page, console) == {"sent": 6, "excluded": 2}
    titles = Counter(each["title"] for each in console.lab.outbox(test=False))
    assert titles == Counter(["Hallo Name 0", "Hallo Name 1", "Hallo du", "Hi Name 3", "Hi Name 4", "Hi Name 5"])


@pytest.mark.long
@pytest.mark.parametrize("lab", ["marketplace"], indirect=True)
def test_the_friday_campaign_in_the_marketplace(console: Console, open_page: OpenPage) -> None:
    page = open_page("/recipes", **BERLIN)
    page.get_by_role("link", name="New campaign").click()
    page.get_by_role("radio", name="A prepared audience").check()
    page.locator("[id='audienceCriteria.customScript.scriptId']").select_option(index=1)
    expect(page.get_by_role("button", name="Load sample people")).to_be_visible()
    write(page)
    page.get_by_role("button", name="Load sample people").click()
    expect(page.locator(".device.ios .title")).to_have_text(re.compile(r"Hi Name [0-3]"), timeout=QUERY)
    schedule(page)
    page.locator("summary", has_text="Safeguards and advanced settings").click()
    page.get_by_label("Test users").fill(TESTER)
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", name="Friday deals")).to_be_visible()
    send_to_me(page, console)
    page.get_by_role("link", name="Friday deals").first.click()
    activate(page, people=4)
    console.lab.run_to(FRIDAY + timedelta(hours=2))
    assert check_numbers(page, console) == {"sent": 4}


@pytest.mark.long
def test_the_friday_campaign_by_keyboard_alone(console: Console, open_page: OpenPage) -> None:
    page = open_page("/", **BERLIN)
    key, typed = page.keyboard.press, page.keyboard.type

    def press_at(selector: str, keys: str = "Enter") -> None:
        tab_to(page, selector)
        key(keys)

    page.wait_for_load_state("networkidle")
    press_at("main .first a.button")
    expect(page.get_by_role("heading", name="New campaign")).to_be_visible()
    page.wait_for_load_state("networkidle")
    tab_to(page, "#name")
    typed("Friday deals")
    tab_to(page, TITLE)
    typed("Hi ")
    press_at("[data-pick=variable]")
    typed("name")
    key("ArrowDown")
    key("Enter")
    typed("friend")
    key("Enter")
    expect(page.locator(TITLE)).to_be_focused()
    tab_to(page, BODY)
    typed("Weekend deals are here")
    tab_to(page, '[id="pushSequence[0].layerId"]')
    typed("1")
    tab_to(page, '[id="where.0.column"]')
    typed("city")
    value = page.get_by_label("Condition 1: value")
    expect(value).to_be_visible()
    tab_to(page, '[id="where.0.value"]')
    typed("Berlin")
    tab_to(page, "[name='schedule.frequency']")
    key("ArrowRight")
    expect(page.get_by_role("radio", name="Weekly")).to_be_checked()
    press_at("[name='schedule.daysOfWeek'][value='5']", "Space")
    tab_to(page, "[id='schedule.executionTime']")
    typed("17:30")
    expect(page.locator("#schedule-panel")).to_contain_text("Every Friday at 17:30 Berlin")
    press_at("#settings summary, summary:has(#f-settings)", "Space")
    tab_to(page, "[id='settings.testUserIds']")
    typed(ME)
    press_at("#save")
    expect(page.locator(".figure .num")).to_have_text("6", timeout=QUERY)
    press_at("main form[action$='/activate'] button")
    expect(page.get_by_text("Activated. First send: Fri 6 Mar, 17:30 Berlin.")).to_be_visible()
    document = stored(console)
    assert document["status"] == "active"
    assert document["pushSequence"][0]["title"] == "Hi [[var:name|friend]]"
    assert document["audienceCriteria"]["where"] == {"all": [{"column": "city", "op": "is", "value": "Berlin"}]}


@pytest.mark.long
def test_the_friday_campaign_on_a_phone(console: Console, open_page: OpenPage) -> None:
    page = open_page("/", **PHONE, **BERLIN)

    def fits() -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, page.url

    page.get_by_role("link", name="Create your first campaign").tap()
    page.get_by_label("Name", exact=True).fill("Friday deals")
    page.locator(TITLE).fill("Hi [[var:name|friend]]")
    page.locator(BODY).fill("Weekend deals are here")
    page.locator("#push-1").get_by_label("Layer", exact=True).select_option("1")
    page.get_by_label("Condition 1: what to compare").select_option("city")
    page.get_by_label("Condition 1: value").fill("Berlin")
    page.get_by_role("radio", name="Weekly").tap()
    page.get_by_role("checkbox", name="Friday").tap()
    page.get_by_label("Send time").fill("17:30")
    expect(page.locator("#schedule-panel")).to_contain_text("Every Friday at 17:30 Berlin")
    page.locator(".sheet-bar").tap()
    expect(page.locator(".device.ios .title")).to_have_text("Hi name")
    fits()
    page.locator(".sheet-bar").tap()
    page.get_by_role("button", name="Save draft").tap()
    expect(page.get_by_role("heading", name="Friday deals")).to_be_visible()
    fits()
    send_to_me(page, console)
    fits()
    page.goto(f"{console.url}/recipes/friday-deals/edit#settings.testUserIds")
    page.get_by_label("Test users").fill(ME)
    page.get_by_role("button", name="Review and activate").tap()
    expect(page.locator(".figure .num")).to_have_text("6", timeout=QUERY)
    fits()
    page.get_by_role("button", name="Activate").tap()
    expect(page.get_by_text("Activated. First send: Fri 6 Mar, 17:30 Berlin.")).to_be_visible()
    fits()


@pytest.mark.long
def test_of_two_tabs_nothing_is_lost_and_what_the_form_does_not_know_stays(
    console: Console, open_page: OpenPage
) -> None:
    console.lab.save(recipe(id="friday-deals", name="Friday deals", metadata={"team": "growth"}))
    console.lab.ports.recipes.change("friday-deals", lambda kept: {**(kept or {}), "ofAnotherRelease": {"a": [1]}})
    page = open_page("/recipes/friday-deals/edit")
    other = page.context.new_page()
    other.goto(f"{console.url}/recipes/friday-deals/edit")
    other.locator(TITLE).fill("From the other tab")
    other.get_by_role("button", name="Save", exact=True).last.click()
    expect(other.get_by_text("Saved.")).to_be_visible()
    page.locator(BODY).fill("From this tab")
    expect(page.get_by_text("Unsaved changes")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Restore your unsaved changes").click()
    expect(page.locator(BODY)).to_have_value("From this tab")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("ana@kicks.example has changed this campaign since you opened it")).to_be_visible()
    expect(page.locator(BODY)).to_have_value("From this tab")
    assert stored(console)["pushSequence"][0]["title"] == "From the other tab"
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    document = stored(console)
    assert document["pushSequence"][0]["body"] == "From this tab"
    assert (document["ofAnotherRelease"], document["metadata"]) == ({"a": [1]}, {"team": "growth"})
