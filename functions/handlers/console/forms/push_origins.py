"""Match the pushes of a form with those of a stored recipe, even if they were reordered since.

Pushes have no ids. A hidden field of each push in the form has its fields that the form does not show, and a
fingerprint of its texts. If exactly one stored push still has these texts, it is the same push. Otherwise the push
takes the values from the hidden field. It never takes the values of another push.
"""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from functions.domain.documents import fingerprint

_TEXTS = ("title", "body")
_ORDER = "sequenceOrder"


def origin_of(push: Mapping[str, Any], shown: Sequence[str]) -> str:
    """Return the hidden field of a push: everything except the paths that the form shows."""
    kept = deepcopy(dict(push))
    for path in (*shown, _ORDER):
        *parents, last = path.split(".")
        place: Any = kept
        for parent in parents:
            place = place.get(parent)
            if not isinstance(place, dict):
                break
        else:
            place.pop(last, None)
    return json.dumps({"texts": _texts(push), "kept": kept}, ensure_ascii=False, default=str)


def find_origin(written: str, stored: object) -> dict[str, Any]:
    """Return the document that a push of the form changes, given its hidden field; an empty one for a new push."""
    try:
        origin = json.loads(written) if written else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(origin, dict):
        return {}
    pushes = stored if isinstance(stored, list) else []
    same = [push for push in pushes if isinstance(push, dict) and _texts(push) == origin.get("texts")]
    if len(same) == 1:
        return deepcopy(same[0])
    kept = origin.get("kept")
    return kept if isinstance(kept, dict) else {}


def _texts(push: Mapping[str, Any]) -> str:
    return fingerprint([push.get(name) for name in _TEXTS])
