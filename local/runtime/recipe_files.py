"""Read recipe files, and change them from the command line."""

import json
from collections.abc import Collection
from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from functions.domain.errors import BadInput
from functions.domain.json_objects import RepeatedKey, distinct_keys
from functions.domain.recipe.field_paths import field_paths, is_field
from functions.domain.recipe.read import Document
from functions.domain.whole_numbers import json_number

MOST_BYTES = 1_000_000
"""Firestore limits a document to 1 MiB: firebase.google.com/docs/firestore/quotas."""


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
        content = path.read_bytes().decode("utf-8-sig")
        return json.loads(content, parse_float=json_number, object_pairs_hook=distinct_keys)
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

    BadInput if the path is not a field of a recipe: a typing mistake must not be ignored silently. `old_filters` are
    the names of filters that the workspace knows in `audienceCriteria` itself.
    """
    path, equals, text = assignment.partition("=")
    if not equals or not all(path.split(".")):
        raise BadInput(f"--set {assignment!r}: write path.to.field=value, such as settings.maxLatenessMinutes=5")
    if not is_field(path.split("."), old_filters):
        near = get_close_matches(
            path, [*_single_fields(), *(f"audienceCriteria.{name}" for name in old_filters)], n=1
        )
        hint = f"did you mean {near[0]}?" if near else "docs/how-to-write-a-recipe.md lists the fields"
        raise BadInput(f"--set {path}: a recipe has no such field; {hint}")
    changed = deepcopy(document)
    *parents, last = path.split(".")
    place: Any = changed
    for name in parents:
        place = place.setdefault(name, {})
        if not isinstance(place, dict):
            raise BadInput(f"--set {path}: {name} is not an object in this recipe")
    try:
        place[last] = _value(text)
    except RepeatedKey as error:
        raise BadInput(f"--set {path}: {error}") from None
    return changed


def _single_fields() -> list[str]:
    """Return the paths of fields with a single value, which can be set by name."""
    paths = field_paths()
    return [path for path in paths if not any(other.startswith(f"{path}.") for other in paths)]


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_float=json_number, object_pairs_hook=distinct_keys)
    except json.JSONDecodeError:
        return text
