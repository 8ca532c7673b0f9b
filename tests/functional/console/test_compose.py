"""The composer: the preview follows the form, with real values, counters, and the words that saving would say."""

import json
import re
from collections.abc import Mapping

import pytest

from functions.domain.push.payload import Payload
from functions.domain.recipe.read import read
from functions.domain.roles import Role
from functions.usecases.reports.accesses import list_accesses
from tests.factories import push, recipe, user
from tests.functional.conftest import Lab, lab_tables
from tests.functional.console.visitor import Page, Visitor

EDIT = "/recipes/welcome/edit"
COMPOSE, PEOPLE = "/recipes/compose", "/recipes/compose/people"
TITLE, BODY = "pushSequence[0].title", "pushSequence[0].body"


def name_users(lab: Lab, **names: str) -> None:
    """Give the four users of the first audience their usual names, or the named ones: `user3="Wilhelmina"`."""
    rows = [(user(n), f"Shoe {n}", names.get(f"user{n}", f"Name {n}"), "a") for n in range(4)]
    lab.write_rows([*rows, *((user(n), f"Shoe {n}", f"Name {n}", "bc"[n > 6]) for n in range(4, 9))])


class Composer:
    """The form of the recipe `welcome` in a browser: what is typed stays, and each answer has the next values."""

    def __init__(self, visitor: Visitor, page: str = EDIT) -> None:
        self._visitor = visitor
        opened = visitor.get(page)
        self.shown = opened
        self.fields = {name: values[-1] for name, values in opened.form(page).fields.items()}
        posts = [each for _, each in opened.elements if each.get("hx-post") in (COMPOSE, PEOPLE)]
        self._tokens = {each["hx-post"]: json.loads(each["hx-vals"])["csrf"] for each in posts if "hx-vals" in each}

    def type(self, at: str = COMPOSE, **changes: str) -> Page:
        return self.write(changes, at)

    def write(self, changes: Mapping[str, str], at: str = COMPOSE) -> Page:
        self.fields |= changes
        response = self._visitor.post(at, {**self.fields, "csrf": self._tokens[at]}, status=200)
        self.shown = Page(f"<form action=''>{response.text}</form>")
        self.fields |= {name: values[-1] for name, values in self.shown.form("").fields.items()}
        return self.shown


@pytest.fixture
def composer(visitor: Visitor) -> Composer:
    return Composer(visitor)


def test_the_form_opens_with_the_preview_of_the_stored_push(composer: Composer) -> None:
    assert "Push 1 for name" in composer.shown.text
    assert [values["aria-label"] for tag, values in composer.shown.elements if tag == "figure"] == [
        "Push 1 on iOS",
        "Push 1 on Android",
        "Push 1 in a browser",
    ]


def test_the_preview_follows_what_is_typed_and_the_push_that_is_edited(composer: Composer) -> None:
    shown = composer.write({"pushSequence[1].title": "Half price <b>today</b>", "view.push": "1"})
    assert shown.text.count("Half price <b>today</b>") == 3
    assert ("b", {}) not in shown.elements
    assert "Push 2 on iOS" in [values.get("aria-label") for _, values in shown.elements]


def test_another_products_variable_is_named_while_typing_in_the_words_of_saving(
    visitor: Visitor, composer: Composer
) -> None:
    for written in ("Hi {{ name }}", "Hi %name%", "Hi {$name}", "Hi *|NAME|*"):
        typed = composer.write({TITLE: written}).text
        refused = Page(visitor.send(EDIT, EDIT, {TITLE: written}, status=422).text).text
        [words] = re.findall(r"'[^']+' looks like a variable of another product; write \[\[var:name\]\]", typed)
        assert words in refused


def test_an_unfinished_or_wrong_text_is_shown_as_written(composer: Composer) -> None:
    shown = composer.write({TITLE: "Hi [[var:na", "pushSequence[0].buttons": "[{", "pushSequence[0].layerId": "x"})
    assert shown.text.count("Hi [[var:na") >= 3
    assert "malformed variable" in shown.text
    assert "did you mean 'name'?" in composer.write({TITLE: "Hi [[var:nam]]"}).text


def test_a_new_form_asks_for_texts_without_an_error(visitor: Visitor) -> None:
    composer = Composer(visitor, "/recipes/new")
    assert "is blank" not in composer.shown.text
    assert "Choose an audience to use variables." in composer.shown.text


def test_real_values_are_shown_once_people_are_loaded(lab: Lab, composer: Composer) -> None:
    shown = composer.type(PEOPLE)
    assert re.search(r"Push 1 for Name \d", shown.text)
    assert "one of 4 people when loaded" in shown.text
    assert "Everyone has one." in shown.text
    assert re.search(r"Hello Name \d", composer.write({TITLE: "Hello [[var:name|there]]"}).text)
    [entry] = [each for each in list_accesses(lab.ports, most=50).entries if "compose" in each.route]
    assert (entry.by, entry.kind) == ("ana@kicks.example", "audience")


def test_a_person_is_chosen_by_id_by_length_or_for_an_empty_value(lab: Lab, composer: Composer) -> None:
    name_users(lab, user1="", user3="Wilhelmina Alexandra")
    composer.write({TITLE: "Hi [[var:name|there]]"}, PEOPLE)
    assert "Hi Wilhelmina Alexandra" in composer.write({"view.row": "longest"}).text
    shown = composer.write({"view.row": "empty:name"})
    assert "Hi there" in shown.text
    assert "25% have none: they get “there”" in shown.text.replace("“ there ”", "“there”")
    assert f"Person {user(3)}" in composer.write({"view.person": user(3)}, PEOPLE).text
    absent = composer.write({"view.person": user(99)}, PEOPLE).text
    assert f"{user(99)} is not in this audience. Another person is shown." in absent


def test_a_person_who_would_get_no_push_is_shown_as_such(lab: Lab, composer: Composer) -> None:
    name_users(lab, user1="")
    composer.type(PEOPLE)
    assert "This person gets no push: name is empty" in composer.write({"view.row": "empty:name"}).text


@pytest.mark.slow
def test_the_people_of_the_last_built_audience_need_no_query(lab: Lab, visitor: Visitor) -> None:
    lab.run_to_the_end()
    composer = Composer(visitor)
    assert "in the last audience built" in composer.type(PEOPLE).text
    changed = composer.write({"audienceCriteria.customScript.parameters": '{"x": 1}'}, PEOPLE).text
    assert "in the last audience built" not in changed


def test_the_size_is_that_of_the_longest_row_and_too_large_is_said(lab: Lab, composer: Composer) -> None:
    name_users(lab, user3="n" * 3_000)
    shown = composer.write({TITLE: "Hi [[var:name]]", BODY: "b" * 1_000}, PEOPLE)
    sent = read(recipe(pushSequence=[push(1, title="Hi [[var:name]]", body="b" * 1_000)])).pushes[0]
    size = Payload(sent).size(f"Hi {'n' * 3_000}", "b" * 1_000, "https://kicks.example/shoes")
    assert f"{size:,} bytes for the longest of these people" in shown.text
    assert "Too large: FCM takes 4,096 bytes." in shown.text
    assert "3,003 characters at most; iOS shows about 40, Android one line" in shown.text


def test_a_language_has_its_own_preview_and_counters(composer: Composer) -> None:
    translations = json.dumps({"ar": {"title": "مرحبا", "body": "عرض اليوم"}})
    composer.write({"pushSequence[0].translations": translations})
    shown = composer.write({"view.language": "ar"})
    assert shown.text.count("مرحبا") == 3
    counted = [values["data-counter"] for _, values in shown.elements if "data-counter" in values]
    assert "pushSequence[0].translations.ar.title" in counted
    assert all(values["dir"] == "auto" for _, values in shown.elements if "data-shows" in values)


def test_a_browser_loads_nothing_from_the_address_of_an_image(composer: Composer) -> None:
    shown = composer.write({"pushSequence[0].image": "https://img.kicks.example/[[var:name]].jpg"}, PEOPLE)
    assert "Image from img.kicks.example" in shown.text
    assert not [tag for tag, _ in shown.elements if tag == "img"]
    unsafe = composer.write({"pushSequence[0].image": "javascript:alert(1)"})
    assert not [values for tag, values in unsafe.elements if values.get("href", "").startswith("javascript")]


def test_what_no_page_can_show_breaks_nothing(composer: Composer) -> None:
    composer.write({"pushSequence[0].image": "https://["})
    shown = composer.write({"pushSequence[0].buttons": '[{"id": "a", "title": "\\ud800"}]'})
    assert "must be Unicode text" in shown.text


def test_rows_that_a_person_forged_break_nothing(composer: Composer) -> None:
    for forged in (
        '[{"audience":"a","users":1,"columns":["user_id","name","shoe"],"empty":[],"rows":[["a","b","c"]]}]',
        '[{"audience":"a","users":1,"columns":["user_id","name","shoe"],"empty":{},"rows":[["a","\\ud800","c"]]}]',
        "{",
        "[1]",
        '[{"audience": 1}]',
        '[{"audience":"a","users":"x","columns":[],"empty":{},"rows":[[]]}]',
    ):
        assert "Load sample people" in composer.write({"view.people": forged}).text


def test_without_scripts_the_preview_button_keeps_everything(visitor: Visitor) -> None:
    response = visitor.send(EDIT, EDIT, {TITLE: "Typed, not saved", "preview": "yes"}, status=200)
    page = Page(response.text)
    assert page.form(EDIT).fields[TITLE] == ["Typed, not saved"]
    assert page.text.count("Typed, not saved") == 3
    assert visitor.get("/recipes/welcome").text.count("Typed, not saved") == 0


def test_only_an_operator_composes(visitor: Visitor, composer: Composer) -> None:
    visitor.become(Role.VIEWER)
    for at in (COMPOSE, PEOPLE):
        assert visitor.post(at, composer.fields).status_code == 403


def test_variables_are_there_before_the_conditions_are_complete(lab: Lab, visitor: Visitor) -> None:
    people = "SELECT id AS user_id, first_name AS name FROM users"
    devices = "SELECT user_id, token, platform, updated_at FROM devices"
    lab.use_models(lab_tables(), people=people, devices=devices)
    composer = Composer(visitor, "/recipes/new")
    shown = composer.type(**{"where.0.column": "name", "where.0.value": "", TITLE: "Hi [[var:name|friend]]"})
    assert "name" in [values["data-name"] for tag, values in shown.elements if "data-name" in values]
    composer.type(**{"where.0.op": "is", "where.0.value": "Name 1"})
    assert user(1) in composer.type(PEOPLE).text
