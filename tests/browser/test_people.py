"""Search for a person, and the person's page, in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Console, OpenPage
from tests.factories import user

PHONE = {"viewport": {"width": 375, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


def test_a_person_is_searched_for_and_shown(console: Console, open_page: OpenPage) -> None:
    console.lab.run_to_the_end()
    page = open_page("/")
    page.get_by_role("link", name="People").click()
    page.get_by_label("User ID").fill(user(1))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=user(1))).to_be_visible()
    assert user(1) not in page.url
    expect(page.locator(".history li")).to_have_count(1)
    expect(page.locator(".history")).to_contain_text("Push 1 for Name 1")
    expect(page.locator("#next")).to_contain_text("Gets it", timeout=20_000)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_people_on_a_phone(scheme: str, console: Console, open_page: OpenPage) -> None:
    console.lab.run_to_the_end()
    page = open_page("/people", color_scheme=scheme, **PHONE)
    assert Axe().run(page).violations_count == 0
    page.get_by_label("User ID").fill(user(1))
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#next")).to_contain_text("Gets it", timeout=20_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
