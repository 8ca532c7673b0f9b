"""Segments: conditions with a name, which recipes use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from functions.domain.audience.segments import MOST_DESCRIPTION, MOST_NAME, Segment
from functions.domain.roles import Role
from functions.handlers.api.criteria_schema import Where
from functions.handlers.api.route import Call, Model, Reply, Route
from functions.usecases.recipes.segments import (
    RecipeUsing,
    SegmentSaved,
    delete_segment,
    describe_segment,
    list_segments,
    recipes_using,
    save_segment,
    stored_segment,
    version_of_segment,
)

_AT = "/api/segments"
_EACH = f"{_AT}/{{segmentId}}"


class SegmentWritten(Model):
    """A segment as it should be."""

    name: str = Field(max_length=MOST_NAME)
    description: str = Field(default="", max_length=MOST_DESCRIPTION)
    where: Where = Field(description="Conditions on people, without segments.")


class NewSegment(SegmentWritten):
    """A segment to create. Without an id it gets one from the name."""

    id: str = Field(default="", max_length=100)


@dataclass(frozen=True, kw_only=True)
class SegmentShown:
    """A segment, and who is in it in words."""

    id: str
    name: str
    description: str
    where: Mapping[str, Any]
    words: str
    updated_at: datetime | None
    updated_by: str


@dataclass(frozen=True, kw_only=True)
class SegmentWithUsers(SegmentShown):
    """A segment, and the recipes that use it."""

    recipes: Sequence[RecipeUsing]


@dataclass(frozen=True, kw_only=True)
class SegmentChanged(SegmentShown):
    """A saved segment, the recipes that have its conditions from now on, and those that could not be changed."""

    changed_recipes: Sequence[str]
    unchanged_recipes: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class SegmentRemoved:
    """The deleted segment."""

    id: str


def get_segments(call: Call) -> Reply:
    """Answer every segment, by name."""
    return Reply(data=[SegmentShown(**_shown(call, each)) for each in list_segments(call.ports)])


def get_segment(call: Call) -> Reply:
    """Answer one segment with the recipes that use it, and its ETag."""
    found = stored_segment(call.ports, call.path["segmentId"])
    data = SegmentWithUsers(**_shown(call, found), recipes=recipes_using(call.ports, found.id))
    return Reply(data=data, etag=version_of_segment(found))


def post_segment(call: Call) -> Reply:
    """Create a segment."""
    asked: NewSegment = call.body
    written = Segment(id=asked.id, name=asked.name, description=asked.description, where=asked.where)
    saved = save_segment(call.ports, written, by=call.caller.name, create=True)
    location = {"Location": f"{_AT}/{saved.segment.id}"}
    return _saved(call, saved, f"segment {saved.segment.id} is created", status=201, headers=location)


def put_segment(call: Call) -> Reply:
    """Create or change a segment, and give its conditions to the recipes that use it."""
    asked: SegmentWritten = call.body
    wanted = call.path["segmentId"]
    written = Segment(id=wanted, name=asked.name, description=asked.description, where=asked.where)
    saved = save_segment(call.ports, written, by=call.caller.name, versions=call.if_match)
    return _saved(call, saved, f"segment {saved.segment.id} is saved")


def remove_segment(call: Call) -> Reply:
    """Delete a segment that no recipe uses."""
    wanted = call.path["segmentId"]
    delete_segment(call.ports, wanted, by=call.caller.name)
    return Reply(data=SegmentRemoved(id=wanted), message=f"segment {wanted} is removed")


def _saved(call: Call, saved: SegmentSaved, message: str, **more: Any) -> Reply:
    unchanged = dict(saved.unchanged or {})
    texts = [message]
    texts += [f"{len(saved.changed)} recipes have its new conditions"] if saved.changed else []
    texts += [f"recipe {name} could not be changed: {why}" for name, why in unchanged.items()]
    shown = _shown(call, saved.segment)
    data = SegmentChanged(**shown, changed_recipes=saved.changed, unchanged_recipes=unchanged)
    return Reply(data=data, message="; ".join(texts), etag=version_of_segment(saved.segment), **more)


def _shown(call: Call, segment: Segment) -> Mapping[str, Any]:
    return {**vars(segment), "words": describe_segment(call.ports, segment)}


ROUTES = (
    Route(
        method="GET",
        path=_AT,
        least=Role.VIEWER,
        summary="List segments, by name",
        serve=get_segments,
        answer=list[SegmentShown],
    ),
    Route(
        method="POST",
        path=_AT,
        least=Role.OPERATOR,
        summary="Create a segment",
        serve=post_segment,
        body=NewSegment,
        answer=SegmentChanged,
        status=201,
        refusals=(409,),
    ),
    Route(
        method="GET",
        path=_EACH,
        least=Role.VIEWER,
        summary="Read a segment, and which recipes use it",
        serve=get_segment,
        answer=SegmentWithUsers,
        etag=True,
    ),
    Route(
        method="PUT",
        path=_EACH,
        least=Role.OPERATOR,
        summary="Create or change a segment, and the recipes that use it",
        serve=put_segment,
        body=SegmentWritten,
        answer=SegmentChanged,
        etag=True,
        refusals=(409,),
    ),
    Route(
        method="DELETE",
        path=_EACH,
        least=Role.OPERATOR,
        summary="Delete a segment that no recipe uses",
        serve=remove_segment,
        answer=SegmentRemoved,
        refusals=(409,),
    ),
)
