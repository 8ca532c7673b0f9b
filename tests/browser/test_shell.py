"""What all pages have: the visitor's time zone, keyboard shortcuts, and terms that explain themselves."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Console, OpenPage


def test_pages_show_the_time_of_the_browsers_zone(console: Console, open_page: OpenPage) -> None:
    console.lab.run_to_the_end()
    page = open_page("/", timezone_id="Asia/Tokyo")
    expect(page.get_by_text("Times in Tokyo (JST) · now")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Tue 3 Mar, 03:30 JST")


def test_a_chosen_zone_stays(console: Console, open_page: OpenPage) -> None:
    page = open_page("/help", timezone_id="Asia/Tokyo")
    page.get_by_role("combobox", name="Time zone").fill("America/Lima")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Times are shown in Lima")).to_be_visible()
    page.goto(f"{console.url}/recipes")
    expect(page.locator("footer").get_by_text("Times in Lima")).to_be_visible()
    page.goto(f"{console.url}/help")
    page.get_by_role("button", name="Use my browser's").click()
    expect(page.get_by_text("Times in Tokyo (JST) · now")).to_be_visible()


def test_keys_lead_through_the_console(open_page: OpenPage) -> None:
    page = open_page("/")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", name="Campaigns", level=1)).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Welcome")).to_be_focused()
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="New campaign")).to_be_visible()
    page.get_by_label("Name", exact=True).click()
    page.keyboard.type("gc? news")
    expect(page.get_by_label("Name", exact=True)).to_have_value("gc? news")


@pytest.mark.long
def test_without_javascript_the_shortcuts_are_on_the_help_page(open_page: OpenPage) -> None:
    page = open_page("/", java_script_enabled=False)
    page.get_by_role("link", name="Keyboard shortcuts").click()
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
