"""JSON objects that people write: a key that is there twice is a mistake, not a choice of the last one."""

from collections.abc import Iterable
from typing import Any

from functions.domain.documents import shown


class RepeatedKey(ValueError):
    """An object of a JSON text has a key twice; the message names the key and the way out."""


def distinct_keys(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; RepeatedKey if it has a key twice. For `object_pairs_hook` of `json.loads`."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RepeatedKey(f"the key {shown(key)} is there twice in one object: keep one of them")
        found[key] = value
    return found
