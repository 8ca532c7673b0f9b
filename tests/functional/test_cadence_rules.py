"""Changing the cadence rules: who did, and what the next shard does by them."""

from datetime import timedelta

import pytest

from functions.domain.cadence.rule_changes import SUBJECT
from functions.domain.errors import BadFields
from functions.usecases.cadence.change_rules import change_rules
from functions.usecases.cadence.rules_in_force import rules_in_force
from functions.usecases.reports.audit import history_of
from tests.factories import executions_of, push, recipe
from tests.functional.conftest import SEND_AT, Lab

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)


def second_day(lab: Lab) -> dict[str, int]:
    """Send a layer 3 push on two days, and return who was excluded from the second."""
    lab.save(recipe(pushSequence=[push(1, layerId=3)]))
    lab.run_to(SEND_AT + DAY + timedelta(hours=1))
    excluded: dict[str, int] = lab.report(f"welcome_{SEND_AT + DAY:%Y%m%dT%H%M%SZ}")["totals"]["excluded"]
    return excluded


def test_a_daily_push_of_layer_3_is_held_back_by_the_default_rules(lab: Lab) -> None:
    assert second_day(lab) == {"layer_3_cooldown": 4}


@pytest.mark.long
def test_a_shorter_cooldown_lets_the_next_days_push_through(lab: Lab) -> None:
    change_rules(lab.ports, [{"name": "layer_3_cooldown", "hours": 24}], by="ann@example.com")
    assert second_day(lab) == {}


@pytest.mark.long
def test_a_rule_that_was_changed_between_two_pushes_holds_for_the_second(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, layerId=3, audienceName="a"), push(2, layerId=3, audienceName="a")]))
    lab.run_to(SEND_AT + timedelta(minutes=1))
    change_rules(lab.ports, [{"name": "layer_3_cooldown", "active": False}], by="ann@example.com")
    lab.run_to_the_end()
    assert lab.report()["totals"]["sent"] == 8


def test_the_audit_log_says_who_changed_which_rule(lab: Lab) -> None:
    change_rules(lab.ports, [{"name": "layer_5_cooldown", "hours": 12}], by="ann@example.com")
    [entry] = history_of(lab.ports, SUBJECT).entries
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.by, entry.before["rules"][1]["hours"], entry.after["rules"][1]["hours"]) == (
        "ann@example.com",
        96,
        12,
    )


def test_what_is_refused_changes_nothing(lab: Lab) -> None:
    with pytest.raises(BadFields):
        change_rules(lab.ports, [{"name": "layer_5_cooldown", "hours": 12}, {"name": "other"}], by="ann@example.com")
    assert rules_in_force(lab.ports)[1].hours == 96
    assert history_of(lab.ports, SUBJECT).entries == []


@pytest.mark.parametrize(
    ("layer", "pushes", "schedule"),
    [
        (2, 3, {"frequency": "weekly", "daysOfWeek": [2]}),
        pytest.param(3, 1, {"frequency": "custom", "cronExpression": "0 9 1-31/3 * *"}, marks=pytest.mark.long),
        pytest.param(5, 1, {"frequency": "custom", "cronExpression": "0 9 2-31/4 * *"}, marks=pytest.mark.long),
    ],
    ids=["weekly", "every third day", "every fourth day"],
)
def test_no_user_is_excluded_in_the_week_in_which_the_clocks_change(
    lab: Lab, layer: int, pushes: int, schedule: dict[str, object]
) -> None:
    """New York's clocks go forward on 8 March: 167, 71 and 95 hours lie between two sends at 09:00."""
    when = {"timezone": "America/New_York", "executionTime": "09:00", "leadTimeMinutes": 30, **schedule}
    sequence = [push(order, layerId=layer, audienceName="a") for order in range(1, pushes + 1)]
    lab.save(recipe(schedule=when, pushSequence=sequence))
    lab.run_to(SEND_AT + 8 * DAY)
    executions = [lab.report(execution.id) for execution in executions_of(lab.ports, "welcome")]
    ended = [each["totals"] for each in executions if each["status"] == "completed"]
    assert len(ended) >= 2
    assert [totals["excluded"] for totals in ended] == [{}] * len(ended)
