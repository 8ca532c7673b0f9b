"""The recipe files of a workspace: which recipe each holds, names for new ones, and writing."""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from functions.domain.errors import BadFields, BadInput, FieldError
from functions.domain.recipe.read import Document
from local.runtime.recipe_differences import in_order, saved_form
from local.runtime.recipe_files import read_recipe_file


@dataclass(frozen=True, kw_only=True)
class RecipeFile:
    """A file, the id of its recipe, and the recipe in saved form; None if it cannot be read, as `errors` say."""

    path: Path
    id: str
    document: Document | None
    errors: Sequence[FieldError] = ()


def recipe_paths(folder: Path) -> list[Path]:
    """Return the recipe files of a folder, in order of their names; none if there is no folder."""
    return sorted(folder.glob("*.json"))


def read_recipes(paths: Iterable[Path]) -> list[RecipeFile]:
    """Read recipe files. Those with the same id get an error each, as do those that cannot be read."""
    files = [_read(path) for path in {path.resolve(): path for path in paths}.values()]
    holders = defaultdict[str, list[Path]](list)
    for file in files:
        if file.document is not None:
            holders[file.id].append(file.path)
    return [_unique(file, [path for path in holders[file.id] if path != file.path]) for file in files]


def _unique(file: RecipeFile, others: Sequence[Path]) -> RecipeFile:
    if not others or file.document is None:
        return file
    reason = f"{file.id!r} is the id in {others[0]} too: give one of them another id, or remove it"
    return replace(file, errors=(*file.errors, FieldError("id", reason)))


def _read(path: Path) -> RecipeFile:
    written: Document = {}
    try:
        written = read_recipe_file(path)
        document = saved_form(written, default_id=path.stem)
    except BadInput as error:
        reason = str(error).removeprefix(f"{path}: ")
        errors = error.errors if isinstance(error, BadFields) else (FieldError("", reason),)
        named = written.get("id")
        recipe_id = named if isinstance(named, str) and named else path.stem
        return RecipeFile(path=path, id=recipe_id, document=None, errors=errors)
    return RecipeFile(path=path, id=document["id"], document=document)


def new_path(folder: Path, recipe_id: str, taken: Iterable[str]) -> Path:
    """Return the path for a recipe without a file: its id, and a hash of it where that name is taken.

    `taken` are names in the folder. Names that differ only in capitals are one file on many disks.
    """
    known = {name.casefold() for name in taken}
    digest = hashlib.sha256(recipe_id.encode()).hexdigest()
    names = (f"{recipe_id}{end}.json" for end in ("", *(f"-{digest[:length]}" for length in range(8, 65))))
    return folder / next(name for name in names if name.casefold() not in known)


def write_recipe(path: Path, document: Document, *, like: Document | None = None) -> None:
    """Write a recipe in saved form into a file, which is complete at any time. A link is replaced, not followed.

    Its keys are in the order of `like`, the recipe that the file has now.
    """
    text = json.dumps(in_order(document, like), ensure_ascii=False, indent=2) + "\n"
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
