"""Compares a recipe of a file with the stored one: what saving would make of the file, and which fields differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from functions.domain.documents import fingerprint
from functions.domain.errors import BadRecipe
from functions.domain.recipe.document import RecipeDocument, SoundRecipe
from functions.domain.recipe.field_types import Fields
from functions.domain.recipe.fields import fields_of
from functions.domain.recipe.read import Document, parse

NULL = "null"
"""The value of a push's field that is written as null, and so has no default of the workspace either."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A field that differs: its path, as `pushSequence[0].title`, and its two values, None where it is missing.

    Of a push, null is `NULL`. Anywhere else it stands for a missing value.
    """

    field: str
    system: Any
    workspace: Any


def saved_form(document: object, *, default_id: str = "") -> Document:
    """Return a document as saving stores it, without nulls, the fields that the system adds, and `isActive`.

    `status` says the same as `isActive`. Raises BadRecipe for a document that is not a recipe.
    """
    return _own_fields(parse(document, default_id=default_id).document())


def stored_form(document: Mapping[str, Any]) -> Document:
    """Return a document of the system in the form of `saved_form`, also if somebody broke it by hand."""
    try:
        return saved_form(document)
    except BadRecipe:
        return _own_fields(document)


def differences(system: Document, workspace: Document) -> list[Difference]:
    """Return the fields in which two documents in saved form differ, in the order of the workspace's.

    What people set in the running system, an owner and skipped sends, differs only if the file has it too.
    """
    return list(_differences("", system, _with_kept(system, workspace)))


def cleared(stored: Mapping[str, Any], wanted: Document) -> Document:
    """Return the changes that make a stored document the wanted one: null clears a field that it does not have.

    The owner and skipped sends of the stored one stay if the wanted one has none.
    """
    wanted = _with_kept(stored, wanted)
    gone = _own_fields(stored).keys() - wanted.keys()
    return {**wanted, **dict.fromkeys(sorted(gone))}


def in_order(document: Mapping[str, Any], like: Any = None, model: type[Fields] | None = RecipeDocument) -> Document:
    """Return a document with its keys in the order of another one, and then in that of the recipe's fields.

    A database may not keep the order of keys. The id comes first.
    """
    known = fields_of(model) if model else {}
    before = like if isinstance(like, Mapping) else {}
    keys = [name for name in (*before, "id", *known) if name in document]
    return {
        name: _in_order(document[name], before.get(name), known[name].model if name in known else None)
        for name in dict.fromkeys([*keys, *document])
    }


def _with_kept(stored: Mapping[str, Any], wanted: Document) -> Document:
    """Return a file's document with what people set in the running system, where the file lacks it."""
    kept = {"owner": stored["owner"]} if stored.get("owner") and "owner" not in wanted else {}
    before, schedule = stored.get("schedule"), wanted.get("schedule")
    skipped = before.get("skip") if isinstance(before, Mapping) else None
    if skipped and isinstance(schedule, Mapping) and "skip" not in schedule:
        kept["schedule"] = {**schedule, "skip": skipped}
    return {**wanted, **kept}


def _in_order(value: Any, like: Any, model: type[Fields] | None) -> Any:
    if isinstance(value, list):
        likes = like if isinstance(like, list) else []
        return [_in_order(item, other, model) for item, other in zip_longest(value, likes[: len(value)])]
    return in_order(value, like, model) if isinstance(value, Mapping) else value


def _own_fields(document: Mapping[str, Any]) -> Document:
    left_out = fields_of(SoundRecipe).keys() - fields_of(RecipeDocument).keys() | {"isActive"}
    return {name: value for name, value in document.items() if value is not None and name not in left_out}


def _differences(path: str, system: Any, workspace: Any) -> Iterator[Difference]:
    if isinstance(system, Mapping) and isinstance(workspace, Mapping):
        nothing = NULL if path.startswith("pushSequence[") else None
        for name in dict.fromkeys([*workspace, *system]):
            old, new = (nothing if each.get(name, "") is None else each.get(name) for each in (system, workspace))
            yield from _differences(f"{path}.{name}".lstrip("."), old, new)
    elif _of_objects(system) and _of_objects(workspace):
        for place, (old, new) in enumerate(zip_longest(system, workspace)):
            yield from _differences(f"{path}[{place}]", old, new)
    elif fingerprint(system) != fingerprint(workspace):
        yield Difference(field=path, system=system, workspace=workspace)


def _of_objects(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(i, Mapping) for i in value)
