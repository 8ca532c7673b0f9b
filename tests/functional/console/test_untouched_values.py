"""A null or false that the form shows as empty stays as it is until a person writes something else there."""

from copy import deepcopy
from typing import Any

import pytest

from functions.domain.recipe.fields import paths_of
from functions.domain.recipe.push_fields import RecipePush
from tests.factories import push, recipe
from tests.functional.conftest import Lab
from tests.functional.console.visitor import Page, Visitor

EDIT = "/recipes/welcome/edit"
OFF: dict[str, Any] = {
    "deepLink": None,
    "literalText": False,
    "image": None,
    "buttons": None,
    "data": None,
    "priority": None,
    "ttlMinutes": None,
    "android": {"channelId": None, "sound": None, "count": None},
    "ios": {"subtitle": None, "badge": None, "interruptionLevel": None, "relevanceScore": 0},
    "web": {"icon": None, "requireInteraction": False},
    "translations": None,
    "requireLocales": False,
    "audienceName": None,
    "timing": {"delayAfterPrevious": 0, "absoluteTime": None},
}
"""A push that switches the defaults of a workspace off."""


def save(lab: Lab, *pushes: dict[str, Any]) -> None:
    lab.save(recipe(pushSequence=list(pushes)))


def pushes_of(lab: Lab) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (lab.ports.recipes.get("welcome") or {})["pushSequence"]
    return found


def off(order: int, **changes: Any) -> dict[str, Any]:
    return push(order, **{**deepcopy(OFF), "timing": {**OFF["timing"], "delayAfterPrevious": order}, **changes})


def test_the_push_of_these_tests_has_every_field_that_can_switch_a_default_off() -> None:
    needed = {"title", "body", "layerId", "sequenceOrder"}
    assert set(OFF) | needed == {path.partition(".")[0] for path, _ in paths_of(RecipePush)}


def test_two_pushes_with_the_same_texts(lab: Lab, visitor: Visitor) -> None:
    save(lab, off(1, title="Hello"), off(2, title="Hello"), push(3))
    before = deepcopy(pushes_of(lab))
    visitor.send(EDIT, EDIT)
    assert pushes_of(lab)[:2] == before[:2]


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param([push(1, title="Ben's"), off(2)], id="changed"),
        pytest.param([off(2, sequenceOrder=1)], id="deleted"),
        pytest.param([off(2, sequenceOrder=1), off(1, sequenceOrder=2)], id="moved"),
        pytest.param([push(1, image="https://img.example/a.png", web={"requireInteraction": True}), off(2)], id="on"),
    ],
)
def test_another_person_changed_the_push_meanwhile(theirs: list[dict[str, Any]], lab: Lab, visitor: Visitor) -> None:
    save(lab, off(1), off(2))
    before = deepcopy(pushes_of(lab))
    mine = visitor.get(EDIT).form(EDIT).fields
    save(lab, *theirs)
    page = Page(visitor.post(EDIT, {**mine, "name": "Ana's"}, status=409).text)
    visitor.post(EDIT, page.form(EDIT).fields, status=303)
    assert pushes_of(lab) == before


def test_a_null_that_another_person_wrote_meanwhile(lab: Lab, visitor: Visitor) -> None:
    save(lab, push(1), push(2))
    mine = visitor.get(EDIT).form(EDIT).fields
    save(lab, push(1, image=None, ios={"sound": None}), push(2))
    page = Page(visitor.post(EDIT, {**mine, "name": "Ana's"}, status=409).text)
    visitor.post(EDIT, page.form(EDIT).fields, status=303)
    assert pushes_of(lab)[0].items() >= {"image": None, "ios": {"sound": None}}.items()


@pytest.mark.parametrize("same", [False, True])
def test_a_field_that_is_emptied_or_filled_by_hand(same: bool, lab: Lab, visitor: Visitor) -> None:
    filled = {
        "image": "https://img.example/a.png",
        "ios": {"badge": 0, "sound": "ding"},
        "web": {"requireInteraction": True},
    }
    save(lab, push(1, title="Hello", **filled, data=None), push(2, title="Hello" if same else "Other"))
    fields = visitor.get(EDIT).form(EDIT).fields
    base = "pushSequence[0]."
    del fields[f"{base}web.requireInteraction"]
    emptied = {f"{base}{path}": "" for path in ("image", "ios.badge", "ios.sound")}
    visitor.post(EDIT, {**fields, **emptied, f"{base}data": "area=news"}, status=303)
    first = pushes_of(lab)[0]
    assert ("image" in first, first["ios"], first["web"], first["data"]) == (False, {}, {}, {"area": "news"})


def test_the_rest_of_the_recipe(lab: Lab, visitor: Visitor) -> None:
    empty = {
        "description": None,
        "topic": None,
        "schedule__startDate": None,
        "audienceCriteria__filters": None,
        "audienceCriteria__customScript__parameters": None,
        "audienceCriteria__where": {},
        "audienceCriteria__testMode": None,
        "settings__maxLatenessMinutes": None,
        "settings__alertChannels": None,
        "settings__safeguards": {
            "maxAudienceSize": None,
            "requireImages": None,
            "requireTestFirst": None,
            "emergencyContacts": None,
            "alertThresholds": None,
        },
    }
    lab.save(recipe(**empty))
    before = deepcopy(lab.ports.recipes.get("welcome") or {})
    visitor.send(EDIT, EDIT)
    after = lab.ports.recipes.get("welcome") or {}
    assert {**after, "updatedAt": ""} == {**before, "updatedAt": ""}


@pytest.mark.parametrize("typed", ["1 200", "1,200", "1\u2019200", "1\u202f200", "1200"])
def test_a_number_is_read_with_separators_of_thousands(lab: Lab, visitor: Visitor, typed: str) -> None:
    edit = "/recipes/welcome/edit"
    visitor.send(edit, edit, {"settings.safeguards.maxAudienceSize": typed})
    stored = lab.ports.recipes.get("welcome") or {}
    assert stored["settings"]["safeguards"]["maxAudienceSize"] == 1_200
