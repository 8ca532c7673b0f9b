"""Segments in forms: those to choose from, and the rows of a form saved as a segment."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from functions.domain.audience.segments import Segment, segment_id
from functions.domain.errors import BadFields, FieldError, NotPossible
from functions.handlers.console.forms.condition_rows import (
    SAVE_SEGMENT,
    SEGMENT_NAME,
    one_segment,
    read_rows,
    rows_of,
)
from functions.handlers.console.forms.condition_view import SegmentView
from functions.handlers.console.forms.reshaping import Reshaped, Values
from functions.handlers.console.visit import Visit
from functions.ports import Ports
from functions.usecases.recipes.criteria_parts import traits_of
from functions.usecases.recipes.segments import (
    SegmentSaved,
    check_segment,
    describe_segment,
    list_segments,
    save_segment,
)

FOR_SEGMENT = "segment.form"
"""A field that the form of a segment has: its rows name no other segment."""


def segment_views(ports: Ports, values: Mapping[str, str]) -> Mapping[str, SegmentView]:
    """Return the segments to choose from, by id, in order of their names; those in the rows with who is in them."""
    chosen = {text for name, text in rows_of(values).items() if name.endswith(".segment")}
    return {
        each.id: SegmentView(
            name=each.name, words=capital(describe_segment(ports, each)) if each.id in chosen else ""
        )
        for each in list_segments(ports)
    }


def capital(words: str) -> str:
    """Return words with a capital first letter."""
    return words[:1].upper() + words[1:]


def rows_condition(visit: Visit, values: Mapping[str, str]) -> Any:
    """Return what the rows of a form mean. The workspace has models."""
    return read_rows(values, traits_of(visit.ports.workspace.models)).condition


def check_typed(visit: Visit, segment: Segment) -> None:
    """Check a segment as a person typed it; BadFields has the reasons in words, by the fields of the form."""
    errors, name = list[FieldError](), segment.name.strip()
    if not name:
        errors.append(FieldError("name", "Enter a name"))
    others = (each.name.casefold() for each in visit.ports.segments.all() if each.id != segment.id)
    if name and name.casefold() in others:
        errors.append(FieldError("name", f"There is a segment called {name} already. Choose another name"))
    try:
        check_segment(visit.ports, segment if segment.id else replace(segment, id="new"))
    except BadFields as error:
        known = {each.field for each in errors}
        errors += [_in_form(each) for each in error.errors if each.field not in known]
    if errors:
        raise BadFields(errors)


def save_typed(visit: Visit, segment: Segment, version: str = "") -> SegmentSaved:
    """Save a segment as a person typed it, as a new one if it has no id; BadFields as in `check_typed`.

    Stale if the stored one has another version.
    """
    check_typed(visit, segment)
    is_new = not segment.id
    if is_new:
        segment = replace(segment, id=_free_id(segment.name, {each.id for each in visit.ports.segments.all()}))
    versions = None if is_new else (version,)
    try:
        return save_segment(visit.ports, segment, by=visit.caller.name, create=is_new, versions=versions)
    except NotPossible as error:
        raise BadFields([FieldError("name", str(error))]) from error


def kept_as_segment(visit: Visit, values: Values, pushes: int) -> Reshaped | None:
    """Save the rows of a form as a segment, which takes their place. None if that button was not pressed."""
    if values.get("shape") != SAVE_SEGMENT or not visit.ports.workspace.has_models:
        return None
    where, name = rows_condition(visit, values), values.get(SEGMENT_NAME, "")
    try:
        segment = save_typed(visit, Segment(id="", name=name, where=where)).segment
    except BadFields as error:
        errors = tuple(replace(each, field=SEGMENT_NAME) if each.field == "name" else each for each in error.errors)
        return Reshaped(values=values, pushes=pushes, focus=SEGMENT_NAME, said="Not saved.", errors=errors)
    others = {each: text for each, text in values.items() if each not in (SEGMENT_NAME, *rows_of(values))}
    said = f"Saved as the segment {segment.name}."
    return Reshaped(values=others | one_segment(segment.id), pushes=pushes, focus="", said=said)


def _free_id(name: str, taken: Collection[str]) -> str:
    """Return an id for a name that no segment has: names in other alphabets, or alike, get a number.

    `new` is the address of the form of a new one.
    """
    base = segment_id(name) or "segment"
    return next(each for each in (base, *(f"{base}-{at}" for at in range(2, 1000))) if each not in (*taken, "new"))


def _in_form(error: FieldError) -> FieldError:
    """Return an error of a segment at the place of the form: its conditions are those of an audience there."""
    if error.field.startswith("where"):
        return FieldError(f"audienceCriteria.{error.field}", error.reason)
    return error
