"""Run an audience job to look at its rows. Nothing is sent."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from audience_jobs.contract import Engine, Job


@dataclass(frozen=True, kw_only=True)
class FoundAudience:
    """An audience and its first rows."""

    name: str
    users: int
    columns: list[str]
    rows: list[list[str]]


def run_job(
    engine: Engine, job: Job, values: Mapping[str, object], *, now: datetime, preview: int, out: Path | None = None
) -> list[FoundAudience]:
    """Run the job and return its audiences, with the first `preview` rows of each. Their files are kept in `out`.

    AudienceJobError as in `Engine.run`.
    """
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="tminus-") as temporary, engine.run(job, values, now=now) as run:
        found = []
        for audience in job.audiences:
            path = (out or Path(temporary)) / f"{audience.name}.csv"
            users = run.write_audience(audience.name, path)
            with path.open(encoding="utf-8", newline="") as file:
                columns, *rows = islice(csv.reader(file), preview + 1)
            found.append(FoundAudience(name=audience.name, users=users, columns=columns, rows=rows))
        return found
