"""The archive of what is deployed: the same files make the same bytes, and only planned files are packed."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

PACK = Path(__file__).parents[2] / "infra" / "modules" / "source" / "pack.py"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text("MAIN = 1\n", encoding="utf-8")
    (tmp_path / "tminus.toml").write_text('name = "fitness"\n', encoding="utf-8")
    return tmp_path


def environment(tree: Path, archive: str) -> Mapping[str, str]:
    lines = [f"workspace/tminus.toml\t{tree}/tminus.toml", f"main.py\t{tree}/main.py"]
    sums = subprocess.run(["sha256sum", "main.py", "tminus.toml"], cwd=tree, capture_output=True, check=True).stdout
    named = sums.replace(b"tminus.toml", b"workspace/tminus.toml")
    digest = subprocess.run(["sha256sum"], input=named, capture_output=True, check=True).stdout.split()[0].decode()
    return {"FILES": "\n".join(lines), "DIGEST": digest, "ARCHIVE": str(tree / archive)}


def pack(variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PACK)]
    return subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)


def test_the_same_files_make_the_same_bytes(tree: Path) -> None:
    assert pack(environment(tree, "tminus-1.zip")).returncode == 0
    with zipfile.ZipFile(tree / "tminus-1.zip") as packed:
        assert packed.namelist() == ["main.py", "workspace/tminus.toml"]
        assert packed.read("main.py") == b"MAIN = 1\n"
    once = (tree / "tminus-1.zip").read_bytes()
    os.utime(tree / "main.py", (1, 1))
    (tree / "main.py").chmod(0o600)

    assert pack(environment(tree, "tminus-2.zip")).returncode == 0
    assert (tree / "tminus-2.zip").read_bytes() == once
    assert not (tree / "tminus-1.zip").exists(), "archives of earlier runs are removed"


def test_files_that_changed_after_the_plan_are_not_packed(tree: Path) -> None:
    planned = environment(tree, "tminus-1.zip")
    (tree / "main.py").write_text("MAIN = 2\n", encoding="utf-8")

    refused = pack(planned)
    assert refused.returncode == 1
    assert "have changed since Terraform planned" in refused.stderr
    assert not list(tree.glob("*.zip"))
