"""Reads the files of a folder of jobs."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from audience_jobs.contract import Job
from audience_jobs.errors import BadWorkspace
from audience_jobs.job_files import NAME, PYTHON, SQL
from audience_jobs.workspace import Workspace
from audience_jobs.workspace.toml_file import Problem


def read_folder(
    folder: Path, files: Mapping[Path, object], workspace: Workspace, known: Mapping[Path, Job]
) -> Mapping[Path, Job]:
    """Return the job of each file that has one; `known` are those of some files in SQL.

    Each file comes with what changes when it is written. Raises BadWorkspace with the problems of all files.
    """
    reading = _Reading(folder, files, workspace, known)
    reading.read_all()
    if reading.problems:
        raise BadWorkspace(reading.problems)
    return reading.jobs


class _Reading:
    """Reads file by file, and notes in `problems` what is wrong."""

    def __init__(
        self, folder: Path, files: Mapping[Path, object], workspace: Workspace, known: Mapping[Path, Job]
    ) -> None:
        self._folder, self._files, self._workspace, self._known = folder, files, workspace, known
        self._package = ""
        self.jobs: dict[Path, Job] = {}
        self.problems: list[str] = []

    def read_all(self) -> None:
        """Read the files."""
        names: dict[str, Path] = {}
        for path in self._files:
            try:
                job = self._job(path)
            except BadWorkspace as error:
                self.problems += error.problems
                continue
            if (other := names.setdefault(path.stem, path)) != path:
                self._note(path, f"{other.name} has the same name: rename one of them")
            elif job is not None:
                self._check_id(path, job)
                self.jobs[path] = job

    def _job(self, path: Path) -> Job | None:
        if not NAME.fullmatch(path.stem) or path.suffix not in (SQL, PYTHON):
            reason = "cannot be a job's name: write lower case letters, digits and _, a letter first"
            raise BadWorkspace([str(Problem(path, 1, reason))])
        return self._python_job(path) if path.suffix == PYTHON else self._sql_job(path)

    def _check_id(self, path: Path, job: Job) -> None:
        for other, known in self.jobs.items():
            if known.id == job.id:
                self._note(path, f"its id {job.id!r} is already that of {other.name}: give it another")

    def _sql_job(self, path: Path) -> Job:
        if path in self._known:
            return self._known[path]
        from audience_jobs.job_files.sql_file import read_sql_file  # noqa: PLC0415 - sqlglot takes a while to load

        return read_sql_file(path, self._workspace.models)

    def _python_job(self, path: Path) -> Job | None:
        from audience_jobs.job_files.python_file import package_of, read_python_file  # noqa: PLC0415 - as above

        if not self._package:
            digest = sha256(repr((self._folder.absolute(), self._files)).encode()).hexdigest()
            self._package = package_of(self._folder, f"tminus_jobs_{digest[:16]}")
        return read_python_file(path, self._package)

    def _note(self, path: Path, reason: str) -> None:
        self.problems.append(str(Problem(path, 1, reason)))
