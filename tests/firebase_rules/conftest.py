"""Firebase Authentication's emulator, of firebase-tools, and Firestore's with rules.

firebase-tools would download its own Firestore emulator, and wants Java 21 for it. The one of the Google Cloud CLI
reads the same rules; so firebase-tools runs Authentication alone, which comes with it.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from local.runtime.emulators import EmulatorMissing, firestore_emulator, free_port, running

FIREBASE = Path(__file__).parent / "node_modules" / ".bin" / "firebase"
PROJECT = "demo-tminus"
"""firebase-tools asks for no credentials where a project's name begins with demo-."""
_START_SECONDS = 240.0


@pytest.fixture(scope="session", autouse=True)
def _tools() -> None:
    """Where firebase-tools is missing, CI fails and everybody else is told how to get it."""
    missing = [] if FIREBASE.exists() else ["firebase-tools"]
    missing += [] if shutil.which("node") else ["node"]
    if missing:
        told = f"{', '.join(missing)} missing: `make test-rules` installs what it can, and needs node and npm"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)


@pytest.fixture(scope="session")
def authentication(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of Firebase Authentication's emulator."""
    folder = tmp_path_factory.mktemp("authentication")
    port, hub, logging = free_port(), free_port(), free_port()
    ports = {"auth": {"port": port}, "hub": {"port": hub}, "logging": {"port": logging}, "ui": {"enabled": False}}
    (folder / "firebase.json").write_text(json.dumps({"emulators": ports}), encoding="utf-8")
    command = [str(FIREBASE), "emulators:start", "--only", "auth", "--project", PROJECT]
    command += ["--config", str(folder / "firebase.json")]
    quiet = {**os.environ, "CI": "1", "XDG_CONFIG_HOME": str(folder)}  # no question, no message of the day
    url = f"http://127.0.0.1:{port}"
    with running(command, folder / "log", url, environment=quiet, patience_seconds=_START_SECONDS):
        yield url


@pytest.fixture(scope="session")
def firestore_with(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Run a Firestore with rules, and return the address of its documents."""
    with ExitStack() as stack:

        def start(rules: str) -> str:
            folder = tmp_path_factory.mktemp("firestore")
            (folder / "firestore.rules").write_text(rules, encoding="utf-8")
            try:
                host = stack.enter_context(firestore_emulator(folder / "log", folder / "firestore.rules"))
            except EmulatorMissing as problem:
                if os.environ.get("CI"):
                    raise
                pytest.skip(str(problem))
            return f"http://{host}/v1/projects/{PROJECT}/databases/(default)/documents"

        yield start
