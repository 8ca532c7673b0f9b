"""The commands of `tminus` are found by name, and loaded when they are used."""

import subprocess
import sys

import pytest

from local.cli.main import cli

LOADED = """
import sys
from local.cli.main import cli
cli.get_command(None, "check")
print(*(name for name in sys.modules if name.startswith("local.")))
"""


def test_each_command_has_the_name_under_which_it_is_found() -> None:
    assert {name: command.name for name, command in cli.commands.items()} == {name: name for name in cli.commands}
    assert len(cli.commands) >= 20


def test_a_name_that_is_no_command_is_none() -> None:
    assert cli.commands.get("chek") is None


@pytest.mark.slow
def test_a_command_loads_none_of_the_others() -> None:
    answer = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = set(answer.stdout.split())
    assert "local.cli.check" in loaded
    assert not loaded & {"local.cli.up", "local.cli.simulate", "local.simulator", "local.forecast", "local.sample"}
