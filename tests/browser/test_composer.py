"""The composer in a browser: the preview follows typing, and the pickers work with the keyboard alone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from functions.usecases.recipes.save import stored_recipe
from tests.browser.conftest import Console, OpenPage
from tests.factories import user

EDIT = "/recipes/welcome/edit"
_QUERY = 30_000
"""How long a query may take on a busy machine, in milliseconds."""
TITLE, BODY = '[name="pushSequence[0].title"]', '[name="pushSequence[0].body"]'


def test_the_preview_follows_typing_without_a_page_load(console: Console, open_page: OpenPage) -> None:
    page = open_page(EDIT)
    page.evaluate("window.stayed = true")
    page.locator(TITLE).press("End")
    page.keyboard.type(" now")
    expect(page.locator(".device.android .title")).to_have_text("Push 1 for name now")
    expect(page.locator('[data-counts="pushSequence[0].title"]')).to_contain_text("15 characters and the values")
    page.locator('[name="pushSequence[1].body"]').fill("Nothing <i>loads</i>")
    expect(page.locator(".device.ios .body")).to_have_text("Nothing <i>loads</i>")
    expect(page.get_by_role("radio", name="Push 2")).to_be_checked()
    page.get_by_role("radio", name="Push 1").check()
    expect(page.locator(".device.ios .title")).to_have_text("Push 1 for name now")
    assert page.evaluate("window.stayed")
    assert stored_recipe(console.lab.ports, "welcome")["pushSequence"][0]["title"] == "Push 1 for [[var:name]]"


def test_plain_text_is_shown_before_the_server_answers(open_page: OpenPage) -> None:
    page = open_page(EDIT)
    page.route("**/recipes/compose", lambda route: route.fulfill(status=204))
    page.locator(TITLE).fill("At once")
    assert page.locator(".device.ios .title").inner_text() == "At once"


def test_a_variable_is_chosen_with_the_keyboard_and_gets_a_fallback(console: Console, open_page: OpenPage) -> None:
    rows = [(user(n), "Shoe", "" if n == 1 else f"Name {n}", "a") for n in range(4)]
    console.lab.write_rows(rows)
    page = open_page(EDIT)
    page.locator(BODY).fill("Typed right before")
    page.get_by_role("button", name="Load sample people").click()
    expect(page.locator(".compose-people")).to_contain_text("25% have none: they get no push.", timeout=_QUERY)
    page.locator(TITLE).fill("Hi ")
    page.get_by_role("button", name="Insert variable: Title").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("call")
    expect(page.locator(".picker .choices button")).to_have_count(1)
    expect(page.locator(".picker .choices button")).to_contain_text("25% empty")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("friend")
    page.keyboard.press("Enter")
    expect(page.locator(TITLE)).to_have_value("Hi [[var:name|friend]]")
    expect(page.locator(TITLE)).to_be_focused()
    expect(page.locator(".device.ios .title")).to_have_text(re.compile(r"Hi Name \d"))
    expect(page.locator(".device.ios .body")).to_have_text("Typed right before")
    page.get_by_label("Show", exact=True).select_option("empty:name")
    expect(page.locator(".device.ios .title")).to_have_text("Hi friend")


def test_an_emoji_goes_to_the_caret_and_escape_returns_the_focus(open_page: OpenPage) -> None:
    page = open_page(EDIT)
    page.locator(BODY).fill("ab")
    page.keyboard.press("ArrowLeft")
    button = page.get_by_role("button", name="Emoji: Body").first
    button.click()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(page.locator(".picker")).to_have_count(0)
    button.click()
    page.keyboard.type("rocket")
    page.keyboard.press("Enter")
    expect(page.locator(BODY)).to_have_value("a🚀b")
    expect(page.locator(BODY)).to_be_focused()


@pytest.mark.long
@pytest.mark.parametrize("width", [375, 1440])
def test_nothing_moves_on_loading_and_typing(open_page: OpenPage, width: int) -> None:
    page = open_page(EDIT, viewport={"width": width, "height": 900})
    page.evaluate(
        """window.moved = 0; new PerformanceObserver((list) => {
             for (const each of list.getEntries()) if (!each.hadRecentInput) window.moved += each.value;
           }).observe({ type: "layout-shift", buffered: true })"""
    )
    page.locator(TITLE).press("End")
    page.keyboard.type(" now")
    expect(page.locator(".device.android .title")).to_have_text("Push 1 for name now")
    page.wait_for_timeout(600)
    assert page.evaluate("window.moved") < 0.01


@pytest.mark.long
@pytest.mark.parametrize(("width", "scheme"), [(375, "light"), (1440, "dark")])
def test_the_composer_is_accessible_and_fits(open_page: OpenPage, scheme: str, width: int) -> None:
    page = open_page(EDIT, viewport={"width": width, "height": 900}, color_scheme=scheme)
    if width == 375:
        page.locator(".sheet-bar").click()
    page.get_by_role("button", name="Load sample people").click()
    expect(page.get_by_label("Show", exact=True)).to_be_visible(timeout=_QUERY)
    page.locator('[id="view.theme.dark"]').check()
    page.locator(TITLE).fill("Hi {{name}}")
    expect(page.locator(".compose-errors")).to_contain_text("looks like a variable of another product")
    page.get_by_role("button", name="Emoji: Title").first.click()
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
