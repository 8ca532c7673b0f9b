"""The overview and the states of a send, in a real browser."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Console, OpenPage
from tests.factories import recipe
from tests.functional.conftest import SEND_AT

MINUTE = timedelta(minutes=1)
PHONE = {"viewport": {"width": 375, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


def test_an_issue_leads_to_its_remedy_and_is_resolved_with_a_note(console: Console, open_page: OpenPage) -> None:
    console.lab.save(recipe(settings__safeguards__maxAudienceSize=1))
    console.lab.run_to(SEND_AT - 10 * MINUTE)
    page = open_page("/")
    expect(page.get_by_role("link", name="Change the audience")).to_be_visible()
    page.locator(".resolve summary").click()
    page.get_by_label("Note (optional)").fill("Raised the limit")
    page.get_by_role("button", name="Mark as resolved").click()
    expect(page.get_by_role("heading", name="Needs attention")).to_have_count(0)
    page.goto(f"{console.url}{console.of()}")
    expect(page.get_by_text("Raised the limit").first).to_be_visible()


@pytest.mark.long
def test_an_open_page_loses_its_stop_when_everyone_was_sent_to(console: Console, open_page: OpenPage) -> None:
    console.lab.run_to(SEND_AT + MINUTE)
    page = open_page(console.of())
    expect(page.get_by_role("button", name="Emergency stop")).to_be_visible()
    console.lab.run_to(SEND_AT + 5 * MINUTE)
    expect(page.locator("#control")).to_contain_text("There is nothing left to stop", timeout=10_000)
    expect(page.locator("#head .badge")).to_have_text("Sent")


@pytest.mark.long
def test_the_overview_is_accessible_and_fits_a_phone(console: Console, open_page: OpenPage) -> None:
    console.lab.save(recipe(id="big", name="Big sale", settings__safeguards__maxAudienceSize=1))
    console.lab.ports.recipes.change("bad", lambda _: {"id": "bad", "status": "active"})
    console.lab.run_to(SEND_AT + MINUTE)
    for options in ({"color_scheme": "dark"}, PHONE):
        page = open_page("/", **options)
        expect(page.get_by_role("heading", name="Campaigns that can't be read")).to_be_visible()
        page.locator(".resolve summary").first.click()
        page.wait_for_load_state("networkidle")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
