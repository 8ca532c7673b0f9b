"""JSON objects that people write: a key that is there twice is a mistake, not a choice of the last one."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from functions.domain.documents import shown
from functions.domain.whole_numbers import json_number


class RepeatedKey(ValueError):
    """An object of a JSON text has a key twice; the message names the key and the way out."""


def parse_json(text: str, *, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Return the value of a JSON text, with whole numbers as integers.

    RepeatedKey, or the errors of `json.loads`, whose `parse_constant` it takes.
    """
    return json.loads(text, parse_float=json_number, parse_constant=parse_constant, object_pairs_hook=distinct_keys)


def distinct_keys(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; RepeatedKey if it has a key twice. For `object_pairs_hook` of `json.loads`."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RepeatedKey(f"the key {shown(key)} is there twice in one object: keep one of them")
        found[key] = value
    return found
