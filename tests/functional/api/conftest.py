"""The API of a laboratory."""

import pytest

from tests.functional.api.documented import ApiClient
from tests.functional.conftest import Lab


@pytest.fixture
def api(lab: Lab) -> ApiClient:
    """A client of the laboratory's API; the recipe `welcome` is saved."""
    return ApiClient(lambda: lab.ports)
