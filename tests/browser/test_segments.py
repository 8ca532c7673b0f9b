"""Segments in a browser: made from a campaign's conditions, used, and changed with who is affected, by keyboard."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from functions.domain.audience.segments import Segment
from functions.usecases.recipes.segments import save_segment
from tests.browser.conftest import Console, OpenPage
from tests.browser.test_audience import EDIT, lab
from tests.factories import push, recipe
from tests.functional.conftest import Lab

__all__ = ["lab"]

BOB = {"column": "username", "op": "is", "value": "bob"}
BOBS = "/segments/bobs"


def use(lab: Lab) -> None:
    """Save the segment `bobs`, and the campaign with it as the audience."""
    save_segment(lab.ports, Segment(id="bobs", name="Bobs", where={"all": [BOB]}), by="ana@kicks.example")
    where = {"where": {"all": [{"segment": "bobs"}]}}
    lab.save(recipe(audienceCriteria=where, pushSequence=[push(1, title="Hello", body="Spring is here")]))


@pytest.mark.long
def test_conditions_become_a_segment_in_place_by_keyboard(open_page: OpenPage, lab: Lab) -> None:
    page = open_page(EDIT)
    page.get_by_role("button", name="Add condition").press("Enter")
    page.get_by_label("Condition 1: what to compare").select_option("username")
    page.get_by_label("Condition 1: value").fill("bob")
    page.get_by_text("Save as segment").press("Enter")
    page.get_by_label("Segment name").press("Enter")
    expect(page.locator("#who")).to_contain_text("Enter a name")
    expect(page.get_by_label("Segment name")).to_be_focused()
    page.keyboard.type("Bobs")
    page.keyboard.press("Enter")
    chosen = page.get_by_label("Condition 1: segment")
    expect(chosen).to_be_focused()
    expect(chosen).to_have_value("bobs")
    expect(page.locator("#who")).to_contain_text('Users whose username is "bob".')
    page.get_by_label("Condition 1: in or not in").select_option("not_in")
    page.get_by_role("button", name="Count people").click()
    expect(page.locator("#who-found")).to_contain_text("2 people match", timeout=30_000)
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.wait_for_url("**/recipes/welcome?**")
    [segment] = lab.ports.segments.all()
    stored = lab.ports.recipes.get("welcome")
    assert stored is not None
    member = {"segment": segment.id, "where": segment.where}
    assert stored["audienceCriteria"]["where"] == {"all": [{"not": member}]}


@pytest.mark.long
def test_a_change_shows_who_is_affected_before_it_is_saved(open_page: OpenPage, lab: Lab) -> None:
    use(lab)
    page = open_page(BOBS)
    expect(page.locator("#who-found")).to_contain_text("1 person matches", timeout=30_000)
    expect(page.locator("#who-found td").first).to_be_visible()
    page.get_by_role("button", name="Remove condition 1").press("Enter")
    expect(page.get_by_role("button", name="Add condition")).to_be_focused()
    page.get_by_role("button", name="Save", exact=True).last.press("Enter")
    expect(page.locator("#affected")).to_be_focused()
    expect(page.locator("#affected")).to_contain_text("Welcome")
    expect(page.locator("#segment-counts")).to_contain_text("Now 1 person → After saving 3 people", timeout=30_000)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Save and change 1 campaign")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/segments/bobs?outcome=changed")
    expect(page.get_by_text("Saved. Applies from the next send of 1 campaign")).to_be_visible()
    stored = lab.ports.recipes.get("welcome")
    assert stored is not None
    assert stored["audienceCriteria"]["where"]["all"][0]["where"] == {"all": []}


@pytest.mark.long
def test_segments_work_without_scripts(open_page: OpenPage, console: Console, lab: Lab) -> None:
    page = open_page("/segments/new", java_script_enabled=False)
    page.get_by_label("Name", exact=True).fill("Bobs")
    page.get_by_label("Condition 1: what to compare").select_option("username")
    page.get_by_role("button", name="Update choices").click()
    page.get_by_label("Condition 1: value").fill("bob")
    page.get_by_role("button", name="Create segment").click()
    assert page.url.startswith(f"{console.url}{BOBS}?")
    [segment] = lab.ports.segments.all()
    assert segment.where == {"all": [BOB]}


@pytest.mark.long
@pytest.mark.parametrize(("width", "scheme"), [(375, "light"), (1440, "dark")])
def test_axe_finds_nothing_and_no_page_scrolls_sideways(
    scheme: str, width: int, console: Console, open_page: OpenPage, lab: Lab
) -> None:
    use(lab)
    page = open_page("/segments", color_scheme=scheme, viewport={"width": width, "height": 740})
    for path in ("/segments", BOBS, f"{BOBS}/delete", "/segments/new", EDIT):
        page.goto(f"{console.url}{path}")
        page.wait_for_load_state("networkidle")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"{console.url}{BOBS}")
    page.get_by_role("button", name="Remove condition 1").click()
    expect(page.get_by_role("button", name="Remove condition 1")).to_have_count(0)
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator("#segment-counts strong")).to_have_count(2, timeout=30_000)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
