"""Look at a query-based audience: its number of users, a description, the CSV, and the CSV split into parts."""

import csv
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from audience_jobs.contract import Engine
from audience_jobs.criteria import Criteria, read_criteria
from audience_jobs.criteria_words import describe
from audience_jobs.errors import AudienceJobError, BadCriteria, TooSlow
from audience_jobs.query_based import AUDIENCE, job_of
from audience_jobs.workspace import Workspace
from functions.domain.audience.split import count_users, part_sizes, split
from functions.domain.errors import BadInput, BadRecipe, FieldError
from functions.domain.ids import canonical_user_id
from functions.usecases.recipes.criteria_parts import USER_IDS

_MOST_PARTS = 100
PREVIEW_SECONDS = 60
"""How long a preview may take."""
MOST_ASKED = 10_000
"""Of how many people a preview counts those with a device."""


@dataclass(frozen=True, kw_only=True)
class AudiencePart:
    """One CSV of an audience: its number of users and its path."""

    count: int
    csv: Path


@dataclass(frozen=True, kw_only=True)
class QueriedAudience:
    """A queried audience: a description, its number of users, its CSV, and its parts, if any."""

    description: str
    count: int
    csv: Path
    parts: tuple[AudiencePart, ...] = ()


def query_audience(
    engine: Engine,
    written: Mapping[str, Any],
    workspace: Workspace,
    *,
    now: datetime,
    folder: Path,
    parts: int = 0,
) -> QueriedAudience:
    """Find the users who match `filters`, `dataPacks`, `manualUserIds` and `customQuery` at `now`. Nothing is sent.

    The CSVs are written to the existing folder as `audience.csv` and `audience-1-of-3.csv`, all with the same
    columns. Empty criteria match all users. BadRecipe names the invalid fields, BadInput an invalid number of parts;
    AudienceJobError as in `Engine.run`.
    """
    try:
        criteria = read_criteria(written, workspace)
        return find_audience(engine, criteria, workspace, now=now, folder=folder, parts=parts)
    except BadCriteria as error:
        raise BadRecipe([FieldError(field, reason) for field, reason in error.errors]) from error


def preview_audience(
    engine: Engine, written: Mapping[str, Any], workspace: Workspace, *, now: datetime, folder: Path
) -> QueriedAudience:
    """Find the people who fit criteria within a minute, as `query_audience` does.

    AudienceJobError if the engine takes longer: it has stopped the query then.
    """
    limited = engine.within(PREVIEW_SECONDS)
    try:
        return query_audience(limited, written, workspace, now=now, folder=folder)
    except TooSlow as error:
        way_out = "narrow the conditions, or count the whole audience with tminus audience"
        raise AudienceJobError(f"the preview was stopped after {error.seconds:g} s: {way_out}") from error


def count_reachable(engine: Engine, found: QueriedAudience, folder: Path) -> int | None:
    """Return how many people of an audience have a device; None if it is too large, or devices cannot be read."""
    if found.count > MOST_ASKED:
        return None
    path = folder / "devices.csv"
    with found.csv.open(encoding="utf-8", newline="") as file:
        ids = [row["user_id"] for row in csv.DictReader(file)]
    try:
        engine.write_devices_of(ids, path, per_user=1)
    except AudienceJobError:
        return None
    with path.open(encoding="utf-8", newline="") as file:
        return len({row["user_id"] for row in csv.DictReader(file)})


def unknown_ids(
    engine: Engine,
    written: Mapping[str, Any],
    workspace: Workspace,
    found: QueriedAudience,
    *,
    now: datetime,
    folder: Path,
) -> list[str]:
    """Return the ids of the list in criteria that belong to nobody in the user data, each once.

    `found` are the people who fit the criteria. Other criteria can exclude known people, so the list is looked up
    alone then. `folder` exists and is empty.
    """
    listed = written.get(USER_IDS)
    if not isinstance(listed, list) or not listed:
        return []
    if any(value for key, value in written.items() if key != USER_IDS):
        found = preview_audience(engine, {USER_IDS: listed}, workspace, now=now, folder=folder)
    with found.csv.open(encoding="utf-8", newline="") as file:
        known = {canonical_user_id(row["user_id"]) for row in csv.DictReader(file)}
    ids = dict.fromkeys(canonical_user_id(each.strip()) for each in listed)
    return [each for each in ids if each not in known]


def find_audience(
    engine: Engine, criteria: Criteria, workspace: Workspace, *, now: datetime, folder: Path, parts: int = 0
) -> QueriedAudience:
    """Find the users who match the criteria, as `query_audience` does; BadCriteria if the workspace lacks a table."""
    if not 0 <= parts <= _MOST_PARTS:
        raise BadInput(f"{parts} parts: an audience can be split into 1 to {_MOST_PARTS}")
    path = folder / "audience.csv"
    with engine.run(job_of(criteria, workspace), {}, now=now) as run:
        run.write_audience(AUDIENCE, path)
    with path.open("rb") as lines:
        count = count_users(lines)
    return QueriedAudience(description=describe(criteria), count=count, csv=path, parts=_split(path, count, parts))


def _split(path: Path, count: int, parts: int) -> tuple[AudiencePart, ...]:
    if not parts:
        return ()
    paths = [path.with_name(f"{path.stem}-{number}-of-{parts}.csv") for number in range(1, parts + 1)]
    with ExitStack() as opened, path.open("rb") as lines:
        files = [opened.enter_context(part.open("wb")) for part in paths]
        for part, record in split(lines, users=count, parts=parts):
            files[part].write(record)
    sizes = part_sizes(count, parts)
    return tuple(AudiencePart(count=size, csv=part) for size, part in zip(sizes, paths, strict=True))
