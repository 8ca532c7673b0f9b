"""`--set PATH=VALUE` of `tminus run` reaches every field of a recipe, also in lists and below keys of the team."""

from typing import Any

import pytest

from functions.domain.errors import BadInput
from local.runtime.recipe_files import set_value
from tests.factories import push, recipe


@pytest.mark.parametrize(
    ("assignment", "path", "value"),
    [
        ("settings.maxLatenessMinutes=5", ("settings", "maxLatenessMinutes"), 5),
        ("settings.testUserIds[0]=ana", ("settings", "testUserIds", 0), "ana"),
        ("pushSequence[1].requireLocales=true", ("pushSequence", 1, "requireLocales"), True),
        ("pushSequence[0].ios.sound=null", ("pushSequence", 0, "ios", "sound"), None),
        ("pushSequence[0].data.area=news", ("pushSequence", 0, "data", "area"), "news"),
        ("pushSequence[0].buttons[0].title=Go", ("pushSequence", 0, "buttons", 0, "title"), "Go"),
        ("pushSequence[0].translations.pt-BR.title=Oi", ("pushSequence", 0, "translations", "pt-BR", "title"), "Oi"),
        ("pushSequence[0].translations.de={}", ("pushSequence", 0, "translations", "de"), {}),
        ('pushSequence[0]={"title": "A"}', ("pushSequence", 0), {"title": "A"}),
        ("metadata.owner=growth", ("metadata", "owner"), "growth"),
    ],
)
def test_a_field_is_set_and_nothing_else(assignment: str, path: tuple[str | int, ...], value: object) -> None:
    document = recipe(pushSequence=[push(1, buttons=[{"id": "go", "title": "Stay"}]), push(2)])
    changed: Any = set_value(document, assignment)
    place = changed
    for key in path:
        place = place[key]
    assert place == value
    assert document == recipe(pushSequence=[push(1, buttons=[{"id": "go", "title": "Stay"}]), push(2)])


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("pushSequence[3].title=A", r"pushSequence has no \[3\] in this recipe, only 3 from \[0\]"),
        ("pushSequence[0].buttons[0].title=A", "buttons is not a list in this recipe"),
        ("pushSequence.title=A", r"no such field; did you mean pushSequence\[0\].title\?"),
        ("pushSequence[1].requireLocale=true", r"did you mean pushSequence\[1\].requireLocales\?"),
        ("pushSequence[0].translations.de.text=A", "a recipe has no such field"),
        ("pushSequence[0].title.de=A", "a recipe has no such field"),
        ("pushSequence.x.title=A", "a recipe has no such field"),
        ("settings[0]=A", "a recipe has no such field"),
        ("pushSequence[0][1]=A", "a recipe has no such field"),
        ("[0]=A", "a recipe has no such field"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused_with_the_way_out(assignment: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        set_value(recipe(), assignment)
