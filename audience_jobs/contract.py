"""What an audience job declares, and what an engine does with it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from audience_jobs.errors import BadParameter, UnknownAudience
from audience_jobs.schema import Tables

Value = int | bool | str
LAYERS = range(1, 10)
"""The classes of push."""
DEVICES_FILE = ("user_id", "token", "platform", "updated_at", "fid", "locale")
"""The columns of a file of devices; see JobRun.write_devices."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of a job that a recipe may set; the job's SQL reads it as `$name`.

    Without a `default` a recipe has to give it. `minimum` and `maximum` (inclusive) bound integers. `meaning` tells
    marketers what the parameter does, including the unit.
    """

    name: str
    type: Literal["integer", "boolean", "text"]
    default: Value | None = None
    minimum: int | None = None
    maximum: int | None = None
    meaning: str

    def __post_init__(self) -> None:
        if self.default is not None and not self.accepts(self.default):
            raise ValueError(f"parameter {self.name!r}: its default {self.default!r} is not {self.expected}")

    @property
    def expected(self) -> str:
        """The allowed values in words: "a whole number from 1 to 8760"."""
        if self.type != "integer":
            return "true or false" if self.type == "boolean" else "a text"
        low = "" if self.minimum is None else f" from {self.minimum}"
        high = "" if self.maximum is None else f" up to {self.maximum}"
        return f"a whole number{low}{high}"

    def accepts(self, value: object) -> bool:
        """Whether `value` has the parameter's type and is within its bounds."""
        if self.type == "boolean" or isinstance(value, bool):
            return self.type == "boolean" and isinstance(value, bool)
        if self.type == "text" or not isinstance(value, int):
            return self.type == "text" and isinstance(value, str)
        low_enough = self.maximum is None or value <= self.maximum
        return low_enough and (self.minimum is None or value >= self.minimum)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of an audience's CSV, which a push's template can use as `[[var:name]]`."""

    name: str
    type: Literal["text", "integer", "timestamp"]
    meaning: str


@dataclass(frozen=True, kw_only=True)
class DataPack:
    """Columns that a recipe's `dataPacks` adds to an audience by name. Users without a row in its table are left out.

    `queries` gives, for the name of a WITH query of distinct `user_id`, WITH queries of which the last is called
    `table`; it has at most one row a user. `shared` are WITH queries that come before, once for all packs that have
    the same. `columns` are what the pack adds, each with its expression over that table. `words` say what a user has
    who is not left out.
    """

    name: str
    table: str
    queries: Callable[[str], str]
    shared: tuple[str, ...] = ()
    columns: tuple[tuple[Column, str], ...]
    words: str


@dataclass(frozen=True, kw_only=True)
class Audience:
    """One CSV that a job writes: its columns in order, `user_id` first."""

    name: str
    columns: tuple[Column, ...]
    meaning: str

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if names[:1] != ["user_id"]:
            raise ValueError(f"audience {self.name!r}: its first column has to be user_id")
        _no_repeats(f"audience {self.name!r} declares column", names)


@dataclass(frozen=True, kw_only=True)
class Check:
    """A rule for a job's result.

    `failing_sql` is one SELECT of one number: how many rows break the rule (0 passes). It may read the source tables,
    the parameters and the job's result as `job_rows`. `meaning` says what is wrong when it fails, and what to do.
    """

    name: str
    failing_sql: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """The maximum age of user data: the newest `column` of `table` (a timestamp) is at most `hours` old."""

    table: str
    column: str
    hours: int

    def check(self, tables: Tables) -> None:
        """Raise ValueError where the tables have no such timestamp."""
        if tables.lacking({self.table: {self.column: "timestamp"}}):
            raise ValueError(f"freshness: {self.table}.{self.column} is not a timestamp of the source tables")


@dataclass(frozen=True, kw_only=True)
class Job:
    """A named job that makes audiences from user data.

    `sql` is one SELECT that yields a column `audience` (one of the declared names) and every column that any audience
    declares, NULL where it does not apply. It is written in PostgreSQL's dialect and translated for each engine. It
    reads its parameters as `$name` and the execution's time as `$now` (UTC, without zone), and never the current
    time. `layer` is the class of push (1 to 9) for which the audiences are meant. Data older than `freshness` allows
    build no audience.
    """

    id: str
    title: str
    layer: int
    parameters: tuple[Parameter, ...]
    audiences: tuple[Audience, ...]
    sql: str
    checks: tuple[Check, ...] = ()
    freshness: Freshness | None = None

    def __post_init__(self) -> None:
        if not self.audiences:
            raise ValueError(f"{self.id} declares no audience")
        if self.layer not in LAYERS:
            raise ValueError(f"{self.id} has layer {self.layer}: layers go from 1 to 9")
        _no_repeats(f"{self.id} declares audience", [audience.name for audience in self.audiences])
        _no_repeats(f"{self.id} declares parameter", ["now", *(p.name for p in self.parameters)])
        columns = {(c.name, c.type) for audience in self.audiences for c in audience.columns}
        _no_repeats(f"{self.id} gives different types to column", [name for name, _ in sorted(columns)])

    def audience(self, name: str) -> Audience:
        """Return the audience of that name, or raise UnknownAudience."""
        for audience in self.audiences:
            if audience.name == name:
                return audience
        raise UnknownAudience(self.id, name, [audience.name for audience in self.audiences])

    def arguments(self, given: Mapping[str, object]) -> dict[str, Value]:
        """Return a value for every parameter: the recipe's, else the default.

        The spelling of old recipes (`lookbackHours`) is accepted for `lookback_hours`. A null counts as missing.
        Raises BadParameter for a name that the job lacks, a wrong type, a value out of bounds, a missing value.
        """
        named = self._named(given)
        return {p.name: self._argument(p, named.get(p.name)) for p in self.parameters}

    def _named(self, given: Mapping[str, object]) -> dict[str, object]:
        known = [parameter.name for parameter in self.parameters]
        named: dict[str, object] = {}
        for spelling, value in given.items():
            name = re.sub(r"(?<!^)([A-Z])", r"_\1", spelling).lower()
            if name not in known:
                reason = f"is unknown; known: {', '.join(known) or 'none'}"
                raise BadParameter(self.id, spelling, reason)
            if name in named:
                raise BadParameter(self.id, spelling, f"is given twice: keep {name!r} only")
            named[name] = value
        return named

    def _argument(self, parameter: Parameter, given: object) -> Value:
        value = parameter.default if given is None else given
        if value is None:
            raise BadParameter(self.id, parameter.name, f"is missing: give {parameter.expected}")
        if not isinstance(value, Value) or not parameter.accepts(value):
            raise BadParameter(self.id, parameter.name, f"is {value!r}: give {parameter.expected}")
        return value


class JobRun(Protocol):
    """The result of one run of a job, to be written audience by audience."""

    def size(self, audience: str) -> int:
        """Return the audience's number of rows, before it is written."""

    def write_audience(self, audience: str, path: Path) -> int:
        """Write the audience's CSV, sorted by md5 of user_id, and return its number of rows.

        UTF-8, comma-separated, header first, `\\n` line ends, NULL as an empty field, timestamps as
        `2026-11-23T18:00:00Z`. The same data give the same bytes.
        """

    def write_devices(
        self, audience: str, path: Path, *, per_user: int, topic: str | None = None, locales: bool = False
    ) -> int:
        """Write DEVICES_FILE for the audience's users, and return the number of rows.

        Sorted like the audience; at most `per_user` tokens a user, the most recently updated first. A token belongs
        only to the user who registered it last. White space around it is removed. A user who opted out of all pushes,
        or of a `topic`, has one row instead, with an empty token and the platform `opted_out`; with None no opt-out
        counts. `updated_at` is when the device was registered last, in seconds since 1970, empty if unknown. `fid` is
        1 where the token is a Firebase installation ID. `locale` is empty where `locales` are not asked for, or the
        workspace does not know them.
        """


class Engine(Protocol):
    """A system that has the user data and runs jobs."""

    def run(self, job: Job, arguments: Mapping[str, object], *, now: datetime) -> AbstractContextManager[JobRun]:
        """Run the job once, as of `now` (aware). Leaving the context frees all resources of the run.

        Raises an AudienceJobError if the parameters, the data or the job's own checks do not allow it, and
        Unavailable for temporary problems. The methods of the run raise the same errors.
        """

    def write_devices_of(
        self, user_ids: Sequence[str], path: Path, *, per_user: int, topic: str | None = None, locales: bool = False
    ) -> int:
        """Write the devices of these users, as JobRun.write_devices does.

        UUIDs match whatever their case, and ids without the white space around them; `user_id` is written as given.
        """

    def within(self, seconds: float) -> "Engine":
        """Return the same engine, whose statements all end within `seconds` from now; an earlier limit stays."""


def _no_repeats(what: str, names: Iterable[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise ValueError(f"{what} {name!r} {times} times")
