"""What people may change of the cadence rules, and what they are told where they may not."""

from dataclasses import replace
from typing import Any

import pytest

from functions.domain.cadence.rule_changes import edited, rule_document
from functions.domain.cadence.rules import CadenceRule, in_force
from functions.domain.errors import BadFields
from tests.factories import DEFAULT_RULES

COOLDOWN, _, COMBINED = DEFAULT_RULES


def told(written: object) -> list[tuple[str, str]]:
    with pytest.raises(BadFields) as refused:
        edited(DEFAULT_RULES, written)
    return [(error.field, error.reason) for error in refused.value.errors]


def test_what_is_named_changes_and_the_rest_stays() -> None:
    written = [
        {"name": "combined_l2_l3_limit", "count": 5},
        {"name": "layer_3_cooldown", "hours": 48, "active": False},
    ]
    assert edited(DEFAULT_RULES, written) == (
        replace(COOLDOWN, hours=48, active=False),
        DEFAULT_RULES[1],
        replace(COMBINED, count=5),
    )


def test_what_was_read_can_be_written_back() -> None:
    assert edited(DEFAULT_RULES, [rule_document(rule) for rule in DEFAULT_RULES]) == DEFAULT_RULES


def test_saved_changes_override_the_rules_of_the_workspace_by_name() -> None:
    saved = [replace(COMBINED, hours=1, count=2, active=False, layers=frozenset({5})), replace(COOLDOWN, name="gone")]
    changed = replace(COMBINED, hours=1, count=2, active=False)
    assert in_force(DEFAULT_RULES, saved) == (*DEFAULT_RULES[:2], changed), "the workspace says on which layers"


def test_a_rule_is_read_as_it_was_stored() -> None:
    own = CadenceRule(name="weekly", reason="cadence:weekly", layers=frozenset({9}), hours=1)
    assert [CadenceRule.read(rule.document()) for rule in (*DEFAULT_RULES, own)] == [*DEFAULT_RULES, own]
    assert COOLDOWN.document() == {
        "reason": "layer_3_cooldown",
        "layers": [3],
        "hours": 72,
        "count": 1,
        "active": True,
    }, "older releases read it"


def test_an_unknown_name_is_refused_with_those_that_are_known() -> None:
    [(field, reason)] = told([{"name": "layer_9_cooldown", "hours": 1}])
    assert field == "rules[0].name"
    assert reason == (
        'must be one of layer_3_cooldown, layer_5_cooldown, combined_l2_l3_limit, got "layer_9_cooldown"'
    )


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("hours", 0, "must be a whole number from 1 to 720, got 0"),
        ("hours", 721, "must be a whole number from 1 to 720, got 721"),
        ("hours", 1.5, "must be a whole number from 1 to 720, got 1.5"),
        ("hours", True, "must be a whole number from 1 to 720, got true"),
        ("count", "3", 'must be a whole number from 1 to 100, got "3"'),
        ("count", 101, "must be a whole number from 1 to 100, got 101"),
        ("active", "yes", 'must be true or false, got "yes"'),
        ("layers", [2, 3], "cannot be changed: layer_3_cooldown acts on [3]"),
        ("hour", 3, "is not a field of a rule that can change; those are hours, count, active"),
    ],
)
def test_a_field_that_cannot_be_is_refused_by_name(field: str, value: object, reason: str) -> None:
    assert told([{"name": "layer_3_cooldown", field: value}]) == [(f"rules[0].{field}", reason)]


def test_every_wrong_field_is_named_at_once() -> None:
    written = [{"name": "layer_3_cooldown", "hours": 0, "count": 0}, 7, {}]
    assert [field for field, _ in told(written)] == ["rules[0].hours", "rules[0].count", "rules[1]", "rules[2].name"]


def test_a_rule_that_is_written_twice_is_refused() -> None:
    assert told([{"name": "layer_3_cooldown"}] * 2) == [("rules[1].name", "layer_3_cooldown is there twice")]


@pytest.mark.parametrize("written", [None, {}, [], "rules", 3])
def test_what_is_no_list_of_rules_is_refused_with_an_example(written: Any) -> None:
    [(field, reason)] = told(written)
    assert field == "rules"
    assert "layer_3_cooldown" in reason
