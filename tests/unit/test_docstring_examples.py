"""The examples in docstrings show what the functions really return."""

import doctest
from types import ModuleType

import pytest

from functions.domain.push import outcomes
from functions.domain.recipe import read
from functions.gcp.fcm import answers
from functions.handlers.http import as_json
from functions.usecases.reports.watch_execution import Progress


@pytest.mark.parametrize("module", [outcomes, read, answers, as_json])
def test_the_examples_of_a_module_are_true(module: ModuleType) -> None:
    run = doctest.testmod(module, extraglobs={"Progress": Progress})
    assert run.attempted > 0
    assert run.failed == 0
