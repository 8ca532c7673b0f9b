"""Translations of a push: each user gets their language, and each language is checked, measured and counted."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.errors import BadFields, BadRecipe
from functions.domain.execution.execution import Kind
from functions.usecases.by_hand.send_once import OneOff, send_once, users_file
from functions.usecases.by_hand.start import start_by_hand
from functions.usecases.dry_run.preview import preview
from functions.usecases.people.find_user import find_user
from local.memory.images import MemoryImages
from tests.factories import TESTER, push, recipe, user
from tests.functional.conftest import SEND_AT, Lab, lab_tables
from tests.functional.console.visitor import Page, Visitor

TABLES = lab_tables('language = "text"')
MODELS = {
    "people": "SELECT id AS user_id, language AS locale FROM users",
    "devices": "SELECT user_id, token, platform, updated_at FROM devices",
}
GERMAN = {
    "title": "Neu für [[var:name]]",
    "body": "Tippe",
    "image": "https://img.example/de/[[var:shoe]].jpg",
    "buttons": [{"id": "go", "title": "Los, [[var:name]]"}],
}
ARABIC = {"title": "جديد لك، [[var:name]]", "body": "اضغط"}
RUN = "/recipes/welcome/run"
BUTTONS = [{"id": "go", "title": "Go, [[var:name]]"}]
LOCALES = {0: "de_AT", 1: "ar-EG", 2: "fr", 3: ""}


@pytest.fixture
def lab(lab: Lab) -> Lab:
    """A laboratory whose users read German, Arabic, French, and an unknown language; the tester reads German."""
    lab.use_models(TABLES, **MODELS)
    rows = [(user(n), f"Shoe {n}", f"Name {n}", "a", "0", locale) for n, locale in LOCALES.items()]
    rows.append((TESTER, "", "", "", "1", "de"))
    lab.write_table("users", ("id", "username", "first_name", "bio", "deleted_at", "language"), rows)
    return lab


def a_push(**more: Any) -> dict[str, Any]:
    written = {"title": "New for [[var:name]]", "audienceName": "a", "buttons": BUTTONS, **more}
    return push(1, **({"translations": {"de": GERMAN, "ar": ARABIC}} | written))


def told(lab: Lab) -> list[str]:
    return [entry.message for entry in lab.ports.logs.of(lab.id)]


def test_each_user_gets_their_language_with_their_own_values(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[a_push()]))
    lab.run_to_the_end()
    sent = {line["userId"]: line for line in lab.outbox(test=False)}
    assert {user_id: (line["locale"], line["title"]) for user_id, line in sent.items()} == {
        user(0): ("de", "Neu für Name 0"),
        user(1): ("ar", "جديد لك، Name 1"),
        user(2): (None, "New for Name 2"),
        user(3): (None, "New for Name 3"),
    }
    german, arabic = sent[user(0)]["fcm"], sent[user(1)]["fcm"]
    assert german["notification"] == {
        "title": "Neu für Name 0",
        "body": "Tippe",
        "image": "https://img.example/de/Shoe%200.jpg",
    }
    assert json.loads(german["data"]["buttons"])[0]["title"] == "Los, Name 0"
    assert json.loads(arabic["data"]["buttons"])[0]["title"] == "Go, Name 1", "it translates no buttons"
    [tested] = lab.outbox(test=True)
    assert tested["title"].startswith("Neu für Name"), "the tester reads German"
    assert "push 1: devices by language: ar 1, de 1; 2 get the push's own text (no locale 1, fr 1)" in told(lab)
    lab.assert_contract()


@pytest.mark.slow
def test_an_export_of_a_user_has_the_locale_wherever_it_is_stored(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[a_push()]))
    lab.run_to(SEND_AT + timedelta(minutes=1))
    held = find_user(lab.ports, user(0))
    assert [row.row[5] for row in held.rows if row.file.startswith("devices/") and row.row[0] == user(0)] == ["de_AT"]
    assert [(line["locale"], line["title"]) for line in held.outbox] == [("de", "Neu für Name 0")]
    lab.run_to_the_end()
    assert not [row for row in find_user(lab.ports, user(0)).rows if row.file.startswith("devices/")]


@pytest.mark.slow
def test_a_push_that_requires_each_language_is_blocked_for_a_gap_and_says_which(lab: Lab) -> None:
    document = recipe(pushSequence=[a_push(requireLocales=True)])
    found = preview(lab.ports, document, test=False)
    assert [problem.type for problem in found.problems if problem.severity == "critical"] == ["missing_translation"]
    lab.save(document)
    lab.run_to_the_end()
    assert lab.execution().state == "blocked"
    assert lab.outbox() == []
    [violation] = lab.report()["violations"]
    assert (violation["type"], violation["severity"]) == ("missing_translation", "critical")
    assert "(devices: fr 1)" in violation["message"]
    assert "requireLocales" in violation["message"]


def test_a_push_without_translations_that_requires_each_language_is_blocked(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[a_push(requireLocales=True, translations={})]))
    lab.run_to_the_end()
    [violation] = lab.report()["violations"]
    assert "(devices: ar-EG 1, de-AT 1, fr 1)" in violation["message"]


def test_texts_in_place_of_locales_are_counted_and_never_shown(lab: Lab) -> None:
    odd = ("ann@club.example", "de\nADMIN: all sent", "\u202eevil", "x" * 140_000, "de")
    rows = [(user(n), f"Shoe {n}", f"Name {n}", "a", "0", locale) for n, locale in enumerate(odd)]
    rows.append((TESTER, "", "", "", "1", "de"))
    lab.write_table("users", ("id", "username", "first_name", "bio", "deleted_at", "language"), rows)
    lab.write_devices([(user(n), f"token-{n}") for n in range(len(odd))] + [(TESTER, "t")])
    lab.save(recipe(pushSequence=[a_push(requireLocales=True)]))
    lab.run_to_the_end()
    counts = "push 1: devices by language: de 1; 4 get the push's own text (a locale that is no language tag 4)"
    assert counts in told(lab)
    assert lab.report()["totals"]["sent"] == 5, "a text that is no locale is no gap"


def test_every_language_that_lacks_is_counted(lab: Lab) -> None:
    tags = [f"{first}{second}" for first in "abc" for second in "ijkl"]
    rows = [(user(n), f"Shoe {n}", f"Name {n}", "a", "0", tag) for n, tag in enumerate(tags)]
    rows.append((TESTER, "", "", "", "1", "de"))
    lab.write_table("users", ("id", "username", "first_name", "bio", "deleted_at", "language"), rows)
    lab.write_devices([(user(n), f"token-{n}") for n in range(len(tags))] + [(TESTER, "t")])
    lab.save(recipe(pushSequence=[a_push(requireLocales=True)]))
    lab.run_to_the_end()
    [violation] = lab.report()["violations"]
    assert ", 2 more)" in violation["message"]
    assert set(violation["data"]["locales"]) == set(tags)


def test_a_push_that_requires_each_language_goes_out_if_none_lacks(lab: Lab) -> None:
    every = {"de": GERMAN, "ar": ARABIC, "fr": {"title": "Nouveau", "body": "Touchez"}}
    lab.save(recipe(pushSequence=[a_push(requireLocales=True, translations=every)]))
    lab.run_to_the_end()
    assert lab.report()["totals"]["sent"] == 4


@pytest.mark.parametrize(
    ("translation", "field", "says"),
    [
        ({"title": "[[var:nom]]"}, "translations.de.title", "names no column"),
        ({"title": "Hi {{name}}"}, "translations.de.title", "[[var:name]]"),
        ({"title": " ", "body": "\u200b"}, "translations.de.title", "is blank"),
        ({"body": "é" * 2_048}, "translations.de.body", "FCM takes 4,096"),
        ({"image": "http://img.example/a.jpg"}, "translations.de.image", "allowed images"),
        (
            {"buttons": [{"id": "a", "title": "A", "deepLink": "ftp://x/y"}]},
            "translations.de.buttons[0].deepLink",
            "allowed links",
        ),
        ({"buttons": [{"id": "a", "title": "\u200b "}]}, "translations.de.buttons[0].title", "is blank"),
        ({"titel": "x"}, "translations.de.titel", "did you mean 'title'"),
    ],
)
def test_what_a_translation_cannot_show_is_refused_by_field(
    lab: Lab, translation: dict[str, Any], field: str, says: str
) -> None:
    with pytest.raises(BadRecipe) as refused:
        lab.save(recipe(pushSequence=[a_push(translations={"de": {"title": "T", "body": "B", **translation}})]))
    [error] = refused.value.errors
    assert error.field == f"pushSequence[0].{field}"
    assert says in error.reason


def test_a_blank_button_is_named_in_each_language_that_has_one(lab: Lab) -> None:
    blank = [{"id": "a", "title": " "}]
    translations = {"de": {**GERMAN, "buttons": blank}, "ar": ARABIC}
    with pytest.raises(BadRecipe) as refused:
        lab.save(recipe(pushSequence=[a_push(buttons=blank, ios={"subtitle": " "}, translations=translations)]))
    assert [each.field.removeprefix("pushSequence[0].") for each in refused.value.errors] == [
        "buttons[0].title",
        "ios.subtitle",
        "translations.de.buttons[0].title",
    ]


def test_a_workspace_without_locales_says_what_it_lacks(lab: Lab) -> None:
    lab.workspace = type(lab.workspace)(lab.folder / "other")
    (lab.folder / "other").mkdir()
    (lab.folder / "other" / "tminus.toml").write_text('name = "lab"\n', encoding="utf-8")
    (lab.folder / "other" / "tables.toml").write_text(TABLES, encoding="utf-8")
    lab.restart()
    with pytest.raises(BadRecipe, match=r"translations: needs people\.locale.*models/people\.sql"):
        lab.save(recipe(pushSequence=[a_push()]))


def test_a_dry_run_counts_and_shows_each_language(lab: Lab) -> None:
    [found] = preview(lab.ports, recipe(pushSequence=[a_push()]), test=False).pushes
    assert found.languages == {"de": 1, "ar": 1, "": 2}
    assert {(each.language, each.title) for each in found.variations} >= {("de", "Neu für Name 0")}
    by_language = {sample.language: sample for sample in found.samples}
    assert by_language["de"].more["image"] == "https://img.example/de/Shoe%200.jpg"


@pytest.mark.slow
def test_a_push_that_is_sent_once_is_translated_too(lab: Lab) -> None:
    source = users_file([user(0), user(2)], lab.ports.policy)
    german = {"de": {"title": "Hallo", "body": "Tippe"}}
    written = {"title": "Hi", "body": "Tap", "layerId": 1}
    translated = OneOff(written=written, content={"translations": german})
    sent = send_once(lab.ports, translated, source, by="ann@example.com")
    lab.run_to_the_end()
    assert {line["userId"]: line["title"] for line in lab.outbox() if line["executionId"] == sent.id} == {
        user(0): "Hallo",
        user(2): "Hi",
    }
    wrong = {"translations": {"german": german["de"]}}
    with pytest.raises(BadFields, match=r"content\.translations\.german"):
        send_once(lab.ports, OneOff(written=written, content=wrong), source, by="ann@example.com")


def test_the_page_of_a_campaign_shows_translations_each_in_its_direction(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[a_push()]))
    visitor = Visitor(lambda: lab.ports)
    assert "everyone gets the same text" not in visitor.get("/recipes/welcome").text
    page = visitor.get("/recipes/welcome?language=ar")
    assert "Arabic" in page.text
    assert "جديد لك" in page.text
    directions = {values.get("class"): values.get("dir") for tag, values in page.elements if tag == "p"}
    assert (directions["title"], directions["body"]) == ("auto", "auto")


def test_the_form_keeps_translations_as_they_are(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[a_push(translations={"de": {**GERMAN, "note": "ours"}})]))
    before = (lab.ports.recipes.get("welcome") or {})["pushSequence"]
    visitor = Visitor(lambda: lab.ports)
    visitor.send("/recipes/welcome/edit", "/recipes/welcome/edit", {}, status=303)
    assert (lab.ports.recipes.get("welcome") or {})["pushSequence"] == before
    wrong = {"pushSequence[0].translations.german.title": "x", "pushSequence[0].translations.german.body": "y"}
    page = visitor.send("/recipes/welcome/edit", "/recipes/welcome/edit", wrong, status=422)
    assert '"german" is not a language tag' in Page(page.text).text


@pytest.mark.slow
def test_the_egress_of_an_image_is_that_of_its_language(lab: Lab) -> None:
    lab.ports = replace(lab.ports, images=MemoryImages({}))
    lab.save(recipe(pushSequence=[a_push()]))
    lab.run_to_the_end()
    [line] = [each for each in told(lab) if each.startswith("images:")]
    assert "expected egress 40 KB: 40 KB x 1 devices" in line


def test_the_page_of_a_test_shows_the_language_that_the_tester_got_also_after_cleanup(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[a_push()]))
    visitor = Visitor(lambda: lab.ports)
    test = start_by_hand(lab.ports, "welcome", Kind.TEST, lab.clock.now(), by="ana@kicks.example")
    lab.run_to(lab.clock.now() + timedelta(hours=1))
    [sent] = lab.outbox(test=True)
    assert lab.execution(test.id).cleaned
    page = visitor.get(f"/executions/{test.id}")
    assert sent["title"].startswith("Neu für")
    assert sent["title"] in page.text
    assert "layer 1 · German" in page.text
    assert "New for" not in page.text


def test_the_page_names_the_languages_of_other_test_users(lab: Lab) -> None:
    lab.write_devices([(each, f"token-{each}") for each in (TESTER, user(1), user(2))])
    lab.save(recipe(pushSequence=[a_push()], settings__testUserIds=[TESTER, user(1), user(2)]))
    lab.run_to(SEND_AT)
    shown = Visitor(lambda: lab.ports).get(f"/executions/{lab.id}").text
    files = lab.ports.shards.push(lab.id, 1)
    assert files is not None
    assert sorted(files.test_languages) == ["", "ar", "de"]
    words = {"": "Default language", "ar": "Arabic", "de": "German"}
    first, *others = (words[tag] for tag in files.test_languages)
    assert f"layer 1 · {first}; others got it in: {', '.join(others)}" in shown


def test_a_dry_run_shows_a_message_whole_in_its_language(lab: Lab) -> None:
    lab.write_devices([(each, f"token-{each}") for each in (user(0), TESTER)])
    lab.save(recipe(pushSequence=[a_push()]))
    page = Visitor(lambda: lab.ports).send("/recipes/welcome/run", RUN, {"mode": "real-dry-run"}, status=200)
    text = Page(page.text).text
    assert "Neu für Name 0" in text
    assert "Los," in text
    assert "Go," not in text
