"""The form of a campaign in a real browser: changed in place, by keyboard alone, and nothing typed is lost."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console, OpenPage, tab_to
from tests.factories import push, recipe
from tests.functional.conftest import Lab

EDIT = "/recipes/welcome/edit"
PHONE = {"viewport": {"width": 375, "height": 740}}
ASKS = """() => {
  const event = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(event);
  return event.defaultPrevented;
}"""
"""Whether the browser asks before the page is left."""


@pytest.fixture
def lab(lab: Lab) -> Lab:
    """A laboratory that knows in which language people read."""
    lab.use_locales()
    return lab


def stored(console: Console) -> dict[str, Any]:
    return console.lab.ports.recipes.get("welcome") or {}


def field(page: Page, path: str, push: int = 0) -> Any:
    return page.locator(f'[id="pushSequence[{push}].{path}"]')


def test_the_keyboard_alone_adds_a_push_a_button_and_a_language(console: Console, open_page: OpenPage) -> None:
    console.lab.save(recipe(pushSequence=[push(1)]))
    page = open_page(EDIT)
    page.locator("#name").fill("Changed")
    page.get_by_role("button", name="Add a push").focus()
    page.keyboard.press("Enter")
    expect(field(page, "title", 1)).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("Push 2 added.")
    page.keyboard.type("Second")
    tab_to(page, '[name="pushSequence[1].body"]')
    page.keyboard.type("More")
    field(page, "layerId", 1).select_option("1")
    field(page, "audienceName", 1).fill("a")
    second = page.locator("#push-2")
    second.get_by_role("button", name="Add a button").focus()
    page.keyboard.press("Space")
    expect(field(page, "buttons[0].title", 1)).to_be_focused()
    page.keyboard.type("Go there")
    second.locator("summary", has_text="Add a language").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("German")
    page.keyboard.press("Enter")
    expect(field(page, "translations.de.title", 1)).to_be_focused()
    page.keyboard.type("Zweite")
    expect(second.get_by_role("tab", name="German")).to_contain_text("no body, no buttons")
    tab_to(page, '[name="pushSequence[1].translations.de.body"]')
    page.keyboard.type("Mehr")
    expect(second.get_by_role("tab", name="German")).to_have_text("German no buttons")
    second.get_by_role("tab", name="German").focus()
    page.keyboard.press("ArrowLeft")
    expect(field(page, "title", 1)).to_be_visible()
    expect(field(page, "translations.de.title", 1)).to_be_hidden()
    page.keyboard.press("Control+s")
    expect(page.get_by_role("heading", name="Changed")).to_be_visible()
    saved = stored(console)["pushSequence"][1]
    assert (saved["title"], saved["body"]) == ("Second", "More")
    assert saved["buttons"] == [{"id": "go-there", "title": "Go there"}]
    assert saved["translations"] == {"de": {"title": "Zweite", "body": "Mehr"}}


def test_pushes_are_moved_and_removed_without_a_jump(console: Console, open_page: OpenPage) -> None:
    page = open_page(EDIT)
    page.evaluate("window.same = true")
    field(page, "title", 2).fill("Third")
    page.locator("#push-3").get_by_role("button", name="Move push 3 up").click()
    expect(page.locator("#push-2-up")).to_be_focused()
    expect(field(page, "title", 1)).to_have_value("Third")
    expect(page.locator("#announcer")).to_have_text("Push 3 is now push 2.")
    before = page.evaluate("window.scrollY")
    page.keyboard.press("Enter")
    expect(field(page, "title", 0)).to_have_value("Third")
    expect(page.locator("#push-1-down")).to_be_focused()
    assert page.evaluate("window.scrollY") <= before
    page.locator("#push-2").get_by_role("button", name="Duplicate").click()
    expect(field(page, "title", 2)).to_be_focused()
    page.locator("#push-4").get_by_role("button", name="Remove push 4").click()
    expect(field(page, "title", 2)).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("Push 4 removed.")
    assert page.evaluate("window.same"), "the page was not loaded again"
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    first = "Push 1 for [[var:name]]"
    assert [each["title"] for each in stored(console)["pushSequence"]] == ["Third", first, first]


def test_a_reload_offers_what_was_not_saved(console: Console, open_page: OpenPage) -> None:
    page = open_page(EDIT)
    assert not page.evaluate(ASKS)
    title = field(page, "title").input_value()
    field(page, "title").fill("Unsaved")
    assert page.evaluate(ASKS)
    expect(page.get_by_text("Unsaved changes")).to_be_visible()
    field(page, "title").fill(title)
    assert not page.evaluate(ASKS)
    field(page, "title").fill("Unsaved")
    page.reload()
    expect(field(page, "title")).to_have_value(title)
    page.get_by_role("button", name="Restore your unsaved changes").click()
    expect(field(page, "title")).to_have_value("Unsaved")
    assert page.evaluate(ASKS)
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert stored(console)["pushSequence"][0]["title"] == "Unsaved"
    page.wait_for_load_state()
    assert page.evaluate("Object.keys(sessionStorage).filter((key) => key.startsWith('draft '))") == []
    page.goto(f"{console.url}{EDIT}")
    assert not page.evaluate(ASKS)
    field(page, "title").fill("Unwanted")
    page.reload()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("You have unsaved changes")).to_have_count(0)
    page.reload()
    expect(field(page, "title")).to_have_value("Unsaved")
    expect(page.get_by_text("You have unsaved changes")).to_have_count(0)


def test_a_draft_is_not_restored_over_a_newer_version_without_a_word(console: Console, open_page: OpenPage) -> None:
    page = open_page(EDIT)
    field(page, "title").fill("Mine")
    console.lab.save(recipe(name="Theirs"))
    page.reload()
    expect(page.get_by_text("this was saved again since")).to_be_visible()
    page.get_by_role("button", name="Restore your unsaved changes").click()
    expect(field(page, "title")).to_have_value("Mine")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("has changed this campaign since you opened it")).to_be_visible()
    expect(field(page, "title")).to_have_value("Mine")
    assert stored(console)["name"] == "Theirs"


def test_of_two_tabs_the_second_save_names_the_first_and_loses_nothing(console: Console, open_page: OpenPage) -> None:
    page = open_page(EDIT)
    other = page.context.new_page()
    other.goto(f"{console.url}{EDIT}")
    other.locator("#name").fill("From the other tab")
    other.get_by_role("button", name="Save", exact=True).last.click()
    expect(other.get_by_text("Saved.")).to_be_visible()
    field(page, "body").fill("From this tab")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Welcome became From the other tab")).to_be_visible()
    expect(field(page, "body")).to_have_value("From this tab")
    assert page.evaluate(ASKS)


def test_a_failed_save_goes_to_the_summary_and_its_links_open_what_is_folded(
    console: Console, open_page: OpenPage
) -> None:
    german = {"title": "Hallo", "body": "Komm"}
    console.lab.save(recipe(pushSequence=[push(1, translations={"de": german})]))
    page = open_page(EDIT)
    page.get_by_text("Delivery and platforms").first.click()
    field(page, "ios.badge").fill("many")
    page.get_by_role("tab", name="German").click()
    field(page, "translations.de.title").fill("Hi {{name}}")
    page.get_by_text("Delivery and platforms").first.click()
    page.evaluate(
        "document.addEventListener('submit', () => { window.said = document.querySelector('#save').textContent })"
    )
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator("#summary")).to_be_focused()
    expect(page.locator("#summary li")).to_have_count(2)
    page.get_by_role("tab", name="Default language").click()
    page.locator("#summary a", has_text="translation de").click()
    expect(field(page, "translations.de.title")).to_be_focused()
    page.locator("#summary a", has_text="iOS badge").click()
    expect(field(page, "ios.badge")).to_be_focused()


@pytest.mark.long
@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), ({}, "dark")])
def test_the_form_fits_and_is_accessible(
    size: dict[str, Any], scheme: str, console: Console, open_page: OpenPage
) -> None:
    buttons = [{"id": "go", "title": "Go"}]
    texts = {"buttons": buttons, "translations": {"de": {"title": "", "body": "Hallo"}}}
    console.lab.save(recipe(pushSequence=[push(1), push(2)]))
    console.lab.ports.recipes.change("welcome", lambda _: recipe(pushSequence=[push(1, **texts), push(2)]))
    page = open_page(EDIT, color_scheme=scheme, **size)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    for tab in ("Default language", "German"):
        page.get_by_role("tab", name=tab).click()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
