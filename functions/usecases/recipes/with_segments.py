"""Give a recipe the current conditions of the segments that it uses."""

from collections.abc import Mapping
from typing import Any

from functions.domain.audience.segments import with_segments
from functions.domain.errors import BadRecipe, FieldError
from functions.ports import Ports

_CRITERIA = "audienceCriteria"


def with_current_segments(ports: Ports, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a recipe's document with the stored conditions of its segments; BadRecipe if one does not exist.

    It reads the store only for a recipe that uses a segment.
    """
    criteria = document.get(_CRITERIA) if isinstance(document, Mapping) else None
    if not isinstance(criteria, Mapping):
        return document  # what is no recipe is refused later
    where, missing = with_segments(criteria.get("where"), ports.segments.get)
    if missing:
        known = ", ".join(each.id for each in ports.segments.all())
        there_are = f"there are {known}" if known else "there are none yet"
        raise BadRecipe([FieldError(f"{_CRITERIA}.{place}", f"is not a segment; {there_are}") for place in missing])
    return {**document, _CRITERIA: {**criteria, "where": where}} if "where" in criteria else document
