"""Which language of a push a person gets."""

import pytest

from functions.domain.errors import BadRecipe
from functions.domain.recipe.read import parse
from functions.domain.recipe.translations import lookup
from tests.factories import push, recipe

TEXT = {"title": "T", "body": "B"}


@pytest.mark.parametrize(
    ("locale", "tags", "found"),
    [
        ("de", ["de"], "de"),
        ("de-AT", ["de"], "de"),
        ("de-AT", ["de", "de-AT"], "de-AT"),
        ("DE_at", ["de", "de-AT"], "de-AT"),
        ("pt_BR.UTF-8", ["pt-BR"], "pt-BR"),
        ("ca@valencia", ["ca"], "ca"),
        ("zh-Hant-TW", ["zh", "zh-hant"], "zh-hant"),
        ("zh-Hant-TW", ["zh"], "zh"),
        ("en-a-bbb-x-a", ["en-a-bbb"], "en-a-bbb"),
        ("en-u-ca-gregory", ["en"], "en"),
        (" fr ", ["fr"], "fr"),
        ("pt", ["pt-BR"], ""),
        ("den", ["de"], ""),
        ("", ["de"], ""),
        ("-", ["de"], ""),
        ("_@.", ["de"], ""),
        ("ann@club.example", ["ann"], ""),
        ("C.UTF-8", ["c"], ""),
        ("de\nADMIN: all sent", ["de"], ""),
        ("de-" * 100_000, ["de"], ""),
        ("de", [], ""),
    ],
)
def test_a_locale_is_shortened_until_there_is_a_translation(locale: str, tags: list[str], found: str) -> None:
    assert lookup(locale, tags) == found


@pytest.mark.parametrize(
    ("translations", "field", "told"),
    [
        ({"pt_BR": TEXT}, "translations.pt_BR", '"pt_BR" is not a language tag: write pt-BR'),
        ({"german": TEXT}, "translations.german", "is not a language tag: write one such as de, pt-BR or zh-Hant"),
        ({"": TEXT}, "translations.", "is not a language tag"),
        ({"pt-BR": TEXT, "pt-br": TEXT}, "translations.pt-br", '"pt-br" is the same language as pt-BR'),
        ({f"a{chr(97 + n // 26)}{chr(97 + n % 26)}": TEXT for n in range(101)}, "translations", "at most 100"),
        ({"de": {"title": "T"}}, "translations.de.body", "is missing"),
        ({"de": {**TEXT, "title": 1}}, "translations.de.title", "must be text"),
        ({"de": {**TEXT, "image": "ftp://x/y"}}, "translations.de.image", ""),
        ({"de": {**TEXT, "buttons": [{"id": "a b", "title": "A"}]}}, "translations.de.buttons[0].id", "letters"),
        ({"de": "Hallo"}, "translations.de", "must be an object"),
        (["de"], "translations", "must be an object"),
    ],
)
def test_a_translation_that_cannot_be_read_names_its_field(translations: object, field: str, told: str) -> None:
    if not told:  # read, and refused by the list of allowed images
        assert parse(recipe(pushSequence=[push(1, translations=translations)])).pushes[0].translations
        return
    with pytest.raises(BadRecipe) as refused:
        parse(recipe(pushSequence=[push(1, translations=translations)]))
    [error] = refused.value.errors
    assert error.field == f"pushSequence[0].{field}"
    assert told in error.reason


def test_a_translation_replaces_what_it_has_and_keeps_the_rest() -> None:
    buttons = [{"id": "go", "title": "Go"}]
    written = push(1, title="Hi", image="https://img.example/en.png", buttons=buttons)
    written["translations"] = {"de": {"title": "Hallo", "body": ""}, "fr": {**TEXT, "buttons": [{**buttons[0]}] * 0}}
    [read] = parse(recipe(pushSequence=[written])).pushes
    german = read.in_language("de")
    assert (german.title.source, german.body.source) == ("Hallo", "")
    assert (german.image, german.buttons, german.translations) == (read.image, read.buttons, {})
    assert read.in_language("") is read
    assert set(read.texts) - set(read.own_texts) == {
        "translations.de.title",
        "translations.de.body",
        "translations.fr.title",
        "translations.fr.body",
    }
