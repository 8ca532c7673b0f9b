"""Read recipe files, and change them from the command line."""

import json
import re
from collections.abc import Collection, Sequence
from copy import deepcopy
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any

from functions.domain.errors import BadInput
from functions.domain.json_objects import RepeatedKey, parse_json
from functions.domain.recipe.document import RecipeDocument
from functions.domain.recipe.field_paths import field_paths, is_field
from functions.domain.recipe.field_types import Fields
from functions.domain.recipe.fields import fields_of, paths_of
from functions.domain.recipe.push_fields import RecipePush
from functions.domain.recipe.read import Document

MOST_BYTES = 1_000_000
"""Firestore limits a document to 1 MiB: firebase.google.com/docs/firestore/quotas."""
_PART = re.compile(r"(.+)\[(\d{1,6})\]")
Key = str | int
"""A name in an object, or a position in a list."""


def read_recipe_file(path: Path) -> Document:
    """Read a recipe document; BadInput names the file, and the line where the JSON breaks."""
    if path.is_dir():
        raise BadInput(f"{path}: is a folder, and a recipe is a file: rename it, or move it away")
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    if path.stat().st_size > MOST_BYTES:
        size = path.stat().st_size
        raise BadInput(f"{path}: {size:,} bytes; a recipe has at most {MOST_BYTES:,}, as Firestore stores no more")
    document = read_json_file(path, most_bytes=MOST_BYTES)
    if not isinstance(document, dict):
        raise BadInput(f"{path}: must hold one JSON object, the recipe")
    return document


def read_json_file(path: Path, *, most_bytes: int) -> Any:
    """Read a JSON file in UTF-8; BadInput names the file, and the line where the JSON breaks or a repeated key."""
    if path.stat().st_size > most_bytes:
        raise BadInput(f"{path}: {path.stat().st_size:,} bytes; at most {most_bytes:,} are read")
    try:
        return parse_json(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RepeatedKey as error:
        raise BadInput(f"{path}: {error}") from None
    except RecursionError:
        raise BadInput(f"{path}: nested too deeply to be a recipe") from None


def set_value(document: Document, assignment: str, old_filters: Collection[str] = ()) -> Document:
    """Return the document with one `path.to.field=value`; the value is JSON, or else text.

    An entry of a list is named by its position from 0, as in `pushSequence[0].title`. BadInput if the path is not a
    field of a recipe: a typing mistake must not be ignored silently. `old_filters` are the names of filters that the
    workspace knows in `audienceCriteria` itself.
    """
    path, equals, text = assignment.partition("=")
    if not equals or not all(path.split(".")):
        raise BadInput(f"--set {assignment!r}: write path.to.field=value, such as settings.maxLatenessMinutes=5")
    keys = _keys(path)
    if not is_field(path.split("."), old_filters) and not _is_inside(keys, RecipeDocument):
        near = get_close_matches(path, _known_paths(keys, old_filters), n=1)
        hint = f"did you mean {near[0]}?" if near else "docs/how-to-write-a-recipe.md lists the fields"
        raise BadInput(f"--set {path}: a recipe has no such field; {hint}")
    changed = deepcopy(document)
    place: Any = changed
    for key, inner in pairwise(keys):
        place = place.setdefault(key, {}) if isinstance(key, str) else place[key]
        if not isinstance(place, list if isinstance(inner, int) else dict):
            kind = "a list" if isinstance(inner, int) else "an object"
            raise BadInput(f"--set {path}: {key} is not {kind} in this recipe")
        if isinstance(inner, int) and inner >= len(place):
            raise BadInput(f"--set {path}: {key} has no [{inner}] in this recipe, only {len(place)} from [0]")
    try:
        place[keys[-1]] = _value(text)
    except RepeatedKey as error:
        raise BadInput(f"--set {path}: {error}") from None
    return changed


def _keys(path: str) -> list[Key]:
    """Return the names and positions of a path."""
    keys: list[Key] = []
    for part in path.split("."):
        found = _PART.fullmatch(part)
        keys += [found[1], int(found[2])] if found else [part]
    return keys


def _is_inside(keys: Sequence[Key], model: type[Fields]) -> bool:
    """Return whether the keys lead to a field through lists, or through keys that the team chooses."""
    field = fields_of(model).get(str(keys[0]))
    rest = keys[1:]
    if field is None or (rest and isinstance(rest[0], int) is not field.many):
        return False
    if field.many or field.keyed:
        rest = rest[1:]
    if not rest:
        return True
    return _is_inside(rest, field.model) if field.model else field.schema.get("type") == "object"


def _known_paths(keys: Sequence[Key], old_filters: Collection[str]) -> list[str]:
    """Return the paths of fields with a single value, which can be set by name, for the hint in an error."""
    paths = field_paths()
    single = [path for path in paths if not any(other.startswith(f"{path}.") for other in paths)]
    push = next((key for key in keys if isinstance(key, int)), 0)
    inner = [f"pushSequence[{push}].{path}" for path, _ in paths_of(RecipePush)]
    return [*single, *(f"audienceCriteria.{name}" for name in old_filters), *inner]


def _value(text: str) -> Any:
    try:
        return parse_json(text)
    except json.JSONDecodeError:
        return text
