"""Whether a job yields what it declares: for the test of every job, your own too."""

import csv
import io
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from audience_jobs.contract import Audience, Engine, Job

_FORMS = {"integer": r"-?[0-9]+", "timestamp": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"}


def rows_as_declared(engine: Engine, job: Job, arguments: Mapping[str, object], *, now: datetime) -> dict[str, int]:
    """Run the job and give the number of rows of every audience; AssertionError where one is not as declared."""
    counts = {}
    with TemporaryDirectory() as folder, engine.run(job, arguments, now=now) as run:
        for audience in job.audiences:
            path = Path(folder) / "audience.csv"
            counts[audience.name] = run.write_audience(audience.name, path)
            assert run.size(audience.name) == counts[audience.name]
            check_columns(audience, path.read_text(encoding="utf-8"))
    return counts


def check_columns(audience: Audience, content: str) -> None:
    """Raise AssertionError where a CSV's header, ids or types of values are not what the audience declares."""
    lines = csv.DictReader(io.StringIO(content, newline=""))
    names = [column.name for column in audience.columns]
    assert lines.fieldnames == names, f"{audience.name}: its header is {lines.fieldnames}, it declares {names}"
    for row in lines:
        assert row["user_id"], f"{audience.name}: a row has no user_id: {row}"
        for column in audience.columns:
            form, value = _FORMS.get(column.type, "(?s:.*)"), row[column.name]
            fits = value == "" or re.fullmatch(form, value)
            assert fits, f"{audience.name}: {column.name!r} is {value!r}, it declares {column.type}"
