"""How the build renames imports for the wheel: setup.py's `rename_imports`."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SETUP = Path(__file__).parents[2] / "setup.py"
MODULES = {"functions.version", "functions.usecases", "local.cli.main", "audience_jobs.engines"}


@pytest.fixture
def rename() -> Callable[[str], str]:
    function: Any = runpy.run_path(str(SETUP), run_name="setup")["rename_imports"]
    return lambda source: str(function(source, MODULES))


@pytest.mark.parametrize(
    ("source", "renamed"),
    [
        ("from functions.version import VERSION", "from tminus.functions.version import VERSION"),
        ("from audience_jobs import engines", "from tminus.audience_jobs import engines"),
        ("if True:\n    from local.cli.main import main", "if True:\n    from tminus.local.cli.main import main"),
        ('load("functions.version")', 'load("tminus.functions.version")'),
        ('load(f"functions.usecases.{name}")', 'load(f"tminus.functions.usecases.{name}")'),
        ('"""`python -m local.cli.main`."""', '"""`python -m tminus.local.cli.main`."""'),
    ],
)
def test_names_of_modules_go_under_tminus(rename: Callable[[str], str], source: str, renamed: str) -> None:
    assert rename(source) == renamed


@pytest.mark.parametrize("source", ['open("functions.log")', "from functionsx import y", "local = main.functions"])
def test_other_names_stay(rename: Callable[[str], str], source: str) -> None:
    assert rename(source) == source


def test_an_import_that_binds_a_top_level_name_stops_the_build(rename: Callable[[str], str]) -> None:
    with pytest.raises(ValueError, match=r"functions\.version: write `from"):
        rename("import functions.version")
