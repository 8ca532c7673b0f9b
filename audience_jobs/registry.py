"""The registry of audience jobs: the files in `jobs/` of a workspace, one a job, in SQL or in Python."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from audience_jobs.contract import Job
from audience_jobs.errors import UnknownJob
from audience_jobs.job_files import PYTHON, SQL
from audience_jobs.schema import Tables
from audience_jobs.workspace import Workspace

FOLDER = "jobs"
"""The folder of a workspace that has its jobs."""
_Stamps = Mapping[Path, tuple[int, int]]
"""The files that may have jobs, each with what changes when it is written."""


@dataclass(frozen=True)
class _Found:
    """The jobs of a folder over these tables, as its files were then."""

    tables: Tables
    stamps: _Stamps
    jobs: Mapping[Path, Job]

    def unchanged(self, stamps: _Stamps) -> Mapping[Path, Job]:
        """Return the jobs of the SQL files that are as they were; files in Python may read each other."""
        same = (path for path in self.jobs if path.suffix == SQL and stamps.get(path) == self.stamps[path])
        return {path: self.jobs[path] for path in same}


_found: dict[Path, _Found] = {}


def all_jobs(workspace: Workspace) -> tuple[Job, ...]:
    """Return the jobs of a workspace, in the order of their ids; files that changed since the last call are read.

    Raises BadWorkspace with the problems of all files. One broken file is an error for every job: it should show at
    deployment, not half an hour before a push.
    """
    folder, tables = workspace.folder / FOLDER, workspace.tables
    stamps, found = dict(_stamps(folder)), _found.get(folder)
    if found is None or found.tables is not tables or found.stamps != stamps:
        from audience_jobs.job_files.folder import read_folder  # noqa: PLC0415 - most functions need no tomllib

        known = found.unchanged(stamps) if found is not None and found.tables is tables else {}
        found = _found[folder] = _Found(tables, stamps, read_folder(folder, stamps, workspace, known))
    return tuple(sorted(found.jobs.values(), key=lambda job: job.id))


def find(job_id: str, workspace: Workspace) -> Job:
    """Return the job of that id; raise UnknownJob, which suggests the closest one, or BadWorkspace as `all_jobs`."""
    jobs = {job.id: job for job in all_jobs(workspace)}
    if job_id not in jobs:
        raise UnknownJob(job_id, jobs)
    return jobs[job_id]


def _stamps(folder: Path) -> Iterator[tuple[Path, tuple[int, int]]]:
    """Yield the files that may have jobs; `_` begins those that never do."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix.lower() in (SQL, PYTHON) and path.name[0] not in "._" and path.is_file():
            with suppress(FileNotFoundError):  # an editor replaces it now
                stat = path.stat()
                yield path, (stat.st_mtime_ns, stat.st_size)
