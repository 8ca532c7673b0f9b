"""The wheel in dist/, in an empty virtual environment, far from the checkout: `make test-wheel`."""

import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from functions.version import VERSION

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 180
IMPORT_ALL = """
import importlib, pkgutil, tminus
for module in pkgutil.walk_packages(tminus.__path__, "tminus.", onerror=lambda name: None):
    if not module.name.endswith("__main__"):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            print(error.name)
        except ImportError as error:  # from google.cloud import storage
            print(error.name + ".")
"""
"""Prints the packages that some module misses."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the programs of an environment that has the wheel, with the demo's versions of what it needs."""
    (wheel,) = (ROOT / "dist").glob("tminus-*.whl")
    home = tmp_path_factory.mktemp("wheel") / "venv"
    venv.create(home, with_pip=True)
    pip: list[str | Path] = [home / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--constraint", ROOT / "requirements-demo.txt", wheel], check=True)
    return home / "bin"


def run(*command: object, folder: Path) -> str:
    words = [str(word) for word in command]
    answer = subprocess.run(words, cwd=folder, env=_bare(), capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def _bare() -> dict[str, str]:
    """Return this process's environment without what lets Python find the checkout."""
    left_out = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if name not in left_out} | {"PYTHONUNBUFFERED": "1"}


def test_it_installs_one_package(installed: Path) -> None:
    (packages,) = (installed.parent / "lib").glob("python*/site-packages")
    (record,) = packages.glob("tminus-*.dist-info/RECORD")
    tops = {line.partition("/")[0] for line in record.read_text().splitlines()}
    assert tops == {"..", "tminus", record.parent.name}


def test_the_command_tells_the_version(installed: Path, tmp_path: Path) -> None:
    told = f"tminus {VERSION} (commit unknown, Python {sys.version.split()[0]})\n"
    assert run(installed / "tminus", "--version", folder=tmp_path) == told
    assert run(installed / "python", "-m", "tminus", "--version", folder=tmp_path) == told


def test_every_module_can_be_imported_or_misses_an_optional_package(installed: Path, tmp_path: Path) -> None:
    missing = set(run(installed / "python", "-c", IMPORT_ALL, folder=tmp_path).split())
    ours = ("tminus", "functions", "audience_jobs", "local", "main")
    assert [name for name in missing if name.partition(".")[0] in ours] == []
    assert {"firebase_admin", "pycurl"} & missing, "the environment is not empty"


def test_the_demo_runs(installed: Path, tmp_path: Path) -> None:
    assert run(installed / "tminus", "demo", folder=tmp_path).count("completed: ") == 3


def test_a_workspace_has_jobs_in_sql_and_in_python(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "tminus.toml").write_text('name = "small"')
    (tmp_path / "tables.toml").write_text('[users.columns]\nid = "id"\nnick = "text"\n')
    (tmp_path / "users.csv").write_text("id,nick\n1,ann\n")
    for name, options in (("in_sql", ()), ("in_python", ("--python",))):
        run(installed / "tminus", "jobs", "new", name, *options, folder=tmp_path)
        ran = run(installed / "tminus", "jobs", "run", name, "--data", ".", "--json", folder=tmp_path)
        assert json.loads(ran)["audiences"][0]["rows"] == [["1", "ann"]]
    code = (tmp_path / "jobs" / "in_python.py").read_text()
    assert "from audience_jobs.contract import" in code, "it works in a checkout and a deployment too"
    assert "generate_" in run(installed / "tminus", "jobs", "list", folder=tmp_path.parent)


@pytest.fixture
def url(installed: Path, tmp_path: Path) -> Iterator[str]:
    """Start `tminus up` on a free port, and return where it serves."""
    command: list[str | Path] = [installed / "tminus", "up", "--clock", "fast", "--port", "0"]
    with (tmp_path / "up.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=_bare(), stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert found, line + (tmp_path / "up.log").read_text()
            yield found[0]
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_SECONDS)


def fetch(address: str) -> str:
    with urlopen(address, timeout=PATIENCE_SECONDS) as answer:
        text: str = answer.read().decode()
    return text


def test_up_serves_the_console_with_its_stylesheet_and_the_document_of_the_api(url: str) -> None:
    page = fetch(f"{url}/console/")
    stylesheet = re.search(r'<link rel="stylesheet" href="([^"]+)"', page)
    assert "<title>" in page
    assert stylesheet
    address = stylesheet[1] if stylesheet[1].startswith("/") else f"/console/{stylesheet[1]}"
    assert "font" in fetch(url + address)
    assert json.loads(fetch(f"{url}/api/openapi.json"))["info"]["version"] == VERSION
