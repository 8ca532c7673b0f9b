"""Makes the first files of a workspace from what a source of user data holds; see `tminus init`."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from audience_jobs.contract import Engine
from audience_jobs.criteria import read_criteria
from audience_jobs.errors import BadWorkspace
from audience_jobs.query_based import AUDIENCE, job_of
from audience_jobs.schema import Tables
from audience_jobs.workspace import FILE, TABLES_FILE, open_workspace
from audience_jobs.workspace.catalog import Catalog
from audience_jobs.workspace.first_models import FirstModels, first_models
from audience_jobs.workspace.guess import is_zone
from audience_jobs.workspace.probe import count_pairs
from audience_jobs.workspace.proposal import Counts, Pair, Proposal, all_uuids, canonical_id, propose, sampled
from audience_jobs.workspace.source import Source
from audience_jobs.workspace.tables_text import tables_text
from functions import bootstrap
from functions.domain.errors import BadInput
from functions.settings import Settings

RECIPE = "recipes/hello.json"
_EVERYBODY: Mapping[str, object] = {"where": {"all": []}}
_FIRST_NAME = re.compile(r"(first|given|nick|display|user)_?name|name", re.IGNORECASE)
_MOST_SAID = 20


@dataclass(frozen=True, kw_only=True)
class FirstWorkspace:
    """The files of a new workspace, by their paths in it, and what a person should know about them.

    `people` and `reachable` are the number of people and of those with a device; None where they were not counted.
    """

    files: Mapping[str, str]
    user_ids: str
    models: FirstModels
    people: int | None = None
    reachable: int | None = None

    def write(self, folder: Path) -> None:
        """Write the files into a folder, which may be new."""
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def first_workspace(
    catalog: Catalog, source: Source, settings: Settings, *, name: str, now: datetime
) -> FirstWorkspace:
    """Return the first files for a source, which `settings` name too; `source` is what tminus.toml says of it.

    Raises BadInput where no table can be that of the people, and what prevents reading the source.
    """
    text = tables_text(catalog, Tables([]), None)
    with TemporaryDirectory(prefix="tminus-init-") as temporary:
        draft = replace(settings, workspace=Path(temporary))
        (Path(temporary) / FILE).write_text('name = "draft"\n', encoding="utf-8")
        (Path(temporary) / TABLES_FILE).write_text(text, encoding="utf-8")
        proposal = propose(catalog, lambda pairs: _counted(draft, pairs, now))
        models = first_models(proposal)
        if models is None:
            raise BadInput(
                f"{catalog.where}: no table has a column with an id of its own in each row, so none can hold the "
                "people: add one, or write the workspace by hand (docs/workspace.md)"
            )
        user_ids = "uuid" if proposal.id and all_uuids(proposal.id.values) else "any"
        files = {
            FILE: _settings_text(name, user_ids, source),
            TABLES_FILE: text,
            "models/people.sql": models.people,
            "models/devices.sql": models.devices,
            RECIPE: json.dumps(_recipe(proposal, models), ensure_ascii=False, indent=2) + "\n",
        }
        made = FirstWorkspace(files=files, user_ids=user_ids, models=models)
        replace(made, files={n: t for n, t in files.items() if n != FILE}).write(Path(temporary))
        people, reachable = _sizes(draft, now)
    _say_columns(catalog, models)
    if people is not None and not reachable:
        models.missing.append("none of the people has a device: look at models/devices.sql")
    return replace(made, people=people, reachable=reachable)


def _engine(settings: Settings) -> Engine | None:
    """Return the engine over a source; None for a dataset without a bucket, through which results would leave it."""
    if settings.user_dataset and not settings.user_dataset.bucket:
        return None
    return bootstrap.user_data(settings)[0]


def _counted(settings: Settings, pairs: Sequence[Pair], now: datetime) -> Sequence[Counts]:
    engine = _engine(settings)
    return sampled(pairs) if engine is None else count_pairs(engine, pairs, now=now)


def _sizes(settings: Settings, now: datetime) -> tuple[int | None, int | None]:
    """Return how many people there are and how many of them have a device."""
    workspace = open_workspace(settings.workspace)
    engine = _engine(settings)
    if engine is None:
        return None, None
    job = job_of(read_criteria(_EVERYBODY, workspace), workspace)
    with TemporaryDirectory(prefix="tminus-") as folder, engine.run(job, {}, now=now) as run:
        return run.size(AUDIENCE), run.write_devices(AUDIENCE, Path(folder) / "devices.csv", per_user=1)


def _settings_text(name: str, user_ids: str, source: Source) -> str:
    said = {key: value for key, value in vars(source).items() if value}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in said.items()]
    head = [f"name = {json.dumps(name)}", f'user_id = "{user_ids}"', "", "[source]"]
    return (
        "\n".join(["# What the workspace is called, and where its user data are: docs/workspace.md.", *head, *lines])
        + "\n"
    )


def _recipe(proposal: Proposal, models: FirstModels) -> dict[str, object]:
    """Return a recipe that greets everybody once a week, and tests with one of them."""
    first = next((trait for trait in models.traits if _FIRST_NAME.fullmatch(trait)), None)
    tester = _tester(proposal)
    if tester:
        models.unsure.append(f"{RECIPE} tests with user {tester}: put an id of your own into settings.testUserIds")
    return {
        "id": "hello",
        "name": "Hello",
        "description": "Greets everybody once a week.",
        "status": "active",
        "schedule": {"timezone": _zone(proposal), "frequency": "weekly", "daysOfWeek": [1], "executionTime": "10:00"},
        "audienceCriteria": _EVERYBODY,
        "pushSequence": [
            {
                "sequenceOrder": 1,
                "title": f"Hello, [[var:{first}|friend]]" if first else "Hello",
                "body": "This is the first push of the workspace.",
                "deepLink": "https://example.com/",
                "layerId": 1,
                "timing": {"delayAfterPrevious": 0},
            }
        ],
        "settings": {"testUserIds": [tester] if tester else []},
    }


def _tester(proposal: Proposal) -> str:
    """Return the id of a user, with a device if one is known."""
    ids = [canonical_id(value) for value in (proposal.id.values if proposal.id else ()) if value]
    given = set(_with_token(proposal))
    return next((each for each in ids if each in given), next(iter([*sorted(given), *ids]), ""))


def _with_token(proposal: Proposal) -> Iterator[str]:
    if proposal.user and proposal.token:
        for user, token in zip(proposal.user.values, proposal.token.values, strict=False):
            if user and token:
                yield canonical_id(user)


def _zone(proposal: Proposal) -> str:
    """Return the time zone that most of the people have, UTC where none is known."""
    columns = proposal.people.columns if proposal.people else ()
    zones = Counter(value for c in columns if c.guess.meaning == "time_zone" for value in c.values if value)
    return next((zone for zone, _ in zones.most_common() if is_zone(zone)), "UTC")


def _say_columns(catalog: Catalog, models: FirstModels) -> None:
    lines = [
        f"{table.name}.{column.name}: {column.guess.unsure}, so it is text"
        for table in catalog.tables
        for column in table.columns
        if column.guess.broken
    ]
    more = (
        [f"{len(lines) - _MOST_SAID:,} more columns have values of several types"] if len(lines) > _MOST_SAID else []
    )
    models.unsure += [*lines[:_MOST_SAID], *more]


def check_catalog(catalog: Catalog) -> None:
    """Raise BadWorkspace where files of the source cannot be read."""
    if catalog.problems:
        raise BadWorkspace(catalog.problems)
