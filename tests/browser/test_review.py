"""The review of a campaign and tests on colleagues, in a real browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from functions.usecases.people.testers import add_tester
from functions.usecases.recipes import activate
from tests.browser.conftest import Console, OpenPage
from tests.factories import recipe, user

EDIT, REVIEW, RUN = "/recipes/welcome/edit", "/recipes/welcome/review", "/recipes/welcome/run"


def reviewed(page: Page) -> None:
    expect(page.get_by_text("people would receive it now")).to_be_visible(timeout=15_000)


def test_a_draft_is_reviewed_and_activated_by_typing_the_number(
    console: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activate, "CONFIRM_ABOVE", 8)
    console.lab.save(recipe(status="draft"))
    page = open_page(EDIT)
    page.get_by_role("button", name="Review and activate").click()
    reviewed(page)
    people = activate.review(console.lab.ports, "welcome").reviewed.people
    expect(page.locator(".figure .num")).to_have_text(str(people))
    page.get_by_label("Type the number of people to confirm").fill("8")
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("Nothing was activated: you typed 8")).to_be_visible()
    reviewed(page)
    page.get_by_label("Type the number of people to confirm").fill(str(people))
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("Activated. First send: Mon 2 Mar, 18:30 UTC.")).to_be_visible()


def test_a_problem_leads_to_its_field(console: Console, open_page: OpenPage) -> None:
    console.lab.save(recipe(status="draft", settings__safeguards={"maxAudienceSize": 3}))
    page = open_page(REVIEW)
    reviewed(page)
    expect(page.get_by_role("button", name="Activate")).to_have_count(0)
    page.locator("#review .fixes a").first.click()
    assert page.url.endswith("/edit#settings.safeguards.maxAudienceSize")


def test_a_visitor_sends_a_test_to_a_colleague(console: Console, open_page: OpenPage) -> None:
    add_tester(console.lab.ports, name="Ana", user_id=user(1), by="ana@kicks.example")
    page = open_page(RUN)
    expect(page.locator("#on-0")).to_have_text("iOS", timeout=15_000)
    page.get_by_label("Ana").check()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("Test started. This page updates automatically.")).to_be_visible()
    console.lab.run_to(console.lab.clock.now() + timedelta(minutes=3))
    expect(page.get_by_text("Sent to Ana (iOS).")).to_be_visible(timeout=10_000)
    assert {each["userId"] for each in console.lab.outbox(test=True)} == {user(1)}
