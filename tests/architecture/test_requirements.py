"""What `make demo` and the functions install is a part of what developing installs, and enough for each of them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT = """
import importlib.abc
import re
import sys
from importlib.metadata import packages_distributions

kept = {kept!r}
left_out = {{
    module for module, packages in packages_distributions().items()
    if not any(re.sub("[-_.]+", "-", package).lower() in kept for package in packages)
}} - {{"tminus", "local", "functions", "audience_jobs", "main"}}

class LeftOut(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        googles = name.startswith("google.") and not "google.cloud.functions".startswith(name[:22])
        if googles or name.partition(".")[0] in left_out:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, LeftOut())
from local.cli.main import main
sys.argv = ["tminus", *{args!r}]
main()
"""


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ONLY_THE_COMMAND_LINE = {"click", "httpx", "rich"}


def pins(name: str) -> set[str]:
    lines = (ROOT / name).read_text().splitlines()
    named = (line.removesuffix(" \\") for line in lines if line and not line.startswith(("#", " ")))
    return {line.lower().replace("_", "-") for line in named}


def test_the_demo_installs_pins_that_developing_installs_too() -> None:
    assert pins("requirements-demo.txt") <= pins("requirements-dev.txt")
    named = {line.partition("==")[0] for line in pins("requirements-demo.txt")}
    assert {name_of(each) for each in PROJECT["dependencies"]} <= named
    assert not named & {"pandas", "pyarrow", "playwright", "pytest", "firebase-admin", "google-cloud-bigquery"}


def name_of(requirement: str) -> str:
    return re.split(r"[\[=<>~ ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_the_functions_install_what_the_package_needs_in_the_cloud_without_the_command_line() -> None:
    package = {*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["cloud"]}
    assert pins("requirements.in") == {each for each in package if name_of(each) not in ONLY_THE_COMMAND_LINE}
    assert pins("requirements.txt") <= pins("requirements-dev.txt")


def run(*args: object) -> subprocess.CompletedProcess[str]:
    """Run a command where only the packages of the demo can be imported."""
    kept = sorted(line.partition("==")[0] for line in pins("requirements-demo.txt"))
    code = WITHOUT.format(kept=kept, args=[str(arg) for arg in args])
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.long
def test_the_demo_runs_on_them(tmp_path: Path) -> None:
    answer = run("demo", "--folder", tmp_path / "demo")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("completed: ") == 3


@pytest.mark.slow
@pytest.mark.parametrize("place", ["gs://kicks/exports"])
def test_what_takes_more_says_how_to_get_it(place: str) -> None:
    answer = run("jobs", "run", "generate_new_user_waterfall", "--data", place)
    assert (answer.returncode, answer.stderr.count("\n")) == (2, 1)
    assert "run make setup" in answer.stderr
