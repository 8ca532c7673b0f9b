"""Find people by id, or by the columns that the workspace allows to search."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory

from audience_jobs.contract import Job
from audience_jobs.people_search import AUDIENCE, person_job, search_job
from functions.ports import Ports

MOST_FOUND = 20


@dataclass(frozen=True, kw_only=True)
class FoundPerson:
    """A person with the public columns of the model people."""

    user_id: str
    traits: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class FoundPeople:
    """The people found, and whether there are more."""

    people: Sequence[FoundPerson]
    more: bool


def search_people(ports: Ports, text: str) -> FoundPeople:
    """Return people whose id is a text, or with a searched column that begins with it, in any case.

    Nothing is found in a workspace without the model people. AudienceJobError as in `Engine.run`.
    """
    if not ports.workspace.has_models or not text:
        return FoundPeople(people=(), more=False)
    searched = ports.workspace.people_search
    found = _found(ports, search_job(ports.workspace.models, searched, text, most=MOST_FOUND + 1))
    return FoundPeople(people=found[:MOST_FOUND], more=len(found) > MOST_FOUND)


def find_person(ports: Ports, user_id: str) -> FoundPerson | None:
    """Return the person with an id; None if the model people does not have the id, or there is no such model."""
    if not ports.workspace.has_models:
        return None
    return next(iter(_found(ports, person_job(ports.workspace.models, user_id))), None)


def _found(ports: Ports, job: Job) -> Sequence[FoundPerson]:
    with TemporaryDirectory(prefix="tminus-") as folder:
        path = Path(folder) / "people.csv"
        with ports.engine.run(job, {}, now=ports.clock.now()) as run:
            run.write_audience(AUDIENCE, path)
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    return [FoundPerson(user_id=row.pop("user_id"), traits=row) for row in sorted(rows, key=itemgetter("user_id"))]
