"""Counts in a whole source what a sample only suggests."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from audience_jobs.contract import Audience, Column, Engine, Job, Parameter
from audience_jobs.sql import quoted
from audience_jobs.workspace.catalog import FoundColumn, FoundTable
from audience_jobs.workspace.proposal import Counts, Pair

_AUDIENCE = Audience(
    name="counts",
    columns=(
        Column(name="user_id", type="text", meaning="what is counted"),
        Column(name="n", type="integer", meaning="how many there are"),
    ),
    meaning="counts",
)
_IDS = Audience(
    name="ids", columns=(Column(name="user_id", type="text", meaning="an id that is there"),), meaning="ids"
)
_GIVEN = r"""SELECT g.id FROM unnest(string_to_array(CAST($given{number} AS TEXT), '
')) AS g(id)"""


def count_pairs(engine: Engine, pairs: Sequence[Pair], *, now: datetime) -> Sequence[Counts]:
    """Return, for each pair, the rows of the people's table, its distinct ids, and how many given ids are there.

    Raises what prevents reading the tables.
    """
    given = {f"given{number}": "\n".join(pair.given) for number, pair in enumerate(pairs)}
    job = Job(
        id="look_at_source",
        title="Counts of tables",
        layer=1,
        parameters=tuple(
            Parameter(name=name, type="text", default=ids, meaning="ids") for name, ids in given.items()
        ),
        audiences=(_AUDIENCE,),
        sql="\nUNION ALL ".join(part for number, pair in enumerate(pairs) for part in _parts(number, pair)),
    )
    found = {row["user_id"]: int(row["n"]) for row in _run(engine, job, now)}
    return [Counts(*(found.get(f"{what}{number}", 0) for what in Counts._fields)) for number in range(len(pairs))]


def known_ids(
    engine: Engine, people: FoundTable, id_: FoundColumn, ids: Sequence[str], *, now: datetime
) -> frozenset[str]:
    """Return those of some ids that a table has. Raises what prevents reading it."""
    table, column = quoted(people.name.lower()), f"CAST({quoted(id_.name.lower())} AS TEXT)"
    found = f"SELECT DISTINCT {column} AS user_id FROM {table} WHERE {column} IN ({_GIVEN.format(number='')})"  # noqa: S608 (quoted names)
    job = Job(
        id="look_at_ids",
        title="Ids of people",
        layer=1,
        parameters=(Parameter(name="given", type="text", default="\n".join(ids), meaning="ids"),),
        audiences=(_IDS,),
        sql=f"SELECT 'ids' AS audience, f.user_id FROM ({found}) AS f",  # noqa: S608 (as above)
    )
    return frozenset(row["user_id"] for row in _run(engine, job, now))


def _parts(number: int, pair: Pair) -> Iterator[str]:
    table, id_ = quoted(pair.people.name.lower()), f"CAST({quoted(pair.id.name.lower())} AS TEXT)"
    distinct = f"count(DISTINCT {id_})"
    given = _GIVEN.format(number=number)
    yield _part(f"rows{number}", "count(*)", table)
    yield _part(f"distinct{number}", distinct, table)
    yield _part(f"covered{number}", distinct, f"{table} WHERE {id_} IN ({given})")


def _part(name: str, number: str, source: str) -> str:
    return f"SELECT 'counts' AS audience, '{name}' AS user_id, {number} AS n FROM {source}"  # noqa: S608 (quoted names)


def _run(engine: Engine, job: Job, now: datetime) -> Sequence[Mapping[str, str]]:
    """Return the rows of a job's only audience."""
    [audience] = job.audiences
    with TemporaryDirectory(prefix="tminus-") as folder, engine.run(job, {}, now=now) as run:
        path = Path(folder) / "found.csv"
        run.write_audience(audience.name, path)
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
