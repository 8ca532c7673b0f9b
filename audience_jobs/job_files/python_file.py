"""Loads jobs from Python files of a workspace: what they do is the team's own code, and is trusted as such."""

import sys
from importlib import import_module, invalidate_caches
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

from audience_jobs import contract, sql
from audience_jobs.contract import Job
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
    try:
        job = getattr(import_module(f"{package}.{path.stem}"), "JOB", None)
    except Exception as error:  # whatever a module does at import, the answer has to name its file
        reason = f"does not load: {type(error).__name__}: {error}"
        raise BadWorkspace([str(Problem(path, _line_of(error, path), " ".join(reason.split())))]) from error
    if job is None or isinstance(job, Job):
        return job
    raise BadWorkspace([str(Problem(path, 1, f"its JOB is a {type(job).__name__}, not a Job"))])


def _line_of(error: Exception, path: Path) -> int:
    """Return the line of a file that an error came through last."""
    file = str(path.absolute())
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno or 1
    lines = [frame.lineno or 1 for frame in extract_tb(error.__traceback__) if frame.filename == file]
    return lines[-1] if lines else 1
