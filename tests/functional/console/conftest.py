"""Somebody who visits the console of a laboratory."""

import pytest

from tests.functional.conftest import Lab
from tests.functional.console.visitor import Visitor


@pytest.fixture
def visitor(lab: Lab) -> Visitor:
    """A visitor; the recipe `welcome` is saved."""
    return Visitor(lambda: lab.ports)
