"""The console as people use it, in a real browser."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from functions.domain.roles import Role
from functions.usecases.people.testers import add_tester
from functions.usecases.recipes.save import delete_recipe
from tests.browser.conftest import Console, OpenPage
from tests.factories import push, recipe, user
from tests.functional.conftest import SEND_AT

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
PHONE = {"viewport": {"width": 375, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
PATHS = (
    *("/", "/recipes", "/recipes/welcome", "/recipes/welcome/edit", "/recipes/welcome/run", "/recipes/new"),
    *("/executions", "EXECUTION", "EXECUTION/confirm", "/calendar", "/cadence", "/audit", "/health", "/help"),
    *("/recipes/draft/review", "/recipes/blocked/review", "/recipes/draft/delete", "/calendar?day=2026-03-02"),
    *("/send", "/people", "/test-people", "/nothing"),
)
EMPTY = ("/", "/recipes", "/executions", "/calendar", "/people", "/test-people", "/audit")


def test_who_opens_the_console_finds_the_running_campaign_and_cancels_it(
    console: Console, open_page: OpenPage
) -> None:
    console.lab.run_to(SEND_AT - 10 * MINUTE)
    page = open_page("/")
    page.get_by_role("link", name="Welcome", exact=True).first.click()
    expect(page.locator("[data-countdown]")).to_have_text(re.compile("^T-"))
    page.get_by_role("button", name="Cancel this send").click()
    expect(page.get_by_role("heading", name="Cancel this send?")).to_be_focused()
    page.get_by_label("Reason (optional)").fill("wrong shoes")
    page.get_by_role("button", name="Cancel send").click()
    expect(page.get_by_text("Cancelled. Nobody receives the push.")).to_be_visible()
    expect(page.locator("#control")).to_contain_text("wrong shoes (ana@kicks.example)")
    console.lab.run_to_the_end()
    assert console.lab.outbox(test=False) == []


@pytest.mark.long
def test_a_cancel_that_loses_the_race_at_t0_says_so_and_offers_the_stop(
    console: Console, open_page: OpenPage
) -> None:
    console.lab.run_to(SEND_AT - SECOND)
    page = open_page(console.of("/confirm"))
    console.lab.run_to(SEND_AT)
    page.get_by_role("button", name="Cancel send").click()
    expect(page.get_by_text("Too late to cancel")).to_be_visible()
    page.get_by_role("button", name="Emergency stop").click()
    page.get_by_role("button", name="Stop send").click()
    expect(page.get_by_text("Stopped. No more messages are sent.")).to_be_visible()
    console.lab.run_to_the_end()
    assert [each["sent"] for each in console.lab.report()["pushes"]] == [4, 0, 0]


def test_an_open_page_follows_by_itself_and_its_button_turns_at_t0(console: Console, open_page: OpenPage) -> None:
    console.lab.run_to(SEND_AT - MINUTE)
    page = open_page(console.of())
    page.get_by_role("button", name="Cancel this send").click()
    console.lab.run_to(SEND_AT)
    expect(page.get_by_role("button", name="Emergency stop")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("button", name="Cancel send")).to_have_count(0)
    expect(page.locator("#announcer")).to_contain_text("Sending.")
    console.lab.run_to_the_end()
    expect(page.locator("#control")).to_contain_text("Finished", timeout=10_000)


ZOOMED = "zoomed to 200%"
LOOKS: dict[str, dict[str, Any]] = {
    **{f"{scheme}, {width}": {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
       for scheme in ("light", "dark") for width in (375, 1440)},
    ZOOMED: {"viewport": {"width": 720, "height": 450}, "device_scale_factor": 2},
}  # fmt: skip
OUTSIDE = """() => [...document.querySelectorAll("main :is(a, button, input, select, summary)")].filter((each) => {
  const { left, right, width } = each.getBoundingClientRect();
  return width > 1 && !each.closest(".unseen, table") && (left < 0 || right > innerWidth);
}).map((each) => each.outerHTML)"""
"""The controls that are partly outside the window."""


def check_access(page: Page, where: str, *, zoomed: bool = False) -> None:
    """Check a page with axe, and that nothing of it is outside the window. Zoom changes nothing that axe sees."""
    page.wait_for_load_state()
    expect(page.locator(".htmx-request")).to_have_count(0)
    if not zoomed:
        found = Axe().run(page)
        assert found.violations_count == 0, f"{where}: {found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where
    assert page.evaluate(OUTSIDE) == [], where


def look_at(console: Console, page: Page, paths: Sequence[str], *, zoomed: bool = False) -> None:
    for path in paths:
        page.goto(f"{console.url}{path.replace('EXECUTION', console.of())}")
        check_access(page, path, zoomed=zoomed)


@pytest.mark.long
@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_accessible(look: str, console: Console, open_page: OpenPage) -> None:
    console.lab.save(recipe(settings__safeguards__alertThresholds__audienceSize=1, description="About it"))
    console.lab.save(recipe(id="draft", name="Draft", status="draft"))
    console.lab.save(
        recipe(id="blocked", name="Blocked", status="draft", settings__safeguards={"maxAudienceSize": 3})
    )
    add_tester(console.lab.ports, name="Ana", user_id=user(1), by="ana@kicks.example")
    console.lab.run_to(SEND_AT + MINUTE)
    page, zoomed = open_page("/", **LOOKS[look]), look == ZOOMED
    look_at(console, page, PATHS, zoomed=zoomed)
    page.goto(f"{console.url}/recipes/new")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("#summary")).to_be_visible()
    check_access(page, "a form with errors", zoomed=zoomed)
    page.goto(f"{console.url}/people")
    page.get_by_label("User ID").fill(user(1))
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#next")).not_to_contain_text("Loading", timeout=20_000)
    check_access(page, "a person", zoomed=zoomed)


@pytest.mark.long
@pytest.mark.parametrize("look", ["light, 375", "dark, 1440"])
def test_an_empty_console_is_accessible(look: str, console: Console, open_page: OpenPage) -> None:
    delete_recipe(console.lab.ports, "welcome", by="ana@kicks.example")
    page = open_page("/", **LOOKS[look])
    look_at(console, page, EMPTY)


def test_no_page_scrolls_sideways_on_a_phone(console: Console, open_page: OpenPage) -> None:
    long = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen"
    console.lab.save(recipe(name=long, pushSequence=[push(1, title=long, body=long * 3)]))
    console.lab.run_to(SEND_AT + MINUTE)
    page = open_page("/", **PHONE)
    for path in PATHS:
        page.goto(f"{console.url}{path.replace('EXECUTION', console.of())}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, path


@pytest.mark.long
def test_everything_needed_to_cancel_can_be_done_with_the_keyboard(console: Console, open_page: OpenPage) -> None:
    console.lab.run_to(SEND_AT - MINUTE)
    page = open_page(console.of())
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "big":
            break
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", name="Cancel this send?")).to_be_focused()
    page.keyboard.press("Enter")  # a key that is held down confirms nothing
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Cancel send")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Cancelled. Nobody receives the push.")).to_be_visible()


def test_without_javascript_everything_can_be_read_and_cancelled(console: Console, open_page: OpenPage) -> None:
    console.lab.run_to(SEND_AT - MINUTE)
    page = open_page(console.of(), java_script_enabled=False)
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.locator(".countdown")).to_have_text("T-1:00")
    page.get_by_role("button", name="Cancel this send").click()
    page.get_by_role("button", name="Cancel send").click()
    expect(page.get_by_text("Cancelled. Nobody receives the push.")).to_be_visible()


@pytest.mark.long
def test_errors_of_a_form_are_beside_their_fields_and_lead_there(console: Console, open_page: OpenPage) -> None:
    console.lab.run_to(SEND_AT - 2 * timedelta(hours=1))
    page = open_page("/recipes/welcome/edit")
    page.get_by_label("Send time").fill("half past six")
    page.get_by_label("Title", exact=True).nth(1).fill("Hi [[vra:name]]")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_label("Send time")).to_have_value("half past six")
    expect(page.get_by_label("Send time")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("link", name=re.compile("^Send time:")).click()
    expect(page.get_by_label("Send time")).to_be_focused()
    page.get_by_label("Send time").fill("18:45")
    page.get_by_label("Title", exact=True).nth(1).fill("Hi [[var:name]]")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Every day at 18:45")).to_be_visible()


@pytest.mark.long
def test_a_viewer_is_shown_nothing_that_takes_another_role(console: Console, open_page: OpenPage) -> None:
    console.lab.run_to(SEND_AT - MINUTE)
    console.become(Role.VIEWER)
    page = open_page("/")
    for path in ("/", "/recipes", "/recipes/welcome", console.of()):
        page.goto(f"{console.url}{path}")
        for name in ("Cancel this send", "Edit", "Pause", "Duplicate", "New recipe"):
            assert page.get_by_role("link", name=name).count() + page.get_by_role("button", name=name).count() == 0
    page.goto(f"{console.url}{console.of('/confirm')}")
    expect(page.get_by_role("heading", name="You can't do this")).to_be_visible()


@pytest.mark.long
def test_hostile_texts_run_nowhere(console: Console, open_page: OpenPage) -> None:
    hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"
    lab = console.lab
    lab.write_users({"a": range(1)})
    lab.write_rows([(user(1), hostile, hostile, "a"), (hostile, hostile, hostile, "a")])
    lab.save(recipe(name=hostile, description=hostile, metadata={hostile: hostile}, pushSequence=[push(1)]))
    lab.run_to(SEND_AT - MINUTE)
    page = open_page("/")
    for path in PATHS:
        page.goto(f"{console.url}{path.replace('EXECUTION', console.of())}")
        page.wait_for_load_state("networkidle")
    page.goto(f"{console.url}{console.of('/confirm')}")
    page.get_by_label("Reason (optional)").fill(hostile)
    page.get_by_role("button", name="Cancel send").click()
    expect(page.locator("#control")).to_contain_text("<script>alert(1)</script>")
    page.goto(f"{console.url}/people")
    page.get_by_label("User ID").fill(hostile)
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#user-error")).to_contain_text("Enter a user ID such as")
    assert page.locator("img:not([alt=''])").count() == 0
