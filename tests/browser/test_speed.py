"""Pages stay where they are while they load and change, and a pressed button answers at once."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console, OpenPage
from tests.factories import push, recipe
from tests.functional.conftest import SEND_AT

MINUTE = timedelta(minutes=1)
MOST_SHIFT = 0.02
SHIFT = """() => {
  window.shifted = [];
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) {
      const nodes = each.sources.map(({ node }) => node?.id || node?.className || node?.nodeName);
      window.shifted.push({ value: each.value, by: nodes.join(" "), typed: each.hadRecentInput });
    }
  }).observe({ type: "layout-shift", buffered: true });
}"""
PRESSED = """() => {
  document.addEventListener("click", (event) => {
    const begun = performance.now();
    const button = event.target.closest("button");
    new MutationObserver(() => {
      if (button.getAttribute("aria-busy") === "true") sessionStorage.answered ??= performance.now() - begun;
    }).observe(button, { attributes: true });
  }, { capture: true });
}"""
PATHS = ("/", "/recipes", "/recipes/welcome", "/recipes/new", "/recipes/welcome/edit", "/executions", "/calendar")
MORE = ("EXECUTION", "/recipes/draft/review", "/recipes/welcome/run", "/cadence", "/audit", "/send")


def shift(page: Page, *, typed: bool = False) -> float:
    """The sum of the layout shifts so far; with `typed` also those right after an input."""
    found = page.evaluate("window.shifted")
    counted = [each for each in found if typed or not each["typed"]]
    return float(sum(each["value"] for each in counted))


def watch(page: Page, path: str) -> None:
    page.goto(path)
    page.evaluate(SHIFT)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(100)


@pytest.mark.long
@pytest.mark.parametrize("width", [1440, 375])
def test_no_page_moves_while_it_loads(width: int, console: Console, open_page: OpenPage) -> None:
    console.lab.save(recipe(id="draft", isActive=False))
    console.lab.run_to(SEND_AT + MINUTE)
    page = open_page("/", viewport={"width": width, "height": 800})
    for path in (*PATHS, *MORE):
        watch(page, f"{console.url}{path.replace('EXECUTION', console.of())}")
        assert shift(page) <= MOST_SHIFT, path


@pytest.mark.long
@pytest.mark.parametrize("width", [1440, 375])
def test_the_form_stays_while_its_preview_and_schedule_follow(
    width: int, console: Console, open_page: OpenPage
) -> None:
    console.lab.save(recipe(pushSequence=[push(1)]))
    page = open_page("/", viewport={"width": width, "height": 800})
    watch(page, f"{console.url}/recipes/welcome/edit")
    for name, text in (("pushSequence[0].title", "A new title"), ("schedule.executionTime", "19:45")):
        field = page.locator(f'[id="{name}"]')
        field.scroll_into_view_if_needed()
        page.wait_for_timeout(100)
        page.evaluate("window.shifted = []")
        before = field.bounding_box()
        field.fill(text)
        page.wait_for_timeout(700)
        page.wait_for_load_state("networkidle")
        after = field.bounding_box()
        assert before is not None
        assert after is not None
        assert abs(before["y"] - after["y"]) < 2, f"{name} moved under the hand"
        assert shift(page, typed=True) <= MOST_SHIFT, name


@pytest.mark.long
@pytest.mark.parametrize(
    ("path", "button"),
    [
        ("/recipes/welcome/edit", "Save"),
        ("/recipes/welcome", "Pause"),
        ("/recipes/draft/review", "Activate"),
        ("/recipes/welcome/run", "Preview recipients"),
        ("/cadence", "Save"),
    ],
)
def test_a_pressed_button_answers_within_100_ms(
    path: str, button: str, console: Console, open_page: OpenPage
) -> None:
    console.lab.save(recipe(id="draft", isActive=False))
    page = open_page(path)
    page.wait_for_load_state("networkidle")
    pressed = page.get_by_role("button", name=button).first
    expect(pressed).to_be_enabled()
    page.evaluate(PRESSED)
    pressed.click()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("Number(sessionStorage.answered)") <= 100
