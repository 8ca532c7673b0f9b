"""Which Tminus runs: the API, the command line and the package say the same, and nothing that is secret."""

import json
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner
from werkzeug.test import Client

from functions.version import VERSION, running
from local.cli.main import cli
from local.runtime.serving import http_server
from tests.functional.api.documented import ApiClient, document
from tests.functional.conftest import Lab

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_the_api_the_command_line_and_the_package_say_the_same(lab: Lab) -> None:
    told = ApiClient(lambda: lab.ports).data("GET", "/api/version")
    commit = f"commit {told['commit']}" if told["commit"] else "commit unknown"
    assert (told["version"], told["python"]) == (VERSION, platform.python_version())
    line = f"tminus {VERSION} ({commit}, Python {told['python']})\n"
    assert CliRunner().invoke(cli, ["--version"]).output == line
    assert VERSION == version("tminus") == document()["info"]["version"]


def test_the_local_server_says_it_at_slash_version_too(lab: Lab) -> None:
    server = http_server({}, lab.ports, "127.0.0.1", 0)
    try:
        told = Client(server.app).get("/version", headers={"Host": "localhost"})
    finally:
        server.server_close()
    assert json.loads(told.text) == vars(running())


def test_a_deployment_may_name_its_commit(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_COMMIT", COMMIT)
    assert ApiClient(lambda: lab.ports).data("GET", "/api/version")["commit"] == COMMIT


def test_what_is_no_commit_is_not_shown(tmp_path: Path) -> None:
    assert running("hunter2-is-the-password", tmp_path).commit is None


def git(folder: Path, *words: str) -> str:
    name = ["-c", "user.name=a", "-c", "user.email=a@kicks.example"]
    return subprocess.run(
        ["git", *name, *words], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_commit_of_a_checkout_is_found_on_a_branch_packed_detached_and_in_a_worktree(tmp_path: Path) -> None:
    main = tmp_path / "main"
    main.mkdir()
    git(main, "init", "--quiet")
    git(main, "commit", "--quiet", "--allow-empty", "--message", "a")
    commit = git(main, "rev-parse", "HEAD")
    assert running("", main).commit == commit
    git(main, "worktree", "add", "--quiet", str(tmp_path / "other"), "-b", "other")
    assert running("", tmp_path / "other").commit == commit
    git(main, "pack-refs", "--all")
    assert running("", main).commit == commit
    assert running("", tmp_path / "other").commit == commit
    git(main, "checkout", "--quiet", "--detach")
    assert running("", main).commit == commit
    assert running("", tmp_path).commit is None
