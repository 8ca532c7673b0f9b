"""Makes the first files of a workspace from what a source of user data holds; see `tminus init`."""

import csv
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from audience_jobs.contract import Engine
from audience_jobs.criteria import read_criteria
from audience_jobs.errors import BadWorkspace
from audience_jobs.query_based import AUDIENCE, job_of
from audience_jobs.schema import Tables
from audience_jobs.workspace import FILE, MODELS_FOLDER, TABLES_FILE, open_workspace
from audience_jobs.workspace.catalog import Catalog
from audience_jobs.workspace.first_events import add_events
from audience_jobs.workspace.first_models import FirstModels, first_models
from audience_jobs.workspace.first_opt_outs import add_opt_outs, say_left_out
from audience_jobs.workspace.guess import is_zone
from audience_jobs.workspace.models import OPT_OUTS
from audience_jobs.workspace.probe import count_pairs, known_ids
from audience_jobs.workspace.proposal import Counts, Pair, Proposal, all_uuids, canonical_id, propose, sampled
from audience_jobs.workspace.references import references
from audience_jobs.workspace.source import Source
from audience_jobs.workspace.tables_text import tables_text
from functions import bootstrap
from functions.domain.errors import BadInput
from functions.domain.push.outcomes import has_opted_out
from functions.settings import Settings

RECIPE = "recipes/hello.json"
_EVERYBODY: Mapping[str, object] = {"where": {"all": []}}
_FIRST_NAME = re.compile(r"(first|given|nick|display|user)_?name|name", re.IGNORECASE)
_HEAD = "# What the workspace is called, where its user data are, and how often it sends: docs/workspace.md."
_CADENCE = """# Each push has a layer. No rule holds back or counts the pushes of an exempt one.
[layers]
1 = { name = "Must arrive", exempt = true }
2 = "Campaigns"
3 = "Reminders"
4 = { name = "Tests", exempt = true }
5 = "New users"

# A user gets at most 3 pushes of these layers in 168 hours, a week. To change that, write other numbers here; a
# further [cadence.NAME] below is a further rule, such as one with hours = 24 and count = 1.
[cadence.weekly]
layers = [2, 3, 5]
hours = 168
count = 3
"""
CADENCE_IN_WORDS = "cadence: a user gets at most 3 pushes of layers 2, 3 and 5 in 168 hours; change it in tminus.toml"
_LAYER = 2
_MOST_SAID, _MOST_NAMED, _LEAST_AUDIENCE = 20, 3, 10_000


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The number of people, of those with a device, and of those who want no pushes at all."""

    people: int
    reachable: int
    opted_out: int


@dataclass(frozen=True, kw_only=True)
class FirstWorkspace:
    """The files of a new workspace, by their paths in it, and what a person should know about them.

    `sizes` are the numbers of people; None where they were not counted.
    """

    files: Mapping[str, str]
    user_ids: str
    models: FirstModels
    sizes: Sizes | None = None

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

    Raises BadInput where no table can be read, or be that of the people, and what prevents reading the source.
    """
    if not catalog.tables:
        raise BadInput(f"{catalog.where}: no table can be read: {'; '.join(catalog.left_out[:_MOST_NAMED])}")
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
        found = references(catalog, proposal, lambda ids: _known(draft, proposal, ids, now))
        used = add_opt_outs(models, proposal, found)
        say_left_out(models, catalog)
        add_events(models, catalog, found, used)
        user_ids = "uuid" if proposal.id and all_uuids(proposal.id.values) else "any"
        files = {
            FILE: _settings_text(name, user_ids, source),
            TABLES_FILE: text,
            **{f"{MODELS_FOLDER}/{model}.sql": sql for model, sql in models.texts.items()},
        }
        made = FirstWorkspace(files=files, user_ids=user_ids, models=models)
        replace(made, files={n: t for n, t in files.items() if n != FILE}).write(Path(temporary))
        sizes = _sizes(draft, now)
    _say_columns(catalog, models)
    if sizes is not None:
        _say_sizes(sizes, settings, models)
    recipe = json.dumps(_recipe(proposal, models, sizes.people if sizes else 0), ensure_ascii=False, indent=2) + "\n"
    return replace(made, files={**files, RECIPE: recipe}, sizes=sizes)


def _say_sizes(sizes: Sizes, settings: Settings, models: FirstModels) -> None:
    if not sizes.people:
        models.missing.append("there are no people: look at the rows of the source and at models/people.sql")
    elif not sizes.reachable:
        models.missing.append("none of the people has a device: look at models/devices.sql")
    if sizes.people and sizes.opted_out == sizes.people:
        models.unsure.append("all people have opted out: look at models/opt_outs.sql")
    if sizes.people > (most := settings.policy.limits.total_audience):
        models.unsure.append(f"an execution may have {most:,} users: raise MAX_TOTAL_AUDIENCE, or narrow {RECIPE}")


def _engine(settings: Settings) -> Engine | None:
    """Return the engine over a source; None for a dataset without a bucket, through which results would leave it."""
    if settings.user_dataset and not settings.user_dataset.bucket:
        return None
    return bootstrap.user_data(settings)[0]


def _counted(settings: Settings, pairs: Sequence[Pair], now: datetime) -> Sequence[Counts]:
    engine = _engine(settings)
    return sampled(pairs) if engine is None else count_pairs(engine, pairs, now=now)


def _known(settings: Settings, proposal: Proposal, ids: Sequence[str], now: datetime) -> frozenset[str] | None:
    """Return those of some ids that people have; None where the source cannot be asked."""
    engine = _engine(settings)
    if engine is None or proposal.people is None or proposal.id is None:
        return None
    return known_ids(engine, proposal.people, proposal.id, ids, now=now)


def _sizes(settings: Settings, now: datetime) -> Sizes | None:
    """Count the people; None where the source cannot be asked."""
    workspace = open_workspace(settings.workspace)
    engine = _engine(settings)
    if engine is None:
        return None
    job = job_of(read_criteria(_EVERYBODY, workspace), workspace)
    with TemporaryDirectory(prefix="tminus-") as folder, engine.run(job, {}, now=now) as run:
        path, opted_out = Path(folder) / "devices.csv", 0
        if OPT_OUTS in workspace.models:
            run.write_devices(AUDIENCE, path, per_user=1, topic="")
            with path.open(encoding="utf-8", newline="") as file:
                opted_out = sum(has_opted_out(row) for row in csv.reader(file))
        reachable = run.write_devices(AUDIENCE, path, per_user=1)
        return Sizes(people=run.size(AUDIENCE), reachable=reachable, opted_out=opted_out)


def _settings_text(name: str, user_ids: str, source: Source) -> str:
    said = {key: value for key, value in vars(source).items() if value}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in said.items()]
    head = [f"name = {json.dumps(name)}", f'user_id = "{user_ids}"', "", "[source]"]
    return "\n".join([_HEAD, *head, *lines, "", _CADENCE])


def _recipe(proposal: Proposal, models: FirstModels, people: int) -> dict[str, object]:
    """Return a recipe that greets everybody once a week, and tests with one of them."""
    first = next((trait for trait in models.traits if _FIRST_NAME.fullmatch(trait)), None)
    tester = _tester(proposal, models.opted_out)
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
                "layerId": _LAYER,
                "timing": {"delayAfterPrevious": 0},
            }
        ],
        "settings": {
            "testUserIds": [tester] if tester else [],
            "safeguards": {"maxAudienceSize": max(_LEAST_AUDIENCE, people + people // 2)},
        },
    }


def _tester(proposal: Proposal, opted_out: Collection[str]) -> str:
    """Return the id of a user, if one is known with a device, and not opted out."""
    ids = [canonical_id(value) for value in (proposal.id.values if proposal.id else ()) if value]
    given = set(_with_token(proposal))
    ids.sort(key=lambda each: each in opted_out)
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
    models.unsure += shortened(lines, "columns have values of several types")


def shortened(lines: Sequence[str], what: str) -> list[str]:
    """Return the first of some lines, and how many more there are."""
    more = [f"{len(lines) - _MOST_SAID:,} more {what}"] if len(lines) > _MOST_SAID else []
    return [*lines[:_MOST_SAID], *more]


def check_catalog(catalog: Catalog) -> None:
    """Raise BadWorkspace where files of the source cannot be read."""
    if catalog.problems:
        raise BadWorkspace(catalog.problems)
