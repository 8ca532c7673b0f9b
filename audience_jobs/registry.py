"""The registry of audience jobs: the files in `jobs/` of a workspace, one a job, in SQL or in Python."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from audience_jobs.contract import Job
from audience_jobs.errors import BadWorkspace, UnknownJob
from audience_jobs.schema import Tables
from audience_jobs.workspace import Workspace
from audience_jobs.workspace.toml_file import Problem

FOLDER = "jobs"
"""The folder of a workspace that has its jobs."""
JOB_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
"""What a job's file may be called, without its ending."""
_SQL, _PYTHON = ".sql", ".py"
_Stamps = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class _Kept:
    """What a folder had when its jobs were read."""

    tables: Tables
    stamps: _Stamps
    jobs: tuple[Job, ...]


_kept: dict[Path, _Kept] = {}


def all_jobs(workspace: Workspace) -> tuple[Job, ...]:
    """Return the jobs of a workspace, in the order of their ids; files that changed since the last call are read.

    Raises BadWorkspace with the problems of all files. One broken file is an error for every job: it should show at
    deployment, not half an hour before a push.
    """
    folder, tables = workspace.folder / FOLDER, workspace.tables
    stamps = tuple(_stamp(path) for path in _files(folder))
    kept = _kept.get(folder)
    if kept is None or kept.tables is not tables or kept.stamps != stamps:
        kept = _kept[folder] = _Kept(tables, stamps, _read(folder, tables, stamps))
    return kept.jobs


def find(job_id: str, workspace: Workspace) -> Job:
    """Return the job of that id; raise UnknownJob, which suggests the closest one, or BadWorkspace as `all_jobs`."""
    jobs = {job.id: job for job in all_jobs(workspace)}
    if job_id not in jobs:
        raise UnknownJob(job_id, jobs)
    return jobs[job_id]


def _files(folder: Path) -> list[Path]:
    """Return the files that may have jobs; `_` begins those that never do."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.suffix.lower() in (_SQL, _PYTHON) and path.name[0] not in "._")


def _stamp(path: Path) -> tuple[str, int, int]:
    """Return what changes with a file."""
    found = path.stat()
    return path.name, found.st_mtime_ns, found.st_size


def _read(folder: Path, tables: Tables, stamps: _Stamps) -> tuple[Job, ...]:
    reading = _Reading(folder, tables, stamps)
    files = [folder / name for name, *_ in stamps]
    jobs = [(path, job) for path in files for job in reading.jobs_of(path)]
    reading.check_names(files)
    reading.check_ids(jobs)
    if reading.problems:
        raise BadWorkspace(reading.problems)
    return tuple(sorted((job for _, job in jobs), key=lambda job: job.id))


class _Reading:
    """Reads the files one by one, and notes in `problems` what is wrong with them."""

    def __init__(self, folder: Path, tables: Tables, stamps: _Stamps) -> None:
        self._folder, self._tables, self._stamps = folder, tables, stamps
        self._package = ""
        self.problems: list[str] = []

    def jobs_of(self, path: Path) -> Iterator[Job]:
        """Yield the job of a file, if it has one."""
        try:
            job = self._sql_job(path) if path.suffix == _SQL else self._python_job(path)
        except BadWorkspace as error:
            self.problems += error.problems
        else:
            if job is not None:
                yield job

    def check_names(self, files: Sequence[Path]) -> None:
        """Note two files of one name; a job's name is its file's."""
        seen: dict[str, Path] = {}
        for path in files:
            if (other := seen.setdefault(path.stem, path)) is not path:
                self._note(path, f"{other.name} has the same name: rename one of them")

    def check_ids(self, jobs: Sequence[tuple[Path, Job]]) -> None:
        """Note two jobs of one id, unless their files have one name already."""
        seen: dict[str, Path] = {}
        for path, job in jobs:
            other = seen.setdefault(job.id, path)
            if other.stem != path.stem:
                self._note(path, f"its id {job.id!r} is already that of {other.name}: give it another")

    def _sql_job(self, path: Path) -> Job:
        from audience_jobs.job_files.sql_file import read_sql_file  # noqa: PLC0415 - sqlglot takes a while to load

        _check_name(path)
        return read_sql_file(path, self._tables)

    def _python_job(self, path: Path) -> Job | None:
        from audience_jobs.job_files.python_file import package_of, read_python_file  # noqa: PLC0415 - as above

        _check_name(path)
        if not self._package:
            digest = sha256(repr((self._folder.resolve(), self._stamps)).encode()).hexdigest()
            self._package = package_of(self._folder, f"tminus_jobs_{digest[:16]}")
        return read_python_file(path, self._package)

    def _note(self, path: Path, reason: str) -> None:
        self.problems.append(str(Problem(path, 1, reason)))


def _check_name(path: Path) -> None:
    if not JOB_NAME.fullmatch(path.stem) or path.suffix not in (_SQL, _PYTHON):
        reason = "cannot be a job's name: write lower case letters, digits and _, a letter first"
        raise BadWorkspace([str(Problem(path, 1, reason))])
