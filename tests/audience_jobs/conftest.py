"""What tests of audience jobs share: a real PostgreSQL."""

import os
from collections.abc import Iterator

import pytest

from local.runtime.emulators import EmulatorMissing
from tests.audience_jobs.postgres import postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of an empty PostgreSQL; where it is missing, CI fails and everybody else is told how to get it."""
    try:
        with postgres_server() as url:
            yield url
    except EmulatorMissing as problem:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(problem))
