"""Deploying a workspace, with the real terraform: what is uploaded suffices, and is checked first."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.documented import run

ROOT = Path(__file__).parents[2]
MODULE = """
variable "folder" {}
variable "command" {
  default = null
}
variable "data" {
  default = "gs://example/export"
}

module "workspace" {
  source      = "%s"
  folder      = var.folder
  check       = true
  command     = var.command
  environment = { USER_DATA_DIR = var.data }
}

output "files" {
  value = module.workspace.files
}
"""
OPENED = """
from audience_jobs.registry import all_jobs
from functions import bootstrap
workspace = bootstrap.workspace(bootstrap.process_settings())
print(workspace.name, sorted(workspace.models), [job.id for job in all_jobs(workspace)])
"""

pytestmark = pytest.mark.skipif(
    shutil.which("terraform") is None and "CI" not in os.environ,
    reason="needs terraform: developer.hashicorp.com/terraform/install",
)


class Deployment:
    """A root module around the module of the workspace, which needs no provider."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "main.tf").write_text(MODULE % (ROOT / "infra" / "modules" / "workspace"), encoding="utf-8")
        assert self._terraform("init").returncode == 0

    def apply(self, workspace: Path, command: str | None = None, **more: Path) -> subprocess.CompletedProcess[str]:
        values = [f"-var=folder={workspace}", *(f"-var={name}={value}" for name, value in more.items())]
        return self._terraform("apply", "-auto-approve", *values, *([f"-var=command={command}"] if command else []))

    @property
    def files(self) -> dict[str, str]:
        outputs: dict[str, Any] = json.loads(self._terraform("output", "-json").stdout)
        return dict(outputs["files"]["value"])

    def _terraform(self, verb: str, *options: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
        color = [] if verb == "output" else ["-input=false"]
        command = ["terraform", verb, "-no-color", *color, *options]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment | {"CHECKPOINT_DISABLE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    (folder := tmp_path / "deployment").mkdir()
    return Deployment(folder)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "infra" / "tests" / "workspace", folder := tmp_path / "fitness")
    return folder


def test_a_workspace_that_fails_its_check_is_not_deployed(deployment: Deployment, workspace: Path) -> None:
    refused = deployment.apply(workspace, "echo models/people.sql:1: wrong >&2; exit 2")
    assert refused.returncode == 1
    assert "models/people.sql:1: wrong" in refused.stdout + refused.stderr

    assert deployment.apply(workspace, "true").returncode == 0


@pytest.mark.long
@pytest.mark.slow
def test_the_check_is_tminus_check(deployment: Deployment, tmp_path: Path) -> None:
    run("tminus init club", tmp_path)
    club = tmp_path / "club"
    passed = deployment.apply(club, data=club / "data")
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "no problems in 3 tables" in passed.stdout

    people = (club / "models" / "people.sql").read_text(encoding="utf-8")
    (club / "models" / "people.sql").write_text(people.replace("p.joined", "p.left"), encoding="utf-8")
    refused = deployment.apply(club, data=club / "data")
    assert refused.returncode == 1
    assert "models/people.sql" in refused.stdout + refused.stderr


def test_the_check_runs_again_when_a_file_has_changed(
    deployment: Deployment, workspace: Path, tmp_path: Path
) -> None:
    command = f"basename $WORKSPACE >> {tmp_path / 'runs'}"
    for _ in range(2):
        assert deployment.apply(workspace, command).returncode == 0
    (workspace / "members.csv").write_text("id\n", encoding="utf-8")
    assert deployment.apply(workspace, command).returncode == 0
    assert (tmp_path / "runs").read_text(encoding="utf-8") == "fitness\n"

    (workspace / "jobs" / "everybody.sql").write_text("SELECT user_id FROM people WHERE FALSE\n", encoding="utf-8")
    assert deployment.apply(workspace, command).returncode == 0
    assert (tmp_path / "runs").read_text(encoding="utf-8") == "fitness\nfitness\n"


@pytest.mark.long
def test_functions_open_what_is_uploaded(deployment: Deployment, workspace: Path, tmp_path: Path) -> None:
    assert deployment.apply(workspace, "true").returncode == 0
    (source := tmp_path / "source").mkdir()
    for name in ("functions", "audience_jobs"):
        (source / name).symlink_to(ROOT / name)
    for name, file in deployment.files.items():
        (path := source / "workspace" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, path)

    opened = subprocess.run(
        [sys.executable, "-c", OPENED],
        cwd=source,
        env={"WORKSPACE": "workspace", "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert opened.stdout == "fitness ['devices', 'people'] ['everybody']\n", opened.stderr
