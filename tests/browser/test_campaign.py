"""The page of a campaign: real values with the share of fallbacks, and terms explained by keyboard."""

from playwright.sync_api import expect

from functions.domain.recipe.read import read
from functions.usecases.dry_run.sample_people import last_people
from tests.browser.conftest import Console, OpenPage
from tests.factories import push, recipe


def test_pushes_show_a_real_value_and_how_many_get_the_fallback(console: Console, open_page: OpenPage) -> None:
    written = recipe(pushSequence=[push(1, title="Hi [[var:name|friend]]", body="For you")])
    console.lab.save(written)
    console.lab.run_to_the_end()
    [people] = last_people(console.lab.ports, read(console.lab.ports.recipes.get("welcome") or {}))
    first = people.mapped(people.rows[0])
    page = open_page("/recipes/welcome")
    pushes = page.locator("#pushes")
    expect(pushes).to_contain_text(f"one of {people.users:,} people in the last audience")
    expect(pushes.get_by_label("Push 1 on Android")).to_contain_text(f"Hi {first['name'] or 'friend'}")
    empty = round(100 * people.empty["name"] / people.users)
    said = f"{empty}% have none: they get “friend”." if empty else "Everyone has one."
    expect(pushes.locator(".variables")).to_contain_text(said)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_term_is_explained_by_keyboard_beside_its_button(open_page: OpenPage) -> None:
    page = open_page("/recipes/welcome")
    button = page.get_by_role("button", name="What is layer?")
    button.focus()
    page.keyboard.press("Enter")
    meaning = page.get_by_text("The class of a push. Frequency caps count")
    expect(meaning).to_be_visible()
    place, near = meaning.bounding_box(), button.bounding_box()
    assert place is not None
    assert near is not None
    assert abs(place["y"] - near["y"]) < 220
    page.keyboard.press("Escape")
    expect(meaning).to_be_hidden()
