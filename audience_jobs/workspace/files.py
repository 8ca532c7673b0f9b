"""Reads the files of a workspace; the JSON Schemas beside this module say the same to editors."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from audience_jobs.errors import BadWorkspace
from audience_jobs.schema import Tables
from audience_jobs.workspace import (
    DATA_PACKS_FILE,
    MODELS_FOLDER,
    filters_file,
    layers,
    people_search,
    push_parts,
    templates,
)
from audience_jobs.workspace.push_parts import PushParts, read_push_parts
from audience_jobs.workspace.source import Source, read_source
from audience_jobs.workspace.tables_file import read_tables
from audience_jobs.workspace.toml_file import Problem, TomlFile, read_toml, shown, suggestion

UserIds = Literal["any", "uuid"]
_KEYS = (
    "name",
    "user_id",
    "source",
    *layers.KEYS,
    templates.KEY,
    *filters_file.KEYS,
    *push_parts.KEYS,
    people_search.KEY,
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}")
_RULE = "write up to 63 letters, digits, spaces, '.', '_' and '-', a letter or digit first"
_FORMATS = ("any", "uuid")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What tminus.toml says: the workspace's name, its user ids and user data, and what its pushes may use.

    `people_search` are the columns of the model people by which operators may search.
    """

    name: str
    user_ids: UserIds = "any"
    source: Source | None = None
    pushes: PushParts = field(default_factory=PushParts)
    people_search: tuple[str, ...] = ()

    def settings(self, folder: Path) -> Mapping[str, str]:
        """Return what it says for variables that are not set, by their names; `folder` is the workspace's."""
        said = {"USER_ID_FORMAT": self.user_ids, **(self.source.settings(folder) if self.source else {})}
        lists = {"ALLOWED_LINKS": self.pushes.links, "ALLOWED_IMAGES": self.pushes.images}
        return {**said, **{name: ",".join(allowed) for name, allowed in lists.items() if allowed}}


@dataclass(frozen=True, kw_only=True)
class Content:
    """What the files of a workspace say."""

    identity: Identity
    tables: Tables


def read_content(settings_path: Path, tables_path: Path) -> Content:
    """Read tminus.toml and tables.toml. Raises BadWorkspace with everything that is wrong in the two."""
    identity, tables, problems = Identity(name=""), Tables([]), list[str]()
    try:
        identity = read_identity(read_toml(settings_path))
    except BadWorkspace as error:
        problems += error.problems
    try:
        tables = read_tables(read_toml(tables_path))
    except BadWorkspace as error:
        problems += error.problems
    if problems:
        raise BadWorkspace(problems)
    return Content(identity=identity, tables=tables)


def sound_tables(path: Path) -> Tables | None:
    """Return the tables of tables.toml; None where something is wrong in it."""
    try:
        return read_tables(read_toml(path))
    except BadWorkspace:
        return None


def read_identity(file: TomlFile) -> Identity:
    """Return what tminus.toml says. Raises BadWorkspace with everything that is wrong in it."""
    problems = list(_problems(file))
    source = read_source(file, problems)
    if problems:
        raise BadWorkspace(map(str, sorted(problems)))
    user_ids = cast("UserIds", file.content.get("user_id", "any"))
    return Identity(
        name=str(file.content["name"]),
        user_ids=user_ids,
        source=source,
        pushes=read_push_parts(file),
        people_search=people_search.searched(file),
    )


def _problems(file: TomlFile) -> Iterator[Problem]:
    for key in file.content:
        if key not in _KEYS:
            yield file.problem([key], f"unknown key{suggestion(key, _KEYS)}")
    name, user_ids = file.content.get("name"), file.content.get("user_id", "any")
    if name is None:
        yield Problem(file.path, 1, 'name: is missing: write one, as in name = "shop"')
    elif not isinstance(name, str) or not _NAME.fullmatch(name):
        yield file.problem(["name"], f"is {shown(name)}: {_RULE}")
    if user_ids not in _FORMATS:
        yield file.problem(["user_id"], f"is {shown(user_ids)}: write any, or uuid where all ids are UUIDs")
    yield from layers.problems_of(file)
    yield from templates.problems_of(file)
    yield from push_parts.problems_of(file)
    yield from people_search.problems_of(file)
    yield from filters_file.problems_of(file)
    yield from _without_models(file)


def _without_models(file: TomlFile) -> Iterator[Problem]:
    """Yield what only a workspace without models may have: with models, conditions and `with` take its place."""
    folder = file.path.parent
    if not (folder / MODELS_FOLDER).is_dir():
        return
    if "filters" in file.content:
        yield file.problem(["filters"], "is for workspaces without models: make it columns of models/people.sql")
    if (folder / DATA_PACKS_FILE).is_file():
        yield Problem(folder / DATA_PACKS_FILE, 1, "is for workspaces without models: make each a model")
