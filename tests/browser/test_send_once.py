"""Sending once, in a real browser: upload, message with variables, preview, review, and typing the number."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from functions.domain.ids import ONE_OFF
from tests.browser.conftest import Console, OpenPage
from tests.factories import executions_of, user

PHONE = {"viewport": {"width": 375, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


def listed(folder: Path, *numbers: int) -> Path:
    path = folder / "people.csv"
    path.write_text("\n".join(["Customer,name", *(f"{user(number)},Name {number}" for number in numbers)]))
    return path


def upload(page: Page, path: Path) -> None:
    page.get_by_label("Choose a CSV file").set_input_files(path)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Message")).to_be_visible()


def write(page: Page) -> None:
    page.get_by_label("Title").fill("Hi ")
    page.get_by_role("button", name="name", exact=True).click()
    page.get_by_label("Body").fill("Doors open at seven.")
    page.get_by_label("Layer").select_option("1")


def test_a_push_is_sent_once_to_a_list(console: Console, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/executions")
    page.get_by_role("link", name="Send once").click()
    upload(page, listed(tmp_path, 0, 1, 2, 99))
    expect(page.locator("#counts .big-count")).to_have_text("3", timeout=20_000)
    write(page)
    expect(page.locator("#preview .ios .title")).to_have_text("Hi Name 0")
    page.locator("#row").select_option(label="3")
    expect(page.locator("#preview .ios .title")).to_have_text("Hi Name 2")
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Hi [[var:name]]")
    page.get_by_role("button", name="Review").click()
    send = page.get_by_role("button", name="Send now")
    expect(send).to_be_disabled(timeout=20_000)
    page.get_by_label("Type 3 to confirm").fill("4")
    expect(send).to_be_disabled()
    page.get_by_label("Type 3 to confirm").fill("3\u2019")
    expect(send).to_be_enabled()
    page.get_by_label("Type 3 to confirm").fill("3")
    send.dblclick()
    expect(page.get_by_role("button", name="Cancel this send")).to_be_visible(timeout=20_000)
    assert len(executions_of(console.lab.ports, ONE_OFF)) == 1


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_at_any_step(scheme: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/send", color_scheme=scheme)
    assert Axe().run(page).violations_count == 0
    upload(page, listed(tmp_path, 0, 1))
    expect(page.locator("#counts .big-count")).to_have_text("2", timeout=20_000)
    write(page)
    expect(page.locator("#preview .ios .title")).to_have_text("Hi Name 0")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_label("Type 2 to confirm")).to_be_visible(timeout=20_000)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.long
def test_no_step_scrolls_sideways_on_a_phone(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/send", **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    upload(page, listed(tmp_path, 0, 1))
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    write(page)
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_label("Type 2 to confirm")).to_be_visible(timeout=20_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


@pytest.mark.long
def test_a_large_file_is_sent_in_pieces(open_page: OpenPage, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    rows = (f"{user(number)},{'x' * 900}" for number in range(9_500))
    path.write_text("\n".join(["user_id,note", *rows]))
    assert path.stat().st_size > 8_000_000
    page = open_page("/send")
    upload(page, path)
    expect(page.locator("#counts")).to_contain_text("of 9,500 rows", timeout=30_000)
