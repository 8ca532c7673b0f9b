"""Which push of a stored recipe each push of a form stands for, however others have ordered them since.

Pushes have no ids. A form carries, in a hidden field of each push, what it does not show of that push and a
fingerprint of its texts. A push that still has these texts, and is the only one, is the same push. Otherwise the
push keeps what the form carries. It never gets what belongs to another one.
"""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from functions.domain.documents import fingerprint

_TEXTS = ("title", "body")
_ORDER = "sequenceOrder"


def origin_of(push: Mapping[str, Any], shown: Sequence[str]) -> str:
    """Return the hidden field of a push: what is left of it without the paths that the form shows."""
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
    """Return the document that a push of the form changes, by its hidden field; an empty one for a new push."""
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
