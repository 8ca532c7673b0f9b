"""Reads the templates of a workspace: recipes to begin with, one JSON file each in its folder `templates`."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audience_jobs.errors import BadWorkspace
from audience_jobs.workspace import TEMPLATES_FOLDER
from audience_jobs.workspace.layers import layers_of
from audience_jobs.workspace.toml_file import NOT_UTF_8, Problem, TomlFile, shown, suggestion

KEY = FOLDER = TEMPLATES_FOLDER
_TEXTS = ("name", "description")
_PARTS = (*_TEXTS, "schedule", "pushSequence", "audienceCriteria", "settings")
_NEEDED = (*_TEXTS, "schedule", "pushSequence")


@dataclass(frozen=True, kw_only=True)
class DeclaredTemplate:
    """A template: `recipe` has the fields of a recipe document, without what a new draft gets by itself."""

    id: str
    name: str
    description: str
    recipe: Mapping[str, Any]


class _RepeatedKey(ValueError):
    """An object has a key twice."""


def read_templates(file: TomlFile) -> tuple[DeclaredTemplate, ...]:
    """Return the templates that tminus.toml names, in that order, or else all of the folder by their names.

    Raises BadWorkspace with everything that is wrong in them.
    """
    found, problems = _read_all(file)
    if problems:
        raise BadWorkspace(map(str, problems))
    return found


def problems_of(file: TomlFile) -> Sequence[Problem]:
    """Return everything that is wrong in the templates of the workspace of a tminus.toml."""
    return _read_all(file)[1]


def _read_all(file: TomlFile) -> tuple[tuple[DeclaredTemplate, ...], list[Problem]]:
    problems: list[Problem] = []
    layers = layers_of(file)
    found = [_read(path, layers, problems) for path in _paths(file, problems)]
    return tuple(template for template in found if template), problems


def template_paths(folder: Path) -> list[Path]:
    """Return the files of templates in a workspace's folder, in order of their names."""
    return sorted((folder / FOLDER).glob("*.json"))


def _paths(file: TomlFile, problems: list[Problem]) -> Iterator[Path]:
    paths = {path.stem: path for path in template_paths(file.path.parent)}
    wanted = file.content.get(KEY)
    if wanted is None:
        yield from paths.values()
        return
    if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
        problems.append(file.problem([KEY], f"is {shown(wanted)}: write the names of files in {FOLDER}/, in quotes"))
        return
    for place, name in enumerate(wanted):
        if name not in paths:
            way = suggestion(name, list(paths)) if paths else ""
            problems.append(file.problem([KEY], f"there is no {FOLDER}/{name}.json{way}"))
        elif name in wanted[:place]:
            problems.append(file.problem([KEY], f"{shown(name)} is there twice"))
        else:
            yield paths[name]


def _read(path: Path, layers: Collection[int], problems: list[Problem]) -> DeclaredTemplate | None:
    try:
        written = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_distinct)
    except json.JSONDecodeError as error:
        problems.append(Problem(path, error.lineno, f"is not valid JSON: {error.msg}"))
        return None
    except UnicodeDecodeError:
        problems.append(Problem(path, 1, NOT_UTF_8))
        return None
    except (RecursionError, OSError, _RepeatedKey) as error:
        problems.append(Problem(path, 1, f"cannot be read: {error}"))
        return None
    wrong = [Problem(path, 1, reason) for reason in _wrong(written, layers)]
    problems += wrong
    return None if wrong else _template(path.stem, written)


def _distinct(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKey(f"the key {shown(key)} is there twice in one object: keep one of them")
        found[key] = value
    return found


def _template(name: str, written: Mapping[str, Any]) -> DeclaredTemplate:
    recipe = {key: value for key, value in written.items() if key not in _TEXTS}
    return DeclaredTemplate(id=name, name=written["name"], description=written["description"], recipe=recipe)


def _wrong(written: object, layers: Collection[int]) -> Iterator[str]:
    if not isinstance(written, dict):
        yield "must be an object, such as a recipe is"
        return
    for key in written:
        if key not in _PARTS:
            yield f"{key}: unknown key{suggestion(key, _PARTS)}"
    yield from (f"{key}: is missing" for key in _NEEDED if key not in written)
    yield from (f"{key}: must be text" for key in _TEXTS if not isinstance(written.get(key, ""), str))
    for key in ("schedule", "audienceCriteria", "settings"):
        if not isinstance(written.get(key, {}), dict):
            yield f"{key}: must be an object"
    pushes = written.get("pushSequence", [{}])
    if not isinstance(pushes, list) or not pushes or not all(isinstance(push, dict) for push in pushes):
        yield "pushSequence: must be a list of pushes"
        return
    for place, push in enumerate(pushes):
        layer = push.get("layerId")
        if "pushSequence" in written and (type(layer) is not int or layer not in layers):
            known = f"known: {', '.join(map(str, layers))}"
            yield f"pushSequence[{place}].layerId: {json.dumps(layer)} is not a layer of the workspace; {known}"
