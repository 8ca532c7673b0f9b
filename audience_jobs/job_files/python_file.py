"""Loads jobs and data packs from Python files of a workspace: this is the team's own code, and is trusted as such."""

import sys
from collections.abc import Mapping
from hashlib import sha256
from importlib import import_module, invalidate_caches
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from audience_jobs import contract, sql
from audience_jobs.contract import DataPack, Job
from audience_jobs.errors import BadWorkspace
from audience_jobs.workspace.toml_file import Problem

_TOP = "audience_jobs"


def package_of(folder: Path, name: str) -> str:
    """Make a folder a package of this name, so that its files import each other as `from .other import ...`."""
    # A wheel has Tminus's modules below `tminus`; a job imports them by their names in a checkout and a deployment.
    for module in (contract, sql):
        sys.modules.setdefault(f"{_TOP}.{module.__name__.rpartition('.')[2]}", module)
    sys.modules.setdefault(_TOP, sys.modules[contract.__name__.rpartition(".")[0]])
    package = ModuleType(name)
    package.__path__ = [str(folder.absolute())]
    sys.modules[name] = package
    invalidate_caches()
    return name


def read_python_file(path: Path, package: str) -> Job | None:
    """Return the `JOB` of a file, or None without one. Raises BadWorkspace with the line where it does not load."""
    job = _read(path, package, "JOB")
    if job is None or isinstance(job, Job):
        return job
    raise BadWorkspace([str(Problem(path, 1, f"its JOB is a {type(job).__name__}, not a Job"))])


def read_data_packs(path: Path) -> Mapping[str, DataPack]:
    """Return the `DATA_PACKS` of a file, a tuple, by their names. Raises BadWorkspace as `read_python_file` does."""
    digest = sha256(repr((path.absolute(), path.stat().st_mtime_ns)).encode()).hexdigest()
    packs = _read(path, package_of(path.parent, f"tminus_packs_{digest[:16]}"), "DATA_PACKS")
    if not isinstance(packs, tuple) or not all(isinstance(pack, DataPack) for pack in packs):
        raise BadWorkspace([str(Problem(path, 1, "has no DATA_PACKS, a tuple of DataPack"))])
    found = {pack.name: pack for pack in packs}
    if len(found) < len(packs):
        raise BadWorkspace([str(Problem(path, 1, "has two data packs of one name: rename one"))])
    return found


def _read(path: Path, package: str, name: str) -> Any:
    """Load a file, and return what it calls by a name; None without that."""
    try:
        return getattr(import_module(f"{package}.{path.stem}"), name, None)
    except Exception as error:  # whatever a module does at import, the answer has to name its file
        reason = f"does not load: {type(error).__name__}: {error}"
        raise BadWorkspace([str(Problem(path, _line_of(error, path), " ".join(reason.split())))]) from error


def _line_of(error: Exception, path: Path) -> int:
    """Return the line of a file that an error came through last."""
    file = str(path.absolute())
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno or 1
    lines = [frame.lineno or 1 for frame in extract_tb(error.__traceback__) if frame.filename == file]
    return lines[-1] if lines else 1
