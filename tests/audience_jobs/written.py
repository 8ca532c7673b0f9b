"""What an engine writes for a job, to compare engines by."""

from pathlib import Path
from typing import Any

from audience_jobs.contract import Audience, Column, Engine, Job, Parameter
from tests.audience_jobs.worlds import NOW


def sample_job(sql: str, *, parameters: tuple[Parameter, ...] = (), **types: Any) -> Job:
    """Declare a job of one audience, `all`, of these columns: user_id and what else is named."""
    columns = [Column(name=name, type=kind, meaning="") for name, kind in ({"user_id": "text"} | types).items()]
    audience = Audience(name="all", columns=tuple(columns), meaning="")
    return Job(id="sample", title="", layer=1, audiences=(audience,), sql=sql, parameters=parameters)


def written(engine: Engine, job: Job, folder: Path, **arguments: object) -> dict[str, bytes]:
    """Give the bytes of all files that a job writes."""
    files = {}
    with engine.run(job, arguments, now=NOW) as run:
        for audience in job.audiences:
            assert run.size(audience.name) == run.write_audience(audience.name, folder / "audience.out")
            run.write_devices(audience.name, folder / "devices.out", per_user=2)
            files[audience.name] = (folder / "audience.out").read_bytes()
            files[f"devices of {audience.name}"] = (folder / "devices.out").read_bytes()
    return files
