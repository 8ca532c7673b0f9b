"""The registry of audience jobs: every module in `audience_jobs/jobs/` with a `JOB`."""

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType

from audience_jobs.contract import Job
from audience_jobs.errors import BadJob, UnknownJob


def all_jobs() -> tuple[Job, ...]:
    """Return every job, in the order of their ids. Raises BadJob with the file's name if one does not load."""
    return jobs_in("audience_jobs.jobs")


def find(job_id: str) -> Job:
    """Return the job of that id, or raise UnknownJob, which suggests the closest one."""
    jobs = {job.id: job for job in all_jobs()}
    if job_id not in jobs:
        raise UnknownJob(job_id, jobs)
    return jobs[job_id]


@cache
def jobs_in(package: str) -> tuple[Job, ...]:
    """Return the jobs of a package's modules, in the order of their ids.

    One broken module is an error for all of them: it should show at deployment, not half an hour before a push.
    """
    files: dict[str, Path] = {}
    jobs: list[Job] = []
    for path in importlib.import_module(package).__path__:
        for module in pkgutil.iter_modules([path]):
            file = Path(path) / f"{module.name}.py"
            job = getattr(_loaded(f"{package}.{module.name}", file), "JOB", None)
            if job is not None:
                jobs.append(_checked(job, file, files))
    return tuple(sorted(jobs, key=lambda job: job.id))


def _loaded(name: str, file: Path) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # whatever a module does at import, the answer has to name its file
        raise BadJob(str(file), f"does not load: {type(error).__name__}: {error}") from error


def _checked(job: object, file: Path, files: dict[str, Path]) -> Job:
    if not isinstance(job, Job):
        raise BadJob(str(file), f"its JOB is a {type(job).__name__}, not a Job")
    if job.id in files:
        raise BadJob(str(file), f"its id {job.id!r} is already that of {files[job.id]}: give it another")
    files[job.id] = file
    return job
