"""Runs what the pages of docs/ show."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a page in a language, in their order: `sh` are commands that run."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [content for found, content in _BLOCK.findall(text) if found == language]


def named_files(page: str) -> Mapping[str, str]:
    """The blocks of a page that begin with a comment which names a file: their content by its name."""
    found = {}
    for content in blocks(page, "toml") + blocks(page, "sql"):
        if name := re.match(r"(?:#|--) (\S+\.(?:toml|sql))\n", content):
            found[name[1]] = content
    return found


def run(commands: str, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run commands in a folder, with this Python's tminus first on the path, and return what they print."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-eu", "-c", commands],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
    return done.stdout
