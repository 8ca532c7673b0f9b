"""Thousands of calls made out of the API's own document: `python -m tests.fuzz.api`, within five minutes.

schemathesis makes them, valid and invalid; no answer may be a fault of ours, of a status that the document does not
announce, or of another shape. What it is told to leave out, and why, stands in `_LEFT_OUT`.
"""

import argparse
import logging
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from functions import bootstrap, logs
from functions.domain.errors import Unauthenticated
from functions.domain.roles import Caller, Role
from functions.settings import Settings
from functions.usecases.recipes.save import save_recipe
from local.embedded.callers import LocalCallers
from local.embedded.clock import VirtualClock
from local.embedded.system import EmbeddedSystem
from local.runtime.functions import Runtime, load_functions
from local.runtime.recipe_files import read_recipe_file
from local.runtime.served import Served
from local.runtime.serving import FUNCTIONS, SOURCE, http_server
from local.sample import generate

_BEGIN = datetime(2026, 5, 4, 14, 0, tzinfo=UTC)
_LEFT_OUT = {
    "positive_data_acceptance": "what JSON schema cannot say, such as that a time zone exists, is still refused",
    "unsupported_method": "functions-framework answers OPTIONS and HEAD on its own",
}
_MOST_SECONDS = 240
_WORD = "open-sesame"


def main(arguments: list[str]) -> int:
    """Serve a sample marketplace, let schemathesis at it, and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.api", description=__doc__)
    parser.add_argument("--seconds", type=int, default=_MOST_SECONDS, help="how long at most (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="repeat the run of a seed")
    parser.add_argument(
        "--phases", default="examples,coverage,fuzzing", help="of schemathesis (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    logs.log.setLevel(logging.ERROR)
    with TemporaryDirectory(prefix="tminus-fuzz-") as name:
        folder, clock = Path(name), VirtualClock(_BEGIN)
        generate(folder / "data", users=300, seed=1, at=_BEGIN)
        settings = Settings(state_dir=folder / "state", user_data_dir=folder / "data", image_check=False)
        with closing(bootstrap.embedded(settings, clock)) as system:
            apps = _run_a_send(system, clock)
            ports = replace(system.ports, callers=_Doorkeeper())
            with Served(http_server(apps, ports, "127.0.0.1", 0)) as served:
                return _fuzz(f"{served.url}/api/openapi.json", folder, options)


class _Doorkeeper(LocalCallers):
    """Plays Callers: lets in who has the word, so that requests without it are seen to be refused."""

    def person(self, authorization: str | None, function: str) -> Caller:  # noqa: ARG002
        """Return the one caller who has the word."""
        if authorization != f"Bearer {_WORD}":
            raise Unauthenticated("there is no token that holds")
        return Caller(name="fuzz@example.com", role=Role.ADMIN)

    def visitor(self, assertion: str | None) -> Caller:
        return self.person(assertion, "console")


def _run_a_send(system: EmbeddedSystem, clock: VirtualClock) -> dict[str, Any]:
    """Let the recipes of the document's examples send once, so that there is something to look at."""
    apps = load_functions(FUNCTIONS, SOURCE)
    for path in sorted((SOURCE.parent / "local" / "recipes").glob("*.json")):
        save_recipe(system.ports, read_recipe_file(path), by="growth@example.com")
    runtime = Runtime(system.queue, system.schedules, clock, apps, lambda: bootstrap.bind(system.ports))
    runtime.run_until(_BEGIN + timedelta(hours=9))
    return apps


def _fuzz(document: str, folder: Path, options: argparse.Namespace) -> int:
    command = [sys.executable, "-m", "schemathesis.cli", "run", document, "--no-color", "--warnings=off"]
    command += [f"--max-time={options.seconds}", f"--phases={options.phases}", "--workers=2", "--request-timeout=60"]
    command += [f"--exclude-checks={','.join(_LEFT_OUT)}", "--continue-on-failure"]
    command += [f"--seed={options.seed}"] if options.seed is not None else []
    command += ["--header", f"Authorization: Bearer {_WORD}"]
    command += [f"--generation-database={folder / 'examples'}"]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "PYTHONPATH": str(SOURCE.parent)}
    return subprocess.run(command, cwd=folder, env={**os.environ, **hooks}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
