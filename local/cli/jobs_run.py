"""Input and output of `tminus jobs run`."""

from collections.abc import Iterator, Sequence

from audience_jobs.contract import Job, Value
from functions.domain.errors import BadInput
from functions.usecases.dry_run.run_job import FoundAudience


def lines_of(found: FoundAudience) -> Iterator[str]:
    """Return the rows as lines with aligned columns. Characters that move a terminal's cursor become `?`."""
    table = [[_shown(value) for value in row] for row in [found.columns, *found.rows]] if found.rows else []
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip()


def read_values(job: Job, given: Sequence[str]) -> dict[str, Value]:
    """Read `name=value` by the types of the job's parameters; BadInput without `=` or with a wrong type."""
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


def _value(name: str, text: str, type_: str) -> Value:
    if type_ == "integer":
        try:
            return int(text)
        except ValueError:
            raise BadInput(f"--param {name}: {text!r} is not a whole number") from None
    if type_ == "boolean":
        if text not in ("true", "false"):
            raise BadInput(f"--param {name}: {text!r} is neither true nor false")
        return text == "true"
    return text


def _shown(value: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in value)
