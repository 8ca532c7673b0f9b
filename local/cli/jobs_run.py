"""What `tminus jobs run` does: run a job for nothing but a look at its rows."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from audience_jobs.contract import Engine, Job, Value
from functions.domain.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Found:
    """An audience that a job found: the number of its `users`, and the first `rows` of its file."""

    name: str
    users: int
    columns: list[str]
    rows: list[list[str]]

    def lines(self) -> Iterator[str]:
        """Give the rows as lines of equal columns, for people. What would move a terminal's cursor becomes a `?`."""
        table = [[_shown(value) for value in row] for row in [self.columns, *self.rows]] if self.rows else []
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for row in table:
            yield "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip()


def read_values(job: Job, given: Sequence[str]) -> dict[str, Value]:
    """Read `name=value` as the job's parameters are typed. Raises BadInput for what has no `=` or not the type."""
    types = {parameter.name: parameter.type for parameter in job.parameters}
    values: dict[str, Value] = {}
    for assignment in given:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise BadInput(f"--param {assignment!r}: write NAME=VALUE")
        if name in values:
            raise BadInput(f"--param {name} is given twice")
        values[name] = _value(name, text, types.get(name, "text"))
    return values


def run_job(
    engine: Engine, job: Job, values: dict[str, Value], *, now: datetime, preview: int, out: Path | None
) -> list[Found]:
    """Run the job and give its audiences, with the first `preview` rows of each; `out` keeps their files."""
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="tminus-") as temporary, engine.run(job, values, now=now) as run:
        found = []
        for audience in job.audiences:
            path = (out or Path(temporary)) / f"{audience.name}.csv"
            users = run.write_audience(audience.name, path)
            with path.open(encoding="utf-8", newline="") as file:
                columns, *rows = islice(csv.reader(file), preview + 1)
            found.append(Found(name=audience.name, users=users, columns=columns, rows=rows))
        return found


def _value(name: str, text: str, type_: str) -> Value:
    if type_ == "integer":
        try:
            return int(text)
        except ValueError:
            raise BadInput(f"--param {name}: {text!r} is no whole number") from None
    if type_ == "boolean":
        if text not in ("true", "false"):
            raise BadInput(f"--param {name}: {text!r} is neither true nor false")
        return text == "true"
    return text


def _shown(value: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in value)
