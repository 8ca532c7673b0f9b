"""Save and delete segments. A change reaches the recipes that use the segment, with their next sends."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from audience_jobs.conditions.reading import read_condition
from audience_jobs.conditions.sentences import sentence
from audience_jobs.conditions.traits import traits_of
from audience_jobs.errors import BadCriteria
from functions.domain.audience.segments import (
    MOST_SEGMENTS,
    Segment,
    checked_segment,
    segment_id,
    segments_in,
)
from functions.domain.audit import Action
from functions.domain.documents import fingerprint
from functions.domain.errors import BadFields, BadRecipe, FieldError, NotFound, NotPossible, Stale, Unreadable
from functions.ports import Ports
from functions.usecases.deeds import deed_now
from functions.usecases.recipes.save import renew_segments


@dataclass(frozen=True, kw_only=True)
class RecipeUsing:
    """A recipe that uses a segment."""

    id: str
    name: str
    status: str


@dataclass(frozen=True, kw_only=True)
class SegmentSaved:
    """A saved segment, and the recipes that have its conditions now. `unchanged` could not be changed, and why."""

    segment: Segment
    changed: Sequence[str] = ()
    unchanged: Mapping[str, str] | None = None


def list_segments(ports: Ports) -> Sequence[Segment]:
    """Return every segment, by name."""
    return sorted(ports.segments.all(), key=lambda each: (each.name.casefold(), each.id))


def stored_segment(ports: Ports, wanted: str) -> Segment:
    """Return a segment; NotFound if there is none."""
    found = ports.segments.get(wanted)
    if found is None:
        raise NotFound(f"there is no segment {wanted!r}")
    return found


def version_of_segment(segment: Segment) -> str:
    """Return a name for the content of a segment that changes with it."""
    return fingerprint({"name": segment.name, "description": segment.description, "where": segment.where})


def describe_segment(ports: Ports, segment: Segment) -> str:
    """Describe in words who is in a segment; why its conditions cannot be read, if so."""
    if not ports.workspace.has_models:
        return "not known: the workspace lacks models/people.sql"
    try:
        return sentence(read_condition(segment.where, traits_of(ports.workspace.models)))
    except BadCriteria as error:
        return "; ".join(f"{field} {reason}" for field, reason in error.errors)


def recipes_using(ports: Ports, wanted: str) -> Sequence[RecipeUsing]:
    """Return the recipes that use a segment, by id. This reads every recipe."""
    return [
        RecipeUsing(id=document["id"], name=str(document.get("name") or ""), status=str(document.get("status") or ""))
        for document in ports.recipes.all()
        if wanted in used_in(document)
    ]


def used_in(document: Mapping[str, Any]) -> set[str]:
    """Return the ids of the segments that a recipe's document uses."""
    criteria = document.get("audienceCriteria")
    return set(segments_in(criteria.get("where"))) if isinstance(criteria, Mapping) else set()


def save_segment(
    ports: Ports, written: Segment, *, by: str, create: bool = False, versions: Collection[str] | None = None
) -> SegmentSaved:
    """Create or replace a segment, and give its conditions to the recipes that use it.

    BadFields names what is wrong. NotPossible if `create` finds one with the id. Stale if the stored one has none of
    the `versions`. If this stops half way, `reconcile` gives the conditions to the remaining recipes.
    """
    written = written if written.id else replace(written, id=segment_id(written.name))
    segment = check_segment(ports, written)

    def change(stored: Segment | None) -> Segment:
        if create and stored is not None:
            raise NotPossible(f"there is a segment {segment.id!r} already: choose another name or id")
        if (
            versions is not None
            and "*" not in versions
            and (stored is None or version_of_segment(stored) not in versions)
        ):
            raise Stale(f"segment {segment.id!r} has been changed since you read it: read it again, and change that")
        return replace(segment, updated_at=deed.at, updated_by=by)

    deed = deed_now(ports, by, Action.SAVED)
    if ports.segments.get(segment.id) is None and len(ports.segments.all()) >= MOST_SEGMENTS:
        raise NotPossible(f"there are {MOST_SEGMENTS} segments, which is the most: delete one that no campaign uses")
    saved = ports.segments.change(segment.id, change, deed) or segment
    changed, unchanged = renew_recipes(ports, {segment.id}, by=by)
    return SegmentSaved(segment=saved, changed=changed, unchanged=unchanged)


def renew_recipes(ports: Ports, segments: Collection[str], *, by: str) -> tuple[list[str], dict[str, str]]:
    """Give recipes the current conditions of segments; return the changed ones, and the others with the reason."""
    changed, unchanged = list[str](), dict[str, str]()
    for document in ports.recipes.all():
        if not used_in(document) & set(segments):
            continue
        try:
            if renew_segments(ports, document["id"], by=by) is not None:
                changed.append(document["id"])
        except (BadRecipe, NotFound, NotPossible, Unreadable) as error:
            unchanged[document["id"]] = str(error)
    return changed, unchanged


def delete_segment(ports: Ports, wanted: str, *, by: str) -> None:
    """Delete a segment; NotPossible while a recipe uses it, NotFound if there is none."""
    stored_segment(ports, wanted)
    if using := recipes_using(ports, wanted):
        names = ", ".join(each.id for each in using[:10])
        raise NotPossible(f"{len(using)} recipes use the segment {wanted!r}: take it out of {names} first")
    ports.segments.change(wanted, lambda _: None, deed_now(ports, by, Action.DELETED))


def check_segment(ports: Ports, written: Segment) -> Segment:
    """Return a segment as it is saved; BadFields names everything that is wrong."""
    errors, segment = list[FieldError](), written
    try:
        segment = checked_segment(written)
    except BadFields as error:
        errors += error.errors
    if "where" not in {each.field for each in errors}:
        errors += _wrong_where(ports, written)
    if errors:
        raise BadFields(errors)
    return segment


def _wrong_where(ports: Ports, segment: Segment) -> list[FieldError]:
    if not ports.workspace.has_models:
        return [FieldError("where", "needs models/people.sql, which the workspace lacks")]
    try:
        read_condition(segment.where, traits_of(ports.workspace.models))
    except BadCriteria as error:
        return [FieldError(field, reason) for field, reason in error.errors]
    return []
