"""The fields of a push: buttons in rows, languages in tabs, and pushes that are added, moved and restored."""

from copy import deepcopy
from typing import Any

import pytest

from functions.domain.roles import Role
from tests.factories import push, recipe
from tests.functional.conftest import Lab
from tests.functional.console.visitor import Page, Visitor

EDIT = "/recipes/welcome/edit"
FIRST = "pushSequence[0]"
BUTTON = {"id": "book", "title": "Book", "deepLink": "https://kicks.example/book"}
GERMAN = {"title": "Hallo", "body": "Zeile\nzwei"}
Fields = dict[str, Any]


@pytest.fixture
def lab(lab: Lab) -> Lab:
    """A laboratory that knows in which language people read."""
    lab.use_locales()
    return lab


def pushes_of(lab: Lab) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (lab.ports.recipes.get("welcome") or {})["pushSequence"]
    return found


def press(
    visitor: Visitor, action: str, value: str, fields: Fields | None = None, changes: Fields | None = None
) -> Page:
    """Press a button of the form, and return the page that comes back."""
    fields = visitor.get(EDIT).form(EDIT).fields if fields is None else fields
    return Page(visitor.post(EDIT, {**fields, **(changes or {}), action: value}, status=200).text)


def fields_of(page: Page) -> Fields:
    return page.form(EDIT).fields


def attributes(page: Page, key: str, value: str) -> dict[str, str]:
    [found] = [values for _, values in page.elements if values.get(key) == value]
    return found


@pytest.mark.parametrize(
    "content",
    [
        {"buttons": [{**BUTTON, "ours": [1]}, {"id": "no", "title": " No ", "deepLink": None}]},
        {"buttons": []},
        {"buttons": None, "translations": {}},
        {
            "translations": {
                "pt-BR": {**GERMAN, "image": None, "ours": {"by": "Ana"}},
                "de": {**GERMAN, "buttons": []},
            }
        },
        {"translations": {"de": {**GERMAN, "buttons": [{**BUTTON, "ours": "x"}]}}, "buttons": [BUTTON]},
    ],
)
def test_buttons_and_languages_that_are_sent_as_they_are_stay(
    content: dict[str, Any], lab: Lab, visitor: Visitor
) -> None:
    lab.save(recipe(pushSequence=[push(1, **content), push(2)]))
    before = deepcopy(pushes_of(lab))
    visitor.send(EDIT, EDIT)
    assert pushes_of(lab) == before


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("buttons", "x"),
        ("buttons", [5]),
        ("buttons", [{"title": 5}]),
        ("buttons", [{"title": "Two\nlines"}]),
        ("translations", {"de": 7}),
        ("translations", {"not a tag": GERMAN}),
        ("translations", {"de": {"title": ["x"]}}),
        ("translations", {"de": {**GERMAN, "buttons": ["x"]}}),
    ],
)
def test_a_value_that_no_field_can_show_is_shown_as_json(path: str, value: Any, lab: Lab, visitor: Visitor) -> None:
    lab.ports.recipes.change("welcome", lambda _: recipe(pushSequence=[push(1, **{path: value}), push(2)]))
    page = visitor.get(EDIT)
    [area] = [tag for tag, values in page.elements if values.get("name") == f"{FIRST}.{path}"]
    assert area == "textarea"
    response = visitor.post(EDIT, fields_of(page))
    if response.status_code == 422:
        again = Page(response.text)
        assert fields_of(again)[f"{FIRST}.{path}"] == fields_of(page)[f"{FIRST}.{path}"]


def test_buttons_are_added_and_removed_in_rows(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(pushSequence=[push(1, buttons=[{**BUTTON, "ours": 1}, {"id": "no", "title": "No"}])]))
    page = press(visitor, "add-button", f"{FIRST}.buttons")
    assert "autofocus" in attributes(page, "id", f"{FIRST}.buttons[2].title")
    assert not any(values.get("name") == "add-button" for _, values in page.elements), "three are the most"
    fields = fields_of(page) | {f"{FIRST}.buttons[2].title": ["Later today!"]}
    page = press(visitor, "remove-button", f"{FIRST}.buttons[0]", fields)
    visitor.post(EDIT, fields_of(page), status=303)
    assert pushes_of(lab)[0]["buttons"] == [
        {"id": "no", "title": "No"},
        {"id": "later-today", "title": "Later today!"},
    ]
    page = press(visitor, "remove-button", f"{FIRST}.buttons[0]")
    page = press(visitor, "remove-button", f"{FIRST}.buttons[0]", fields_of(page))
    visitor.post(EDIT, fields_of(page), status=303)
    assert "buttons" not in pushes_of(lab)[0]


def test_what_is_wrong_with_a_button_stands_beside_it(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(pushSequence=[push(1, buttons=[BUTTON], translations={"de": {**GERMAN, "buttons": [BUTTON]}})]))
    wrong = {f"{FIRST}.buttons[0].title": "", f"{FIRST}.translations.de.buttons[0].deepLink": "https://"}
    page = Page(visitor.send(EDIT, EDIT, wrong, status=422).text)
    assert "Push 1, button 1 title: is blank" in page.text
    assert {name for name in wrong if attributes(page, "id", name)["aria-invalid"] == "true"} == set(wrong)
    assert attributes(page, "data-tag", "de")["aria-selected"] == "true", "the language with the error is open"


def test_errors_stay_beside_their_fields_when_a_push_is_moved_or_added(visitor: Visitor) -> None:
    wrong = {"pushSequence[1].title": "Hi {{name}}", "schedule.executionTime": "half past"}
    page = Page(visitor.send(EDIT, EDIT, wrong, status=422).text)
    page = press(visitor, "up", "1", fields_of(page))
    assert attributes(page, "id", f"{FIRST}.title")["aria-invalid"] == "true"
    assert attributes(page, "id", "schedule.executionTime")["aria-invalid"] == "true"


def test_a_language_is_added_filled_and_removed(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(pushSequence=[push(1, buttons=[BUTTON])]))
    page = press(visitor, "add-language", "0", None, {f"{FIRST}.language": "German"})
    name = f"{FIRST}.translations.de"
    assert "no title, no body, no buttons" in page.text
    assert "autofocus" in attributes(page, "id", f"{name}.title")
    fields = fields_of(page) | {f"{name}.title": ["Hallo"], f"{name}.body": ["Komm"]}
    page = press(visitor, "add-button", f"{name}.buttons", fields)
    fields = fields_of(page) | {f"{name}.buttons[0].title": ["Buchen"]}
    again = press(visitor, "add-language", "0", fields, {f"{FIRST}.language": "de"})
    assert "de is there already" in again.text
    bad = press(visitor, "add-language", "0", fields, {f"{FIRST}.language": "Klingonisch"})
    assert "write its code, such as de or pt-BR" in bad.text
    visitor.post(EDIT, fields, status=303)
    german = {"title": "Hallo", "body": "Komm", "buttons": [{"id": "book", "title": "Buchen"}]}
    assert pushes_of(lab)[0]["translations"] == {"de": german}
    page = press(visitor, "remove-language", name)
    visitor.post(EDIT, fields_of(page), status=303)
    assert "translations" not in pushes_of(lab)[0]


def test_a_push_is_duplicated_and_moved_with_all_that_the_form_does_not_show(lab: Lab, visitor: Visitor) -> None:
    minutes = [{"delayAfterPrevious": n * 10} for n in range(3)]
    lab.save(recipe(pushSequence=[push(n + 1, title=f"T{n}", ours=n, timing=minutes[n]) for n in range(3)]))
    page = press(visitor, "up", "2")
    assert "autofocus" in attributes(page, "id", "push-2-up")
    assert attributes(page, "id", "pushes")["data-say"] == "Push 3 is now push 2."
    page = press(visitor, "down", "0", fields_of(page))
    page = press(visitor, "duplicate", "1", fields_of(page))
    assert "autofocus" in attributes(page, "id", "pushSequence[2].title")
    page = press(visitor, "remove", "3", fields_of(page))
    assert "autofocus" in attributes(page, "id", "pushSequence[2].title"), "the neighbour"
    visitor.post(EDIT, fields_of(page), status=303)
    kept = [(each["title"], each["ours"], each["timing"]["delayAfterPrevious"]) for each in pushes_of(lab)]
    assert kept == [("T2", 2, 0), ("T0", 0, 10), ("T0", 0, 10)]


@pytest.mark.parametrize(
    ("action", "value"), [("up", "0"), ("down", "9"), ("remove", "x"), ("add-button", "name"), ("remove-button", "")]
)
def test_a_button_that_names_nothing_changes_nothing(action: str, value: str, lab: Lab, visitor: Visitor) -> None:
    before = visitor.get(EDIT).form(EDIT).fields
    after = fields_of(press(visitor, action, value))
    assert {**after, "csrf": ""} == {**before, "csrf": ""}
    assert len(pushes_of(lab)) == 3


def test_without_scripts_the_page_comes_back_at_the_part_that_changed(visitor: Visitor) -> None:
    page = visitor.get(EDIT)
    assert attributes(page, "name", "add")["formaction"].endswith(f"{EDIT}#push-4")
    assert {"push-1", "push-2", "push-3"} <= {values.get("id") for _, values in page.elements}


def test_a_restored_draft_of_an_older_version_is_not_saved_over_the_newer_one(visitor: Visitor) -> None:
    mine = {**visitor.get(EDIT).form(EDIT).fields, "name": "Ana's"}
    visitor.become(Role.ADMIN, "ben@kicks.example")
    visitor.send(EDIT, EDIT, {"name": "Ben's"})
    visitor.become(Role.ADMIN)
    page = press(visitor, "restore", "yes", mine)
    assert fields_of(page)["name"] == ["Ana's"]
    conflict = Page(visitor.post(EDIT, fields_of(page), status=409).text)
    assert "ben@kicks.example has changed this campaign" in conflict.text
    assert fields_of(conflict)["name"] == ["Ana's"]


def test_settings_are_folded_until_one_differs_from_its_default(lab: Lab, visitor: Visitor) -> None:
    settings = "settings.safeguards.maxAudienceSize"

    def folded(page: Page) -> bool:
        places = [n for n, (_, values) in enumerate(page.elements) if values.get("id") == "f-settings"]
        return "open" not in next(values for tag, values in page.elements[places[0] :: -1] if tag == "details")

    plain = recipe()
    plain.pop("settings")
    lab.ports.recipes.change("welcome", lambda _: {**plain, "settings": {"safeguards": {"maxAudienceSize": 10_000}}})
    assert folded(visitor.get(EDIT))
    lab.ports.recipes.change("welcome", lambda _: {**plain, "settings": {"safeguards": {"maxAudienceSize": 5}}})
    assert not folded(visitor.get(EDIT))
    lab.ports.recipes.change("welcome", lambda _: plain)
    assert not folded(Page(visitor.send(EDIT, EDIT, {settings: "many"}, status=422).text))


def test_required_fields_are_marked(visitor: Visitor) -> None:
    page = visitor.get("/recipes/new")
    required = {values["name"] for _, values in page.elements if values.get("aria-required") == "true"}
    assert {"name", "schedule.executionTime", f"{FIRST}.layerId"} <= required
    assert f"{FIRST}.image" not in required
    assert "A push needs a title or a body" in page.text
    assert "Optional. Generated from the name." in page.text


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"name": " "}, "Name: is missing: write a name"),
        ({f"{FIRST}.title": " ", f"{FIRST}.body": ""}, "Push 1, title: is blank, and so is the body"),
        ({f"{FIRST}.title": "Hi {{first_name}}"}, "Push 1, title: '{{first_name}}' looks like a variable of"),
        ({f"{FIRST}.body": "Hi %name%"}, "Push 1, body: '%name%' looks like a variable of another product"),
        ({f"{FIRST}.body": "Hi {$name}"}, "Push 1, body: '{$name}' looks like a variable of another product"),
        ({f"{FIRST}.body": "x" * 5_000}, "FCM takes 4,096: shorten it"),
        ({"schedule.frequency": "weekly"}, "choose at least one day of the week"),
        ({"settings.testUserIds": "ana@kicks.example"}, 'Test users: "ana@kicks.example" is not a UUID'),
        ({f"{FIRST}.data": "{"}, "is not valid JSON"),
        ({"schedule.executionTime": "half past"}, "Use 24-hour time"),
    ],
)
def test_bad_input_is_answered_beside_its_field(
    written: dict[str, str], told: str, lab: Lab, visitor: Visitor
) -> None:
    before = lab.ports.recipes.get("welcome")
    page = Page(visitor.send(EDIT, EDIT, written, status=422).text)
    assert told in page.text
    fields = fields_of(page)
    assert {name: fields[name][0] for name in written} == written
    assert any(values.get("aria-invalid") == "true" for _, values in page.elements) or "weekly" in written.values()
    assert lab.ports.recipes.get("welcome") == before
