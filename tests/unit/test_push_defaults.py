"""`[defaults]` of tminus.toml: what may stand there, and how it joins what a push has itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from audience_jobs.workspace import Workspace
from audience_jobs.workspace.push_defaults import BUTTON, KEYS, TABLES
from functions.domain.errors import BadRecipe
from functions.domain.policy import Policy
from functions.domain.push.links import LinkPolicy
from functions.domain.recipe.content_fields import AndroidContent, IosContent, PushButton, WebContent
from functions.domain.recipe.defaults import in_force, with_defaults
from functions.domain.recipe.fields import fields_of
from functions.domain.recipe.push_fields import CONTENT
from functions.domain.recipe.read import read
from functions.usecases.recipes.check_defaults import defaults_problems
from tests.factories import push, recipe
from tests.unit.test_workspace import GOOD_NAME, SCHEMAS, problems_of, taken_by

GOOD = """
[defaults]
priority = "normal"
ttlMinutes = 120
image = "https://img.example/a.jpg"
[[defaults.buttons]]
id = "open"
title = "Open"
[defaults.data]
app.area = "news"
campaign = "[[var:name|all]]"
[defaults.android]
channelId = "news"
color = "#FF6600"
count = 1
[defaults.ios]
sound = "default"
relevanceScore = 0.5
[defaults.web]
requireInteraction = true
"""
CASES: dict[str, list[str] | None] = {
    GOOD.replace("app.area", '"app.area"'): [],
    "[defaults]\n": [],
    "defaults = 1\n": ['2: defaults: is a number: write below [defaults], as in priority = "normal"'],
    '[defaults]\nprioritty = "high"\n': ['3: defaults.prioritty: unknown key; did you mean "priority"?'],
    '[defaults]\ntitle = "Hi"\n': None,
    '[defaults.ios]\nsubtitel = "x"\n': ['3: defaults.ios.subtitel: unknown key; did you mean "subtitle"?'],
    "[defaults]\nandroid = 1\n": ["3: defaults.android: is a number: write below [defaults.android]"],
    '[[defaults.buttons]]\nid = "a"\ntitle = "A"\nlink = "https://x.y"\n': None,
    '[defaults.android]\ncolor = "orange"\n': [
        '3: defaults.android.color: must be a color such as #FF6600, got "orange"',
    ],
    '[defaults]\npriority = "urgent"\n': [
        "3: defaults.priority: must be one of 'high' or 'normal', got \"urgent\"",
    ],
    "[defaults]\nttlMinutes = 1.5\n": None,
    "[defaults]\nttlMinutes = 40321\n": ["3: defaults.ttlMinutes: must be at most 40320, got 40321"],
    '[[defaults.buttons]]\nid = "a"\n': ["2: defaults.buttons[0].title: is missing"],
    "[defaults]\nbuttons = 3\n": None,
    "[defaults.data]\nn = 5\n": None,
    "[defaults.ios]\nrelevanceScore = nan\n": ["3: defaults.ios.relevanceScore: must be a finite number, got nan"],
    '[defaults.ios]\ninterruptionLevel = "time-sensitive"\n': [
        "3: defaults.ios.interruptionLevel: time-sensitive is for pushes of layer 1 only: write it in those",
    ],
}
NOT_IN_THE_SCHEMA: dict[str, list[str] | None] = {
    '[defaults.data]\ntm = "x"\n': ["3: defaults.data.tm: is a key that Tminus uses: choose another one"],
    '[defaults]\nimage = "http://img.example/a.jpg"\n': None,
    '[defaults]\nimage = "https://img.example/[[var:x"\n': None,
    "[defaults.data]\nuntil = 2026-05-01\n": ["2: defaults.data: has a date or time: write a text, in quotes"],
    f'[defaults.data]\nbig = "{"é" * 2_048}"\n': None,
    '[android]\nchannels = ["deals"]\n[defaults.android]\nchannelId = "news"\n': [
        '5: defaults.android.channelId: "news" is not a channel of the workspace, so Android would use the default '
        "one: there are deals",
    ],
}


def found_in(folder: Path, text: str) -> list[str]:
    problems = problems_of(folder, settings=GOOD_NAME + text)
    found = problems or defaults_problems(Workspace(folder), Policy())
    return [each.removeprefix(f"{folder}/").removeprefix("tminus.toml:") for each in found]


@pytest.mark.parametrize(("text", "expected"), [*CASES.items(), *NOT_IN_THE_SCHEMA.items()])
def test_it_is_taken_or_refused_with_line_and_way_out(text: str, expected: list[str] | None, tmp_path: Path) -> None:
    found = found_in(tmp_path, text)
    assert found == expected if expected is not None else found
    if text in CASES:
        assert taken_by("tminus", tmp_path / "tminus.toml") == (not found)


def test_its_links_and_images_lead_where_the_deployment_allows(tmp_path: Path) -> None:
    assert found_in(tmp_path, '[defaults]\nimage = "https://img.example/a.jpg"\n') == []
    elsewhere = Policy(links=LinkPolicy(images=("https://cdn.example",)))
    [problem] = defaults_problems(Workspace(tmp_path), elsewhere)
    assert "tminus.toml:3: defaults.image: https://img.example is not among the allowed images" in problem


def test_it_may_have_every_field_that_a_push_carries_and_no_other() -> None:
    assert set(KEYS) == set(CONTENT) - {"translations"}, "translations are texts of one push"
    schema = json.loads((SCHEMAS / "tminus.schema.json").read_text())["properties"]["defaults"]["properties"]
    assert set(schema) == set(KEYS)
    for key, model in {"android": AndroidContent, "ios": IosContent, "web": WebContent}.items():
        assert set(TABLES[key]) == set(fields_of(model)) == set(schema[key]["properties"])
    assert set(BUTTON) == set(fields_of(PushButton)) == set(schema["buttons"]["items"]["properties"])


@pytest.mark.parametrize(
    ("own", "default", "both"),
    [
        ({}, {"priority": "normal"}, {"priority": "normal"}),
        ({"priority": "high"}, {"priority": "normal"}, {"priority": "high"}),
        ({"ttlMinutes": 0}, {"ttlMinutes": 5}, {"ttlMinutes": 0}),
        ({"ttlMinutes": None}, {"ttlMinutes": 5}, {"ttlMinutes": None}),
        ({"image": ""}, {"image": "https://x.y"}, {"image": "https://x.y"}),
        ({"image": None}, {"image": "https://x.y"}, {"image": None}),
        (
            {"android": {"sound": "ding"}},
            {"android": {"sound": "default", "channelId": "news"}},
            {"android": {"sound": "ding", "channelId": "news"}},
        ),
        ({"android": {"sound": ""}}, {"android": {"sound": "default"}}, {"android": {"sound": "default"}}),
        ({"android": {"sound": None}}, {"android": {"sound": "default"}}, {"android": {"sound": None}}),
        ({"android": None}, {"android": {"sound": "default"}}, {"android": None}),
        ({"web": {"requireInteraction": False}}, {"web": {"requireInteraction": True}}, None),
        ({"data": {"a": "", "b": "1"}}, {"data": {"a": "x", "c": "2"}}, {"data": {"a": "", "b": "1", "c": "2"}}),
        ({"data": {}}, {"data": {"a": "x"}}, {"data": {"a": "x"}}),
        ({"buttons": []}, {"buttons": [{"id": "a", "title": "A"}]}, {"buttons": []}),
        ({"buttons": [{"id": "b", "title": "B"}]}, {"buttons": [{"id": "a", "title": "A"}]}, None),
        (
            {"note": {"sound": "x"}},
            {"ios": {"sound": "default"}},
            {"note": {"sound": "x"}, "ios": {"sound": "default"}},
        ),
    ],
)
def test_what_a_push_has_wins_key_by_key(
    own: dict[str, Any], default: dict[str, Any], both: dict[str, Any] | None
) -> None:
    document = {"pushSequence": [{"title": "Hi", **own}]}
    joined = with_defaults(document, default)
    assert joined == {"pushSequence": [{"title": "Hi", **(own if both is None else both)}]}
    assert with_defaults(joined, default) == joined, "a second time changes nothing"
    assert document == {"pushSequence": [{"title": "Hi", **own}]}, "what is stored stays as written"


def test_a_null_leaves_a_push_without_the_default() -> None:
    defaults = {"image": "https://x.y/a.png", "ios": {"sound": "default", "badge": 1}, "data": {"a": "1", "b": "2"}}
    own = push(1, image=None, ios={"sound": None}, data={"a": None})
    [sent] = in_force(read(recipe(pushSequence=[own])), defaults).pushes
    assert (sent.image, sent.ios.sound, sent.ios.badge, list(sent.data)) == (None, None, 1, ["b"])


def test_without_defaults_a_recipe_is_what_it_was() -> None:
    written = read(recipe())
    assert in_force(written, {}) is written
    assert with_defaults(written.document(), {}) == written.document()


def test_what_only_both_together_make_invalid_names_the_defaults() -> None:
    own = push(1, data={f"own{number}": "x" for number in range(15)})
    with pytest.raises(
        BadRecipe, match=r"pushSequence\[0\].data: together with \[defaults\] .* at most 20 entries, not 21"
    ):
        in_force(read(recipe(pushSequence=[own])), {"data": {f"all{number}": "x" for number in range(6)}})
