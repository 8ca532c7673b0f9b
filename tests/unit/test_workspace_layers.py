"""The layers, cadence rules and templates of a workspace: what is taken, what is refused with line and way out."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from audience_jobs.errors import BadWorkspace
from audience_jobs.workspace import Workspace, layers, marketplace, open_workspace
from functions.domain.cadence.layers import MOST_LAYER
from functions.domain.cadence.rule_changes import MOST_COUNT, MOST_HOURS
from functions.domain.push.outcomes import OTHER, Exclusion
from functions.domain.push.rule_bytes import BYTES
from functions.handlers.console.words import REASONS
from functions.usecases.cadence.rules_in_force import declared_rules, layers_of
from tests.unit.test_workspace import GOOD_NAME, problems_of, taken_by

RULE = '[layers]\n1 = "News"\n2 = { name = "Alarms", exempt = true }\n[cadence.weekly]\nlayers = [1]\nhours = 168\n'
BEFORE_WORKSPACES = {"layer_3_cooldown", "layer_5_cooldown", "combined_l2_l3_limit"}


def refused(folder: Path, text: str) -> list[str]:
    return problems_of(folder, settings=f"{GOOD_NAME}{text}")


def test_a_workspace_names_its_layers_and_rules(tmp_path: Path) -> None:
    assert refused(tmp_path, f"{RULE}count = 3\n") == []
    workspace = Workspace(tmp_path)
    assert dict(layers_of(workspace).names) == {1: "News", 2: "Alarms"}
    assert layers_of(workspace).exempt == {2}
    [rule] = declared_rules(workspace)
    assert (rule.name, rule.reason, [*rule.layers]) == ("weekly", "cadence:weekly", [1])
    assert (rule.hours, rule.count, rule.active) == (168, 3, True)


def test_a_workspace_without_layers_has_five_without_rules(tmp_path: Path) -> None:
    assert refused(tmp_path, "") == []
    assert dict(Workspace(tmp_path).cadence.names) == {number: f"Layer {number}" for number in range(1, 6)}
    assert (Workspace(tmp_path).cadence.exempt, Workspace(tmp_path).cadence.rules) == (frozenset(), ())


def test_there_are_up_to_nine_layers_and_as_many_rules_as_bytes(tmp_path: Path) -> None:
    names = "".join(f'{number} = "L{number}"\n' for number in range(1, 10))
    rules = [f"[cadence.r{number}]\nlayers = [{number % 9 + 1}]\nhours = 1\n" for number in range(32)]
    assert refused(tmp_path, f"[layers]\n{names}{''.join(rules[:31])}") == []
    assert len(Workspace(tmp_path).cadence.names) == MOST_LAYER == layers.MOST_LAYERS
    assert len(Workspace(tmp_path).cadence.rules) == len(BYTES) == layers.MOST_RULES
    assert refused(tmp_path, f"[layers]\n{names}{''.join(rules)}") == [
        "tminus.toml:105: cadence.r31: is one rule too many: a workspace has at most 31"
    ]


def test_the_marketplace_keeps_its_layers_rules_and_words() -> None:
    assert {rule.reason for rule in declared_rules(marketplace())} == BEFORE_WORKSPACES
    assert {rule.name for rule in declared_rules(marketplace())} == BEFORE_WORKSPACES
    assert [(rule.hours, rule.count) for rule in declared_rules(marketplace())] == [(72, 1), (96, 1), (168, 3)]
    assert dict(layers_of(marketplace()).names) == {
        1: "Platform-wide moment",
        2: "Product and trend trigger",
        3: "Behaviour-responsive",
        4: "Test",
        5: "New-user series",
    }
    assert layers_of(marketplace()).exempt == {1, 4}


def test_the_limits_and_words_are_those_of_the_rest_of_tminus() -> None:
    assert (layers.MOST_HOURS, layers.MOST_COUNT) == (MOST_HOURS, MOST_COUNT)
    others = {*map(str, Exclusion), *REASONS, OTHER, "all"} - BEFORE_WORKSPACES
    assert others == layers.TAKEN_REASONS


CASES: dict[str, Sequence[str]] = {
    "layers = 5": ['layers: is a number: write each layer below [layers], as in 1 = "Newsletter"'],
    "[layers]\n": ['layers: names no layer: write each layer below [layers], as in 1 = "Newsletter"'],
    '[layers]\n0 = "x"': ["layers.0: is not the number of a layer: there are up to 9, 1 to 9"],
    '[layers]\n10 = "x"': ["layers.10: is not the number of a layer: there are up to 9, 1 to 9"],
    '[layers]\none = "x"': ["layers.one: is not the number of a layer: there are up to 9, 1 to 9"],
    "[layers]\n1 = 5": ['layers.1: has no name: write up to 60 characters, as in 1 = "Newsletter"'],
    '[layers]\n1 = " "': ['layers.1: has no name: write up to 60 characters, as in 1 = "Newsletter"'],
    f'[layers]\n1 = "{"x" * 61}"': ['layers.1: has no name: write up to 60 characters, as in 1 = "Newsletter"'],
    "[layers]\n1 = { exempt = true }": [
        'layers.1: has no name: write up to 60 characters, as in 1 = "Newsletter"',
    ],
    '[layers]\n1 = { name = "x", exempt = 1 }': ["layers.1.exempt: is a number: write true or false"],
    '[layers]\n1 = { name = "x", exemt = true }': ['layers.1.exemt: unknown key; did you mean "exempt"?'],
    "cadence = 1": ["cadence: is a number: write each rule below a header, as in [cadence.weekly]"],
    '[[cadence]]\nname = "x"': ["cadence: is a list: write each rule below a header, as in [cadence.weekly]"],
    "[cadence]\nx = 5": ["cadence.x: is a number: write its layers and hours below [cadence.x]"],
    "[cadence.1x]\nlayers = [1]\nhours = 1": [
        "cadence.1x: is not a name: a rule's name has up to 40 letters, digits, _ and -, a letter first"
    ],
    "[cadence.x]\nlayers = [1]": ["cadence.x.hours: is missing: write a whole number from 1 to 720"],
    "[cadence.x]\nlayers = [1]\nhours = 0": ["cadence.x.hours: is 0: write a whole number from 1 to 720"],
    "[cadence.x]\nlayers = [1]\nhours = 721": ["cadence.x.hours: is 721: write a whole number from 1 to 720"],
    '[cadence.x]\nlayers = [1]\nhours = "9"': ['cadence.x.hours: is "9": write a whole number from 1 to 720'],
    "[cadence.x]\nlayers = [1]\nhours = 1\ncount = 101": [
        "cadence.x.count: is 101: write a whole number from 1 to 100"
    ],
    "[cadence.x]\nlayers = [1]\nhours = 1\nactive = 1": ["cadence.x.active: is a number: write true or false"],
    "[cadence.x]\nhours = 1": [
        "cadence.x.layers: is missing: write the layers that the rule counts and holds back, as in [1, 2]"
    ],
    "[cadence.x]\nlayers = []\nhours = 1": [
        "cadence.x.layers: names no layer: write the layers that the rule counts and holds back, as in [1, 2]"
    ],
    "[cadence.x]\nlayers = [1, true]\nhours = 1": ["cadence.x.layers: there is no layer true; known: 1, 2, 3, 4, 5"],
    "[cadence.x]\nlayers = [1]\nhours = 1\nhuors = 1": ['cadence.x.huors: unknown key; did you mean "hours"?'],
    '[cadence.x]\nlayers = [1]\nhours = 1\nreason = "A"': [
        'cadence.x.reason: is "A": write up to 60 small letters, digits and _, a letter first'
    ],
    '[cadence.x]\nlayers = [1]\nhours = 1\nreason = "no_token"': [
        'cadence.x.reason: "no_token" means something else in reports: choose another word'
    ],
    "templates = 1": ["templates: is a number: write the names of files in templates/, in quotes"],
    'templates = ["a", 1]': ["templates: is a list: write the names of files in templates/, in quotes"],
    RULE: [],
    f'{RULE}count = 100\nactive = false\nreason = "rest_a_week"\n': [],
    "[cadence.a-B_9]\nlayers = [5]\nhours = 720\n": [],
    "templates = []": [],
}
ONLY_THE_READER: dict[str, Sequence[str]] = {
    "[cadence.x]\nlayers = [1, 7]\nhours = 1": ["cadence.x.layers: there is no layer 7; known: 1, 2, 3, 4, 5"],
    RULE.replace("[1]", "[1, 2]"): [
        "cadence.weekly.layers: layer 2 is exempt: leave it out, or drop exempt from the layer"
    ],
    f"{RULE}[cadence.Weekly]\nlayers = [1]\nhours = 1": [
        'cadence.Weekly: differs from "weekly" in capitals only: rename one'
    ],
    '[cadence.x]\nlayers = [1]\nhours = 1\nreason = "r"\n[cadence.y]\nlayers = [1]\nhours = 1\nreason = "r"': [
        'cadence.y.reason: is also the reason of "x": choose another word'
    ],
    'templates = ["a"]': ["templates: there is no templates/a.json"],
}


@pytest.mark.parametrize(("text", "expected"), [*CASES.items(), *ONLY_THE_READER.items()])
def test_what_is_wrong_is_named_with_line_and_way_out(text: str, expected: Sequence[str], tmp_path: Path) -> None:
    assert [problem.partition(": ")[2] for problem in refused(tmp_path, text)] == list(expected)
    if text in CASES:
        assert taken_by("tminus", tmp_path / "tminus.toml") == (not expected)


def test_a_rule_that_is_there_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    [problem] = refused(tmp_path, f"{RULE}[cadence.weekly]\nlayers = [1]\nhours = 1\n")
    assert problem.startswith("tminus.toml:8: is not valid TOML: Cannot declare ('cadence', 'weekly') twice")


def test_each_problem_is_told_with_its_line(tmp_path: Path) -> None:
    assert refused(tmp_path, RULE.replace("[1]", "[1, 3]").replace("168", "1000")) == [
        "tminus.toml:6: cadence.weekly.layers: there is no layer 3; known: 1, 2",
        "tminus.toml:7: cadence.weekly.hours: is 1000: write a whole number from 1 to 720",
    ]


TEMPLATE = {
    "name": "Come back",
    "description": "For members who stay away.",
    "schedule": {"frequency": "daily", "executionTime": "09:00"},
    "pushSequence": [{"title": "Hi", "body": "b", "layerId": 1}],
}


def with_template(folder: Path, **changes: object) -> list[str]:
    (folder / "templates").mkdir(exist_ok=True)
    written = {name: value for name, value in (TEMPLATE | changes).items() if value is not None}
    (folder / "templates" / "come_back.json").write_text(json.dumps(written))
    return [problem.removeprefix("templates/come_back.json:1: ") for problem in refused(folder, RULE)]


def test_templates_are_files_in_the_order_of_tminus_toml_or_of_their_names(tmp_path: Path) -> None:
    assert with_template(tmp_path) == []
    (tmp_path / "templates" / "another.json").write_text(json.dumps(TEMPLATE))
    assert [template.id for template in Workspace(tmp_path).templates] == ["another", "come_back"]
    assert refused(tmp_path, 'templates = ["come_back", "another"]\n') == []
    assert [template.id for template in Workspace(tmp_path).templates] == ["come_back", "another"]
    assert [template.id for template in marketplace().templates] == [
        "onboarding_funnel",
        "retention",
        "feature_announcement",
    ]


def test_a_template_that_cannot_be_is_refused(tmp_path: Path) -> None:
    assert sorted(with_template(tmp_path, schedule=None, name=5, nam=1, settings=[])) == [
        'nam: unknown key; did you mean "name"?',
        "name: must be text",
        "schedule: is missing",
        "settings: must be an object",
    ]
    assert with_template(tmp_path, pushSequence=[]) == ["pushSequence: must be a list of pushes"]
    assert with_template(tmp_path, pushSequence=[{"layerId": 3}]) == [
        "pushSequence[0].layerId: 3 is not a layer of the workspace; known: 1, 2"
    ]
    (tmp_path / "templates" / "come_back.json").write_text('{\n"a": 1,\n')
    [problem] = refused(tmp_path, RULE)
    assert problem.startswith("templates/come_back.json:3: is not valid JSON: ")
    (tmp_path / "templates" / "come_back.json").write_text('{"name": "a", "name": "b"}')
    [problem] = refused(tmp_path, RULE)
    assert 'the key "name" is there twice in one object: keep one of them' in problem


def test_a_change_of_a_file_is_seen_by_the_next_who_opens_the_workspace(tmp_path: Path) -> None:
    assert with_template(tmp_path) == []
    assert [template.name for template in open_workspace(tmp_path).templates] == ["Come back"]
    (tmp_path / "templates" / "come_back.json").write_text("{}")
    with pytest.raises(BadWorkspace):
        open_workspace(tmp_path)
