"""The judge's own reading of cadence rules agrees with the product's, and knows which hold after a release."""

from pathlib import Path

import pytest

from audience_jobs.workspace import Workspace, marketplace
from local.simulator.judge.caps import caps_of
from local.simulator.play.scenario import draw_scenario
from local.simulator.play.swarm import swarm_scenario

WORKSPACES = Path(__file__).parents[2] / "local" / "simulator" / "workspaces"
GYM, LATER = WORKSPACES / "gym", WORKSPACES / "gym_later"


@pytest.mark.parametrize("workspace", [marketplace(), Workspace(GYM), Workspace(LATER)])
def test_it_reads_what_the_product_reads(workspace: Workspace) -> None:
    workspace.check()
    caps = caps_of(workspace.folder)
    assert caps.exempt == workspace.cadence.exempt
    assert [(cap.reason, *cap.limit) for cap in caps.caps] == [
        (rule.reason, rule.layers, rule.hours, rule.count) for rule in workspace.cadence.rules
    ]


def test_what_a_release_renames_still_holds_and_what_is_new_does_not_yet() -> None:
    kept = caps_of(GYM).kept_by(caps_of(LATER))
    assert [cap.reason for cap in kept.caps] == ["cadence:per_day", "cadence:coaching"]


def test_three_days_of_ten_are_in_the_gym_and_half_of_those_have_a_release() -> None:
    drawn = [swarm_scenario(seed, draw_scenario(seed)) for seed in range(200)]
    there = [scenario for scenario in drawn if scenario.workspace.name == "gym"]
    assert 40 < len(there) < 80
    assert 0.3 < sum(scenario.later is not None for scenario in there) / len(there) < 0.7
