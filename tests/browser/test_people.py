"""Search for a person, and the person's page, in a real browser."""

from playwright.sync_api import expect

from tests.browser.conftest import Console, OpenPage
from tests.factories import user


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
