"""What tests of generated clients share: the generators, the API's document, and a system that serves it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audience_jobs.workspace import marketplace
from functions import bootstrap
from functions.handlers.api.openapi import openapi
from functions.handlers.api.table import ROUTES
from functions.settings import Settings
from local.embedded.clock import VirtualClock
from local.runtime.functions import load_functions
from local.runtime.served import Served
from local.runtime.serving import FUNCTIONS, SOURCE, http_server
from local.sample import generate
from tests.factories import DEFAULT_LAYERS, DEFAULT_RULES

HERE = Path(__file__).parent
PYTHON_TOOLS, NODE_TOOLS = HERE / ".venv" / "bin", HERE / "node_modules" / ".bin"
_NOW = datetime(2026, 5, 4, 14, 0, tzinfo=UTC)


@pytest.fixture(scope="session", autouse=True)
def _tools() -> None:
    """Where the generators are missing, CI fails and everybody else is told how to get them."""
    tools = (PYTHON_TOOLS / "openapi-python-client", NODE_TOOLS / "openapi-typescript", NODE_TOOLS / "tsc")
    missing = [str(tool.relative_to(HERE)) for tool in tools if not tool.exists()]
    missing += [] if shutil.which("node") else ["node"]
    if missing:
        told = f"{', '.join(missing)} missing: `make test-api-clients` installs what it can, and needs node and npm"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)


@pytest.fixture(scope="session")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The API's document, as a file."""
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    rules, filters = [rule.name for rule in DEFAULT_RULES], [*marketplace().filters.values()]
    path.write_text(json.dumps(openapi(ROUTES, DEFAULT_LAYERS, rules, filters)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an embedded system with a few hundred users, on a free port."""
    folder, clock = tmp_path_factory.mktemp("system"), VirtualClock(_NOW)
    generate(folder / "data", users=300, seed=1, at=_NOW)
    settings = Settings(state_dir=folder / "state", user_data_dir=folder / "data")
    with closing(bootstrap.embedded(settings, clock)) as system:
        system.ports.recipes.change("by-hand", lambda _: {"id": "by-hand", "schedule": "x", "pushSequence": 5})
        server = http_server(load_functions(FUNCTIONS, SOURCE), system.ports, "127.0.0.1", 0)
        with Served(server) as served:
            yield served.url


def run(command: Sequence[str | Path], folder: Path) -> str:
    """Run a command in a folder and return all that it says; where it fails the test fails with that."""
    path = f"{PYTHON_TOOLS}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1", "COLUMNS": "200"}
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr
