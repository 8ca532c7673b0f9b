"""Reads the files of a workspace; the JSON Schemas beside this module say the same to editors."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audience_jobs.errors import BadWorkspace
from audience_jobs.schema import Tables
from audience_jobs.workspace import layers, templates
from audience_jobs.workspace.tables_file import read_tables
from audience_jobs.workspace.toml_file import Problem, TomlFile, read_toml, shown, suggestion

_KEYS = ("name", *layers.KEYS, templates.KEY)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}")
_RULE = "write up to 63 letters, digits, spaces, '.', '_' and '-', a letter or digit first"


@dataclass(frozen=True, kw_only=True)
class Content:
    """What the files of a workspace say."""

    name: str
    tables: Tables


def read_content(settings_path: Path, tables_path: Path) -> Content:
    """Read tminus.toml and tables.toml. Raises BadWorkspace with everything that is wrong in the two."""
    name, tables, problems = "", Tables([]), list[str]()
    try:
        name = read_name(read_toml(settings_path))
    except BadWorkspace as error:
        problems += error.problems
    try:
        tables = read_tables(read_toml(tables_path))
    except BadWorkspace as error:
        problems += error.problems
    if problems:
        raise BadWorkspace(problems)
    return Content(name=name, tables=tables)


def read_name(file: TomlFile) -> str:
    """Return the workspace's name, which tminus.toml holds. Raises BadWorkspace."""
    if problems := sorted(_problems(file)):
        raise BadWorkspace(map(str, problems))
    return str(file.content["name"])


def _problems(file: TomlFile) -> Iterator[Problem]:
    for key in file.content:
        if key not in _KEYS:
            yield file.problem([key], f"unknown key{suggestion(key, _KEYS)}")
    name = file.content.get("name")
    if name is None:
        yield Problem(file.path, 1, 'name: is missing: write one, as in name = "shop"')
    elif not isinstance(name, str) or not _NAME.fullmatch(name):
        yield file.problem(["name"], f"is {shown(name)}: {_RULE}")
    yield from layers.problems_of(file)
    yield from templates.problems_of(file)
