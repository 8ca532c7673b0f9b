"""The version of Tminus, its commit if known, and the version of Python."""

import platform
import re
from dataclasses import dataclass
from pathlib import Path

VERSION = "0.1.0"
"""The version of the package, of the API's document, and of `tminus --version`."""

_SOURCE = Path(__file__).parents[1]
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, kw_only=True)
class Version:
    """The running version; `commit` is null if unknown."""

    version: str
    commit: str | None
    python: str


def running(named: str = "", source: Path = _SOURCE) -> Version:
    """Return the running version. Its commit is the `named` one, else that of the checkout, else None.

    A `named` value that is not a commit is ignored.
    """
    commit = next((each for each in (named.strip().lower(), _checked_out(source)) if _COMMIT.fullmatch(each)), None)
    return Version(version=VERSION, commit=commit, python=platform.python_version())


def _checked_out(source: Path) -> str:
    """Return the commit of a git checkout, else an empty text.

    It reads the files, because git may not be installed.
    """
    try:
        return _head(source / ".git")
    except (OSError, ValueError):
        return ""


def _head(folder: Path) -> str:
    if folder.is_file():  # a worktree: gitrepository-layout(5)
        folder = folder.parent / folder.read_text(encoding="utf-8").partition("gitdir:")[2].strip()
    head = (folder / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref:"):
        return head
    ref, common = head.partition(":")[2].strip(), folder / "commondir"
    shared = folder / common.read_text(encoding="utf-8").strip() if common.is_file() else folder
    loose, packed = shared / ref, shared / "packed-refs"
    if loose.is_file():
        return loose.read_text(encoding="utf-8").strip()
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {ref}")), "")
