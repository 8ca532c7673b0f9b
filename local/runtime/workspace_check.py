"""Checks a whole workspace without sending: its files, its source, its models on that, its jobs and its recipes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from audience_jobs.conditions.joining import joinable
from audience_jobs.contract import Audience, Column, Engine, Job
from audience_jobs.criteria import read_criteria
from audience_jobs.errors import AudienceJobError, BadJob, BadWorkspace, CheckFailed, Unavailable, UnknownJob
from audience_jobs.query_based import AUDIENCE, job_of
from audience_jobs.schema import DEVICES
from audience_jobs.sql import quoted
from audience_jobs.workspace import FILE, MODELS_FOLDER, TABLES_FILE, Workspace
from audience_jobs.workspace.catalog import Progress
from audience_jobs.workspace.differences import differences
from audience_jobs.workspace.toml_file import Problem, read_toml
from functions import bootstrap
from functions.domain.errors import BadInput, Misconfigured
from functions.settings import Settings
from functions.usecases.recipes.check_defaults import defaults_problems
from local.runtime.recipe_folder import read_recipes, recipe_paths
from local.runtime.unlimited_layers import unlimited_layers
from local.runtime.user_catalog import read_catalog

Part = Literal["files", "tables", "models", "jobs", "recipes"]
_EVERYBODY: Mapping[str, object] = {"where": {"all": []}}
_DOUBLED = Audience(
    name="doubled",
    columns=(Column(name="user_id", type="text", meaning="a user with several rows"),),
    meaning="users",
)
_NOTHING = Audience(
    name="nothing", columns=(Column(name="user_id", type="text", meaning="nothing"),), meaning="a model is only bound"
)
_REFUSALS = (AudienceJobError, Unavailable, BadInput, Misconfigured)


@dataclass(frozen=True)
class Found:
    """One problem: the part of the workspace that has it, and its line for people, with file, line and way out."""

    part: Part
    line: str


@dataclass(kw_only=True)
class Checked:
    """What was checked, what is wrong, and what is not but surprises: `warnings`, lines for people."""

    problems: list[Found] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    tables: int = 0
    models: int = 0
    recipes: int = 0
    people: int | None = None
    reachable: int | None = None

    def add(self, part: Part, *lines: str) -> None:
        """Note problems."""
        self.problems += [Found(part, line) for line in lines]


def check_workspace_at(
    folder: Path,
    settings_of: Callable[[], Settings],
    recipe_problems: Callable[[Sequence[Path], Settings], Iterable[str]],
    *,
    now: datetime,
    progress: Progress,
) -> Checked:
    """Return what is wrong in a workspace. Reads the source, and changes nothing.

    `settings_of` gives the settings with the source, `recipe_problems` the lines of what is wrong in recipe files.
    """
    checked, workspace = Checked(), Workspace(folder)
    try:
        workspace.check()
    except BadWorkspace as error:
        checked.add("files", *error.problems)
        return checked
    checked.tables, checked.models = len(workspace.tables), len(workspace.models)
    checked.warnings += unlimited_layers(workspace)
    try:
        settings = replace(settings_of(), workspace=folder)
        if wrong := defaults_problems(workspace, settings.policy):
            checked.add("files", *wrong)
            return checked
        sound = _check_tables(workspace, settings, checked, progress)
        if sound:
            engine, find_job = bootstrap.user_data(settings)
            _check_models(workspace, engine, checked, now, progress)
            _check_jobs(find_job, checked)
    except _REFUSALS as error:
        checked.add("tables", str(read_toml(folder / FILE).problem(["source"], str(error))))
        return checked
    _check_recipes(folder, settings, recipe_problems, checked, progress)
    return checked


def _check_tables(workspace: Workspace, settings: Settings, checked: Checked, progress: Progress) -> bool:
    catalog = read_catalog(settings, workspace.tables, progress)
    checked.warnings += [f"{catalog.where}: {twin}" for twin in catalog.twins]
    file = read_toml(workspace.folder / TABLES_FILE)
    lines = [each.line for each in differences(file, workspace.tables, catalog) if each.harms]
    checked.add("tables", *lines)
    return not lines


def _check_models(workspace: Workspace, engine: Engine, checked: Checked, now: datetime, progress: Progress) -> None:
    """Let the engine read each model, without its rows, and then count the people and those with a device."""
    if not workspace.has_models:
        return
    path = workspace.folder / MODELS_FOLDER
    for name in workspace.models:
        progress(name)
        if name != DEVICES and (reason := _refused(partial(_bind, engine, name, now))):
            checked.add("models", str(Problem(path / f"{name}.sql", 1, reason)))
    if checked.problems:
        return
    if reason := _refused(partial(_count, workspace, engine, checked, now)):
        checked.add("models", str(Problem(path / "people.sql", 1, f"the audience of all people: {reason}")))
    elif checked.people == 0:
        checked.add("models", str(Problem(path / "people.sql", 1, "yields no one: look at its conditions")))
    elif checked.reachable == 0:
        reason = f"none of the {checked.people:,} people has a device: look at its columns user_id and token"
        checked.add("models", str(Problem(path / "devices.sql", 1, reason)))
    for model, recipe in _joined(workspace).items():
        progress(model)
        if reason := _refused(partial(_check_rows, engine, model, recipe, now)):
            checked.add("models", str(Problem(path / f"{model}.sql", 1, reason)))


def _bind(engine: Engine, model: str, now: datetime) -> None:
    sql = f"SELECT 'nothing' AS audience, 'x' AS user_id FROM {quoted(model)} WHERE FALSE"  # noqa: S608 (a checked name)
    job = Job(id=model, title=model, layer=1, parameters=(), audiences=(_NOTHING,), sql=sql)
    with engine.run(job, {}, now=now):
        pass


def _joined(workspace: Workspace) -> Mapping[str, Path]:
    """Return the models that recipes join to people, each with the file of one such recipe."""
    found: dict[str, Path] = {}
    for file in read_recipes(recipe_paths(workspace.folder / "recipes")):
        criteria = (file.document or {}).get("audienceCriteria")
        written = criteria.get("with") if isinstance(criteria, dict) else None
        for entry in written if isinstance(written, list) else ():
            found.setdefault(str(entry.get("model") if isinstance(entry, dict) else entry), file.path)
    return {name: found[name] for name in joinable(workspace.models) if name in found}


def _check_rows(engine: Engine, model: str, recipe: Path, now: datetime) -> None:
    """Raise BadJob where people, who come once, have several rows in a model that a recipe joins."""
    of_people = f"SELECT m.user_id FROM {quoted(model)} AS m JOIN people AS p ON p.user_id = m.user_id"  # noqa: S608 (a checked name)
    several = f"SELECT d.user_id FROM ({of_people}) AS d GROUP BY d.user_id HAVING count(*) > 1"  # noqa: S608 (as above)
    sql = f"SELECT 'doubled' AS audience, d.user_id FROM ({several}) AS d"  # noqa: S608 (as above)
    job = Job(id=model, title=model, layer=1, parameters=(), audiences=(_DOUBLED,), sql=sql)
    with engine.run(job, {}, now=now) as run:
        if count := run.size(_DOUBLED.name):
            users = f"{count:,} user{'s have' if count != 1 else ' has'} several rows"
            raise BadJob(model, f"{users}, and {recipe} joins it: make it one row a user")


def _count(workspace: Workspace, engine: Engine, checked: Checked, now: datetime) -> None:
    job = job_of(read_criteria(_EVERYBODY, workspace), workspace)
    with TemporaryDirectory(prefix="tminus-") as folder, engine.run(job, {}, now=now) as run:
        checked.people = run.size(AUDIENCE)
        checked.reachable = run.write_devices(AUDIENCE, Path(folder) / "devices.csv", per_user=1)


def _check_jobs(find_job: Callable[[str], Job], checked: Checked) -> None:
    try:
        find_job("")  # it reads every job to find none
    except UnknownJob:
        return
    except BadWorkspace as error:
        checked.add("jobs", *error.problems)
    except AudienceJobError as error:
        checked.add("jobs", str(error))


def _check_recipes(
    folder: Path,
    settings: Settings,
    recipe_problems: Callable[[Sequence[Path], Settings], Iterable[str]],
    checked: Checked,
    progress: Progress,
) -> None:
    paths = recipe_paths(folder / "recipes")
    progress("recipes")
    checked.recipes = len(paths)
    checked.add("recipes", *recipe_problems(paths, settings))


def _refused(work: Callable[[], None]) -> str:
    """Return why work is refused, in one line; empty where it is not."""
    try:
        work()
    except CheckFailed as error:
        return f"{error.meaning} (users: {error.count:,})"
    except AudienceJobError as error:
        return " ".join((error.reason if isinstance(error, BadJob) else str(error)).split())
    return ""


def documents(problems: Sequence[Found]) -> Iterator[dict[str, str]]:
    """Yield problems as JSON has them."""
    yield from ({"part": found.part, "problem": found.line} for found in problems)
