"""The schedule of the campaign form, and skipping and moving one send, in a real browser."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Console, OpenPage
from tests.functional.conftest import SEND_AT

MINUTE = timedelta(minutes=1)
PHONE = {"viewport": {"width": 375, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
ZONE = "[id='schedule.timezone']"
DATE, TIME = "[id='schedule.startDate']", "[id='schedule.executionTime']"


def test_a_marketer_types_friday_and_new_york_and_sees_the_send(console: Console, open_page: OpenPage) -> None:
    page = open_page("/recipes/welcome/edit")
    page.get_by_role("radio", name="Once").check()
    expect(page.get_by_label("Last day")).to_be_hidden()
    expect(page.get_by_role("checkbox", name="Friday")).to_be_hidden()
    page.fill(TIME, "")
    page.fill(DATE, "Friday 5:30 pm")
    page.locator(ZONE).fill("new yor")
    page.get_by_role("option", name="New York").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(ZONE)).to_have_value("America/New_York")
    expect(page.locator("#schedule-panel")).to_contain_text("Once, on 6 March 2026 at 17:30 New York")
    page.get_by_role("button", name="Save").last.click()
    page.get_by_role("heading", name="Next five sends").wait_for()
    document = console.lab.ports.recipes.get("welcome") or {}
    schedule = document["schedule"]
    assert (schedule["startDate"], schedule["executionTime"]) == ("2026-03-06", "17:30")
    assert schedule["timezone"] == "America/New_York"


def test_only_the_fields_of_a_frequency_are_there_and_a_wrong_one_says_why_at_once(open_page: OpenPage) -> None:
    page = open_page("/recipes/welcome/edit")
    page.get_by_role("radio", name="Weekly").check()
    page.get_by_role("checkbox", name="Friday").check()
    page.fill(TIME, "half five")
    expect(page.locator("#meaning-schedule-executionTime")).to_have_text("Error: Use 24-hour time, e.g. 17:30.")
    page.get_by_role("radio", name="Custom").check()
    expect(page.locator(TIME)).to_be_hidden()
    page.get_by_label("Cron expression").fill("30 18 * * 1-2")
    expect(page.locator("#schedule-panel")).to_contain_text("Every Monday and Tuesday at 18:30")


def test_a_new_campaign_has_the_zone_of_its_visitor(open_page: OpenPage) -> None:
    page = open_page("/recipes/new", timezone_id="Asia/Tokyo")
    expect(page.locator(ZONE)).to_have_value("Asia/Tokyo")
    expect(page.locator("#meaning-schedule-timezone")).to_contain_text("Tokyo: ")


def test_one_send_is_skipped_and_restored(console: Console, open_page: OpenPage) -> None:
    page = open_page("/recipes/welcome")
    page.get_by_role("link", name="Skip the send of Mon 2 Mar, 18:30").click()
    page.get_by_role("button", name="Skip this send").click()
    expect(page.get_by_role("status")).to_contain_text("Skipped Mon 2 Mar, 18:30 UTC.")
    expect(page.locator("del")).to_contain_text("Mon 2 Mar, 18:30")
    assert (console.lab.ports.recipes.get("welcome") or {})["schedule"]["skip"] == ["2026-03-02T18:30:00Z"]
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("del")).to_have_count(0)
    assert "skip" not in (console.lab.ports.recipes.get("welcome") or {})["schedule"]


def test_one_send_is_moved_to_a_typed_time_that_is_understood_at_once(console: Console, open_page: OpenPage) -> None:
    page = open_page("/recipes/welcome")
    page.get_by_role("link", name="Move the send of Mon 2 Mar, 18:30").click()
    page.fill(DATE, "wednesday 9am")
    page.fill(TIME, "")
    expect(page.locator("#schedule-panel")).to_contain_text("Once, on 4 March 2026 at 09:00")
    page.get_by_role("button", name="Move this send").click()
    expect(page.get_by_role("status")).to_contain_text("Moved Mon 2 Mar, 18:30 UTC to Wed 4 Mar, 09:00 UTC.")
    expect(page.locator("li", has=page.locator("del"))).to_contain_text("Moved")
    page.get_by_role("link", name="See the moved send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome (moved)")
    copy = console.lab.ports.recipes.get("welcome-moved-20260302T1830Z") or {}
    assert (copy["firstSendAt"], copy["status"]) == ("2026-03-04T09:00:00Z", "active")


@pytest.mark.long
@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, PHONE], ids=["dark", "phone"])
def test_the_schedule_is_accessible(options: dict[str, object], console: Console, open_page: OpenPage) -> None:
    console.lab.run_to(SEND_AT - 20 * MINUTE)
    page = open_page("/recipes/welcome/edit", **options)
    page.get_by_role("radio", name="Weekly").check()
    page.locator(ZONE).fill("eur")
    page.locator("#zone-list li").first.wait_for()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width == 0
    for deed in ("skip", "move"):
        page = open_page(f"/recipes/welcome/{deed}?at=2026-03-02T18:30:00Z", **options)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
