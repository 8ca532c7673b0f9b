"""A run is a pure function of its seed and the code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.simulator.play.entry_points import hush, through_apps
from local.simulator.play.simulation import simulate

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _quiet() -> None:
    hush()


@pytest.mark.long
def test_the_same_seed_gives_the_same_log_byte_for_byte_and_another_seed_another() -> None:
    first = simulate(31)
    assert first.text() == simulate(31).text()
    assert first.text() != simulate(4).text()
    assert len(first.log) > 500


@pytest.mark.long
def test_another_process_with_another_order_of_sets_gives_the_same_log() -> None:
    command = [sys.executable, "-m", "local.simulator", "--seed", "15", "--log"]
    logs = [
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": order}, capture_output=True, check=True
        ).stdout
        for order in ("1", "2")
    ]
    assert logs[0] == logs[1]
    assert len(logs[0]) > 10_000


@pytest.mark.long
def test_the_log_is_the_same_through_the_deployed_functions_themselves() -> None:
    assert simulate(6).text() == simulate(6, entry_point=through_apps).text()
