"""Segments: conditions with a name. A recipe that uses one keeps a copy of its conditions beside the name.

So a recipe says by itself who it is for: in files, in snapshots of executions, and in every query. Saving a recipe or
a segment renews the copies.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from functions.domain.errors import BadFields, FieldError
from functions.domain.ids import RECIPE_ID

SUBJECT = "audience.segments"
"""The subject of the segments in the audit log. The id of a recipe cannot contain a dot."""
MOST_NAME, MOST_DESCRIPTION, MOST_SEGMENTS = 100, 500, 200
Where = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Conditions on people with a name."""

    id: str
    name: str
    where: Where
    description: str = ""
    updated_at: datetime | None = None
    updated_by: str = ""


def segment_id(name: str) -> str:
    """Return the id for a name: `VIPs, 2026` becomes `vips-2026`; empty without a letter or digit of ASCII."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-")


def checked_segment(segment: Segment) -> Segment:
    """Return a segment with plain texts; BadFields names what is wrong, but for its conditions."""
    kept = replace(segment, name=segment.name.strip(), description=segment.description.strip())
    errors = []
    if not RECIPE_ID.fullmatch(kept.id):
        errors.append(FieldError("id", f"must be small letters, digits and dashes, got {kept.id!r}"))
    if not 0 < len(kept.name) <= MOST_NAME or not kept.name.isprintable():
        errors.append(FieldError("name", f"must have 1 to {MOST_NAME} characters"))
    if len(kept.description) > MOST_DESCRIPTION:
        errors.append(FieldError("description", f"must have at most {MOST_DESCRIPTION} characters"))
    if next(segments_in(kept.where), None) is not None:
        errors.append(FieldError("where", "uses a segment: write its conditions instead"))
    if errors:
        raise BadFields(errors)
    return kept


def segments_in(where: object) -> Iterator[str]:
    """Yield the id of each segment that conditions use."""
    for _, node in _nodes(where, ""):
        yield str(node["segment"])


def with_segments(where: Any, find: Callable[[str], Segment | None]) -> tuple[Any, list[str]]:
    """Return conditions with the current ones of their segments, and the places of segments that do not exist."""
    if next(_nodes(where, ""), None) is None:
        return where, []
    missing: list[str] = []

    def renewed(node: Any, place: str) -> Any:
        if not isinstance(node, Mapping):
            return node
        if "segment" in node:
            segment = find(node["segment"]) if isinstance(node["segment"], str) else None
            if segment is None:
                missing.append(f"{place}.segment")
                return node
            return {**node, "where": segment.where}
        return {
            **node,
            **{
                kind: [renewed(each, f"{place}.{kind}[{at}]") for at, each in enumerate(node[kind])]
                for kind in ("all", "any")
                if isinstance(node.get(kind), list)
            },
            **({"not": renewed(node["not"], f"{place}.not")} if "not" in node else {}),
        }

    return renewed(where, "where"), missing


def _nodes(where: object, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(where, Mapping):
        return
    if "segment" in where:
        yield place, where
        return
    for kind in ("all", "any"):
        for each in where[kind] if isinstance(where.get(kind), list) else []:
            yield from _nodes(each, place)
    yield from _nodes(where.get("not"), place)
