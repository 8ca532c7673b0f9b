"""Some people of an audience, to show a push with their values, and how many people have no value in a column."""

import csv
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from functions.domain.errors import BadAudience, BadRecipe
from functions.domain.execution.execution import Execution
from functions.domain.recipe.read import Recipe, read
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.dry_run.query_audience import PREVIEW_SECONDS
from functions.usecases.dry_run.run_job import run_job
from functions.usecases.recipes.audience import recipe_job

_FIRST = _RANDOM = 10
_MOST_CHARACTERS = 100_000
"""Of all rows of an audience together: a form carries them."""
_LONGEST_VALUE = 5_000
"""Longer than any message."""
_LATEST = 12
Row = Sequence[str]


@dataclass(frozen=True, kw_only=True)
class SamplePeople:
    """People of an audience: the first ones, some at random, and by column those with its extremes.

    `empty` counts the people without a value by column, of all `users`. `source` says where the rows come from.
    """

    audience: str
    users: int
    columns: Sequence[str]
    empty: Mapping[str, int]
    rows: Sequence[Row]
    source: str = ""

    def mapped(self, row: Row) -> dict[str, str]:
        """Return a row by column."""
        return dict(zip(self.columns, row, strict=True))


def load_people(ports: Ports, recipe: Recipe, *, saved_as: str = "", person: str = "") -> list[SamplePeople]:
    """Return people of each audience of a recipe; `person` is the id of one to have among them.

    They come from the last audiences built for the saved recipe `saved_as` if it asked for the same people. Otherwise
    a query finds them now, within a minute. BadRecipe names invalid criteria, AudienceJobError as in `Engine.run`.
    """
    return _built(ports, recipe, saved_as, person) or _queried(ports, recipe, person)


def last_people(ports: Ports, recipe: Recipe) -> list[SamplePeople]:
    """Return people of each audience that a saved recipe built last; none after its files were deleted."""
    return _built(ports, recipe, recipe.id, "")


def write_people(found: Sequence[SamplePeople]) -> str:
    """Return people as a text for `read_people`."""
    return json.dumps([asdict(each) for each in found], ensure_ascii=False, separators=(",", ":")) if found else ""


def read_people(text: str) -> list[SamplePeople]:
    """Return the people of a text; none if it is not one of `write_people`."""
    try:
        return [_sound(each) for each in json.loads(text)] if text else []
    except (ValueError, TypeError, AttributeError, RecursionError):
        return []


def _sound(written: Mapping[str, Any]) -> SamplePeople:
    found = SamplePeople(**written)
    texts = [*found.columns, found.audience, found.source, *(value for row in found.rows for value in row)]
    if not all(isinstance(each, str) for each in texts) or any(len(row) != len(found.columns) for row in found.rows):
        raise ValueError("not rows of texts")
    if not all(isinstance(number, int) for number in (found.users, *found.empty.values())):
        raise TypeError("not numbers of users")
    "".join(texts).encode()  # UnicodeEncodeError for what no page can show
    return found


def _queried(ports: Ports, recipe: Recipe, person: str) -> list[SamplePeople]:
    job, arguments = recipe_job(recipe, ports.find_job, ports.workspace)
    engine, now = ports.engine.within(PREVIEW_SECONDS), ports.clock.now()
    with TemporaryDirectory(prefix="tminus-") as name:
        found = run_job(engine, job, arguments, now=now, preview=0, out=Path(name))
        return [_of_file(Path(name) / f"{each.name}.csv", each.name, person) for each in found]


def _of_file(path: Path, audience: str, person: str) -> SamplePeople:
    with path.open(encoding="utf-8", newline="") as file:
        return _choose(csv.reader(file), audience, "now", person)


def _built(ports: Ports, recipe: Recipe, saved_as: str, person: str) -> list[SamplePeople]:
    if not saved_as:
        return []
    for execution in ports.executions.search(ExecutionSearch(recipe_id=saved_as), most=_LATEST):
        try:
            same = _asks(read(execution.recipe)) == _asks(recipe)
            if same and (found := _of_execution(ports, execution, len(recipe.pushes), person)):
                return found
        except (BadRecipe, BadAudience):
            continue  # of another release, or its files were deleted
    return []


def _of_execution(ports: Ports, execution: Execution, pushes: int, person: str) -> list[SamplePeople]:
    found: dict[str, SamplePeople] = {}
    for position in range(pushes):
        files = ports.shards.push(execution.id, position + 1)
        if files is None or not files.live.size:
            return []
        lines = (line.decode("utf-8-sig") for line in ports.files.lines(files.live.rows.stored))
        found[files.audience] = _choose(csv.reader(lines), files.audience, execution.id, person)
    return [*found.values()]


def _asks(recipe: Recipe) -> tuple[object, ...]:
    """Return what decides the people of a recipe."""
    return recipe.criteria, [push.audience_name for push in recipe.pushes]


def _choose(records: Iterable[Row], audience: str, source: str, person: str) -> SamplePeople:
    rows = iter(records)
    columns = next(rows, [])
    choice = _Choice(columns, person)
    for row in rows:
        choice.take(row)
    return SamplePeople(
        audience=audience,
        users=choice.users,
        columns=columns,
        empty=dict(zip(columns, choice.empty, strict=True)),
        rows=choice.rows(),
        source=source,
    )


@dataclass
class _Choice:
    """Chooses rows while it reads an audience once."""

    columns: Row
    person: str
    users: int = 0
    empty: list[int] = field(default_factory=list)
    _asked: Row = ()
    _first: list[Row] = field(default_factory=list)
    _random: list[Row] = field(default_factory=list)
    _extremes: dict[tuple[str, int], Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.empty = [0] * len(self.columns)
        self._dice = random.Random(0)  # noqa: S311 - the same people each time

    def take(self, row: Row) -> None:
        self.users += 1
        if row[0] == self.person:
            self._asked = row
        if len(self._first) < _FIRST:
            self._first.append(row)
        elif len(self._random) < _RANDOM:
            self._random.append(row)
        elif (place := self._dice.randrange(self.users)) < _RANDOM:
            self._random[place] = row
        for place, value in enumerate(row):
            if not value:
                self.empty[place] += 1
                self._extremes.setdefault(("empty", place), row)
            else:
                self._keep(("longest", place), row, lambda new, old: new > old)
                self._keep(("shortest", place), row, lambda new, old: new < old)

    def _keep(self, what: tuple[str, int], row: Row, better: Callable[[int, int], bool]) -> None:
        held = self._extremes.get(what)
        if held is None or better(len(row[what[1]]), len(held[what[1]])):
            self._extremes[what] = row

    def rows(self) -> list[Row]:
        """Return the rows, each once, as far as a form can carry them. The person that was asked for is first."""
        asked = [self._asked] if self._asked else []
        found: list[Row] = []
        characters = 0
        for row in dict.fromkeys(map(tuple, [*asked, *self._first, *self._extremes.values(), *self._random])):
            cut = [value[:_LONGEST_VALUE] for value in row]
            characters += sum(map(len, cut))
            if characters <= _MOST_CHARACTERS:
                found.append(cut)
        return found
