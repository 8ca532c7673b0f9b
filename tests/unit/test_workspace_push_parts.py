"""What tminus.toml says about topics, deep links and Android channels, and what recipes may name then."""

from pathlib import Path

import pytest

from audience_jobs.workspace import Workspace
from functions.domain.errors import BadRecipe, Misconfigured
from functions.domain.policy import Policy
from functions.domain.recipe.read import read
from functions.settings.read import read_settings
from functions.usecases.recipes.check import check_recipe, not_allowed
from tests.audience_jobs.marketplace import find
from tests.factories import recipe
from tests.fcm import a_push
from tests.unit.test_workspace import GOOD_NAME, problems_of, taken_by

NEVER = {
    "https://img.example/": "write https://img.example",
    "https://img.example/path": "write https://img.example",
    "https://img.example?q": "write https://img.example",
    "https://u:secret@img.example": "write https://img.example",
    "https://*.example": "write each host by its name",
    "https://img.example:99999": "Port out of range",
    "https://img.example:0": "has the port 0",
    "https://img.example:": "write https://img.example",
    "https://img..example": "nothing before, or between, its dots",
    "https://": "names no host",
    "https:": "is not a scheme",
    "//img.example": "is not a scheme",
}
"""Entries that would allow nothing, each with what is said about it."""
CASES = {
    '[topics]\nnews = "News of the week"\n"Große Rabatte" = "Deals"\n': [],
    "[topics]\nnews = 1\n": [
        'tminus.toml:3: topics.news: has no words for people: write some, as in news = "News"',
    ],
    '[topics]\n" news" = "News"\n': None,
    'topics = ["news"]\n': [
        'tminus.toml:2: topics: is a list: write below [topics], as in news = "News of the week"',
    ],
    '[links]\nallowed = ["https://fitness.example:8443", "fitness"]\n': [],
    '[links]\nallowed = ["https://fitness.example/path"]\n': [
        'tminus.toml:3: links.allowed: has "https://fitness.example/path": write a list, as in allowed = '
        '["https://example.com", "myapp"]',
    ],
    '[links]\nallowed = ["a,b"]\n': None,
    '[links]\nallowed = "fitness"\n': None,
    '[links]\nalowed = ["fitness"]\n': ['tminus.toml:3: links.alowed: unknown key; did you mean "allowed"?'],
    '[android]\nchannels = ["Große News", "deals"]\n': [],
    '[android]\nchannels = ["news", ""]\n': [
        'tminus.toml:3: android.channels: has "": write a list, as in channels = ["news"]',
    ],
    "[android]\nchannels = [1]\n": None,
    '[images]\nallowed = ["https://img.fitness.example"]\n': [],
    '[images]\nallowed = ["http://img.fitness.example"]\n': None,
    '[images]\nallowed = ["fitness"]\n': None,
    '[images]\nallowed = ["https://img.fitness.example:65535", "https://1.img.example."]\n': [],
    **{f'[{part}]\nallowed = ["{entry}"]\n': None for part in ("links", "images") for entry in NEVER},
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_they_are_taken_or_refused_with_line_and_way_out(
    text: str, expected: list[str] | None, tmp_path: Path
) -> None:
    problems = problems_of(tmp_path, settings=GOOD_NAME + text)
    assert problems == expected if expected is not None else problems
    assert taken_by("tminus", tmp_path / "tminus.toml") == (not problems)


def test_the_environment_overrides_where_links_may_lead(tmp_path: Path) -> None:
    problems_of(tmp_path, settings=GOOD_NAME + '[links]\nallowed = ["https://fitness.example", "fitness"]\n')
    said = Workspace(tmp_path).settings
    assert read_settings({}, said).policy.links.allowed == ("https://fitness.example", "fitness")
    assert read_settings({"USER_DATA_DIR": "other"}, said).policy.links.allowed[1] == "fitness"
    assert read_settings({"ALLOWED_LINKS": "https"}, said).policy.links.allowed == ("https",)
    problems_of(tmp_path)
    assert read_settings({}, Workspace(tmp_path).settings).policy.links.allowed == ("https",)


def test_the_environment_overrides_where_images_may_come_from(tmp_path: Path) -> None:
    problems_of(tmp_path, settings=GOOD_NAME + '[images]\nallowed = ["https://img.fitness.example"]\n')
    said = Workspace(tmp_path).settings
    assert read_settings({}, said).policy.links.images == ("https://img.fitness.example",)
    assert read_settings({"USER_DATA_DIR": "other"}, said).policy.links.images == ("https://img.fitness.example",)
    assert read_settings({"ALLOWED_IMAGES": "https"}, said).policy.links.images == ("https",)
    assert read_settings({}, {}).policy.links.images == ("https",)
    with pytest.raises(Misconfigured, match="ALLOWED_IMAGES"):
        read_settings({"ALLOWED_IMAGES": "http"}, said)


@pytest.mark.parametrize("variable", ["ALLOWED_LINKS", "ALLOWED_IMAGES"])
@pytest.mark.parametrize(("entry", "told"), NEVER.items())
def test_an_entry_that_allows_nothing_is_refused_with_the_way_out(variable: str, entry: str, told: str) -> None:
    with pytest.raises(Misconfigured) as error:
        read_settings({variable: f"https://cdn.example,{entry}"}, {})
    said = str(error.value)
    assert variable in said
    assert "entry 2" in said
    assert told in said
    assert "secret" not in said


def test_a_push_names_a_channel_of_the_app_once_the_workspace_has_any(tmp_path: Path) -> None:
    def refused(channel: str, channels: str) -> list[str]:
        problems_of(tmp_path, settings=GOOD_NAME + channels)
        content = a_push(android={"channelId": channel})
        return [str(each) for each in not_allowed(content, Policy(), Workspace(tmp_path))]

    declared = '[android]\nchannels = ["news", "deals"]\n'
    assert refused("news", declared) == refused("anything", "") == []
    assert refused("nwes", declared) == [
        'android.channelId: "nwes" is not a channel of the workspace, so Android would use the default one: '
        "there are news, deals"
    ]


def test_a_recipe_names_a_topic_of_the_workspace_once_it_has_any(tmp_path: Path) -> None:
    def refused(topic: str, topics: str) -> list[str]:
        problems_of(tmp_path, settings=GOOD_NAME + topics)
        document = read(recipe(topic=topic))
        try:
            check_recipe(document, policy=Policy(), find_job=find, workspace=Workspace(tmp_path))
        except BadRecipe as error:
            return [str(each) for each in error.errors if each.field == "topic"]
        return []

    declared = '[topics]\nnews = "News"\ndeals = "Deals"\n'
    assert refused("news", declared) == refused("", declared) == refused("anything", "") == []
    assert refused("nwes", declared) == ['topic: "nwes" is not a topic of the workspace: there are news, deals']
