"""Lists in a browser: on phones, by keyboard, in both colour schemes, with the store's numbers."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from functions.usecases.timeline.control import cancel
from tests.browser.conftest import Console, OpenPage
from tests.factories import recipe
from tests.functional.conftest import SEND_AT

PHONE = {"viewport": {"width": 375, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
PATHS = (
    *("/recipes?tag=spring", "/recipes?q=nothing", "/executions?sort=size", "/executions?recipe=nothing"),
    *("/calendar?month=2026-03", "/calendar?day=2026-03-02", "/audit?kind=cancel", "/recipes/none"),
)


@pytest.mark.long
@pytest.mark.parametrize(("width", "scheme"), [(375, "light"), (1440, "dark")])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    scheme: str, width: int, console: Console, open_page: OpenPage
) -> None:
    console.lab.save(recipe(tags=["spring"], owner="ana@kicks.example"))
    console.lab.run_to(SEND_AT - timedelta(minutes=10))
    cancel(console.lab.ports, console.lab.id, "wrong shoes", by="ana@kicks.example")
    page = open_page("/recipes", color_scheme=scheme, viewport={"width": width, "height": 800})
    for path in PATHS:
        page.goto(f"{console.url}{path}")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_filters_fold_on_a_phone_and_stay_open_once_one_is_chosen(console: Console, open_page: OpenPage) -> None:
    page = open_page("/recipes", **PHONE)
    expect(page.get_by_label("Status")).not_to_be_visible()
    page.get_by_text("Filters").click()
    page.get_by_label("Status").select_option("Paused")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No campaigns match these filters.")).to_be_visible()
    expect(page.get_by_label("Status")).to_have_value("paused")
    page.get_by_role("link", name="Show all campaigns").click()
    expect(page.get_by_role("link", name="Welcome")).to_be_visible()
    expect(page.get_by_text(console.lab.ports.recipes.page(most=1)[0]["name"])).to_be_visible()


def test_filters_are_all_there_on_a_wide_screen_also_without_scripts(open_page: OpenPage) -> None:
    page = open_page("/executions", java_script_enabled=False)
    expect(page.get_by_label("State")).to_be_visible()
    expect(page.get_by_label("From")).to_be_visible()
    expect(page.get_by_text("No sends yet.")).to_be_visible()


def test_the_calendar_of_a_phone_names_its_days_and_its_zone_is_remembered(open_page: OpenPage) -> None:
    page = open_page("/calendar", **PHONE, timezone_id="Asia/Tokyo")
    page.reload()
    expect(page.locator("main").get_by_text("Times in Tokyo")).to_be_visible()
    expect(page.get_by_text("Tuesday 3 March")).to_be_visible()
    page.get_by_label("Time zone").fill("America/New_York")
    page.get_by_role("button", name="Show").press("Enter")
    expect(page.locator("main").get_by_text("Times in New York")).to_be_visible()
    page.get_by_role("link", name="April").click()
    expect(page.get_by_role("heading", name="April 2026")).to_be_visible()
    expect(page.locator("main").get_by_text("Times in New York")).to_be_visible()


def test_typing_a_name_suggests_campaigns_and_the_keyboard_searches(console: Console, open_page: OpenPage) -> None:
    console.lab.run_to(SEND_AT - timedelta(minutes=29))
    page = open_page("/executions")
    page.get_by_label("Campaign").press_sequentially("wel")
    expect(page.locator("#campaigns option")).to_have_attribute("value", "Welcome")
    page.keyboard.press("Enter")
    expect(page.locator("main tbody tr")).to_have_count(1)
    expect(page.get_by_role("link", name="Welcome")).to_have_attribute("href", f"/console{console.of()}")
