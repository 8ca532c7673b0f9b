"""Match the pushes of a form with those of a stored recipe, even if they were reordered since.

Pushes have no ids. A hidden field of each push in the form has what the form does not show of it, and a fingerprint
of its texts. If exactly one stored push still has these texts, it is the same push. Otherwise the push takes the
values from the hidden field. It never takes the values of another push.

The form shows a null and a false as empty, so the hidden field has them too, of every field.
"""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from functions.domain.documents import fingerprint
from functions.domain.recipe.read import Document

_TEXTS = ("title", "body")
_ORDER = "sequenceOrder"


def origin_of(push: Mapping[str, Any], shown: Sequence[str]) -> str:
    """Return the hidden field of a push: everything except the values that the form shows, given its paths."""
    kept = deepcopy(dict(push))
    kept.pop(_ORDER, None)
    for path in shown:
        place, last = _parent(kept, path), path.rpartition(".")[2]
        if not _looks_empty(place.get(last)):
            del place[last]
    return json.dumps({"texts": _texts(push), "kept": kept}, ensure_ascii=False, default=str)


def find_origin(written: str, stored: object, shown: Sequence[str]) -> Document:
    """Return the document that a push of the form changes, given its hidden field; an empty one for a new push.

    A null or false that the form had in a field of `shown` is there, also if someone has replaced it since.
    """
    try:
        origin = json.loads(written) if written else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(origin, dict):
        return {}
    kept = origin.get("kept")
    kept = kept if isinstance(kept, dict) else {}
    pushes = stored if isinstance(stored, list) else []
    same = [push for push in pushes if isinstance(push, dict) and _texts(push) == origin.get("texts")]
    if len(same) != 1:
        return kept
    found = deepcopy(same[0])
    for path in shown:
        place, last = _parent(kept, path), path.rpartition(".")[2]
        if last in place and _looks_empty(place[last]):
            _put(found, path, place[last])
    return found


def _looks_empty(value: object) -> bool:
    return value is None or value is False


def _parent(push: Document, path: str) -> Document:
    """Return the object that holds a field; an empty one if the push has none."""
    for name in path.split(".")[:-1]:
        inner = push.get(name)
        push = inner if isinstance(inner, dict) else {}
    return push


def _put(push: Document, path: str, value: object) -> None:
    *parents, last = path.split(".")
    for name in parents:
        if not isinstance(push.get(name), dict):
            push[name] = {}
        push = push[name]
    push[last] = value


def _texts(push: Mapping[str, Any]) -> str:
    return fingerprint([push.get(name) for name in _TEXTS])
