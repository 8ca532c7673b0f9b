"""Segments: the list, and the page of one, where operators change it and see which campaigns that affects."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response

from functions.domain.audience.segments import Segment
from functions.domain.documents import fingerprint
from functions.domain.errors import BadFields, FieldError, NotPossible, Stale
from functions.domain.roles import Role
from functions.handlers.console.answering import page, to
from functions.handlers.console.forms.condition_rows import blank_rows, show_rows
from functions.handlers.console.forms.criteria_form import CONDITIONS, HOW, at_fields
from functions.handlers.console.forms.recipe_form import Values, errors_by_field, typed_values
from functions.handlers.console.forms.reshaping import ACTIONS, reshaped
from functions.handlers.console.forms.segment_fields import (
    FOR_SEGMENT,
    capital,
    check_typed,
    rows_condition,
    save_typed,
)
from functions.handlers.console.forms.whole_form import criteria_field
from functions.handlers.console.notices import notices_of, with_notices
from functions.handlers.console.pages.audience import audience_view
from functions.handlers.console.viewer_zone import zone_of_viewer
from functions.handlers.console.visit import Route, Visit
from functions.usecases.recipes.criteria_parts import traits_of
from functions.usecases.recipes.segments import (
    SegmentSaved,
    delete_segment,
    describe_segment,
    list_segments,
    stored_segment,
    version_of_segment,
)
from functions.usecases.reports.segment_use import (
    CampaignUsing,
    campaigns_by_segment,
    campaigns_using,
    count_people,
)

_AT = "/segments"
_EACH = f"{_AT}/<segment_id>"
_LABELS = {"name": "Name", "description": "Description"}


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A change that other campaigns follow, before it is agreed to: the campaigns, and what stands for agreement."""

    campaigns: Sequence[CampaignUsing]
    agreement: str


def show_all(visit: Visit) -> Response:
    """Show every segment, or how to get them."""
    found, using = list_segments(visit.ports), campaigns_by_segment(visit.ports)
    return page(
        visit,
        "segments.html",
        has_models=visit.ports.workspace.has_models,
        segments=[(each, _words(visit, each), len(using.get(each.id, ()))) for each in found],
        deleted=visit.asked("outcome") == "deleted",
        zone=zone_of_viewer(visit),
    )


def new(visit: Visit) -> Response:
    """Show an empty form."""
    return _form(visit, {**blank_rows(), HOW: CONDITIONS, FOR_SEGMENT: "yes"})


def create(visit: Visit) -> Response:
    """Create the segment, or show the form again with errors."""
    values = typed_values(visit.request.form)
    if changed := reshaped(values, 0):
        return _form(visit, changed.values)
    try:
        saved = save_typed(visit, _written(visit, values, None))
    except BadFields as error:
        return _form(visit, values, errors=error.errors)
    return _saved(visit, saved, "created")


def show(visit: Visit) -> Response:
    """Show a segment: a form for those who may change it."""
    segment = stored_segment(visit.ports, visit.path["segment_id"])
    if not visit.may(Role.OPERATOR) or not visit.ports.workspace.has_models:
        return page(
            visit,
            "segment.html",
            segment=segment,
            words=_words(visit, segment),
            campaigns=campaigns_using(visit.ports, segment.id),
        )
    texts = {"name": segment.name, "description": segment.description, "version": version_of_segment(segment)}
    return _form(visit, {**_rows(visit, segment), **texts, HOW: CONDITIONS, FOR_SEGMENT: "yes"}, stored=segment)


def change(visit: Visit) -> Response:
    """Change a segment, or show the form again with errors, a question, or another person's changes."""
    values, stored = typed_values(visit.request.form), visit.ports.segments.get(visit.path["segment_id"])
    if stored is None:
        return _form(visit, {**values, "version": ""}, gone=True, status=409)
    if changed := reshaped(values, 0):
        return _form(visit, changed.values, stored=stored)
    written = _written(visit, values, stored)
    try:
        return _change(visit, values, written, stored)
    except BadFields as error:
        return _form(visit, values, stored=stored, errors=error.errors)
    except Stale:
        return _conflict(visit, values, written)


def _change(visit: Visit, values: Values, written: Segment, stored: Segment) -> Response:
    """Save a change, once the changes of its campaigns are agreed to."""
    check_typed(visit, written)
    version = values.get("version", "")
    if version != version_of_segment(stored):
        return _conflict(visit, values, written)
    if (asked := _asked(visit, written, stored)) and visit.field("agreed") != asked.agreement:
        return _form(visit, values, stored=stored, asked=asked)
    return _saved(visit, save_typed(visit, written, version), "saved")


def compare(visit: Visit) -> Response:
    """Count the people in a segment as it is stored, and as it would be."""
    stored = stored_segment(visit.ports, visit.path["segment_id"])
    where = _written(visit, typed_values(visit.request.form), stored).where
    before, after = count_people(visit.ports, stored.where), count_people(visit.ports, where)
    return page(visit, "segment_counts.html", before=before, after=after)


def ask_delete(visit: Visit) -> Response:
    """Ask whether to delete a segment, or name the campaigns that use it."""
    return _delete_page(visit)


def delete(visit: Visit) -> Response:
    """Delete a segment that no campaign uses."""
    try:
        delete_segment(visit.ports, visit.path["segment_id"], by=visit.caller.name)
    except NotPossible:
        return _delete_page(visit, 409)
    return to(visit, _AT, outcome="deleted")


def _delete_page(visit: Visit, status: int = 200) -> Response:
    segment = stored_segment(visit.ports, visit.path["segment_id"])
    using = campaigns_using(visit.ports, segment.id)
    return page(visit, "segment_delete.html", status=status, segment=segment, campaigns=using)


def _form(
    visit: Visit,
    values: Values,
    *,
    stored: Segment | None = None,
    errors: Sequence[FieldError] = (),
    asked: _Asked | None = None,
    rival: Mapping[str, Any] | None = None,
    gone: bool = False,
    status: int = 0,
) -> Response:
    """Show the form of a segment; of a new one without `stored`."""
    values = {name: text for name, text in values.items() if name not in ACTIONS}
    names, unsaved = ["name", "description", *values], visit.request.method == "POST"
    at = at_fields(errors, values, visit.ports.workspace)
    return page(
        visit,
        "segment_form.html",
        status=status or (422 if errors else 200),
        segment=stored,
        values=values,
        errors=errors_by_field(at, names, criteria_field(visit)),
        problems=len(errors),
        asked=asked,
        rival=rival,
        gone=gone,
        unsaved=unsaved,
        campaigns=campaigns_using(visit.ports, stored.id) if stored else (),
        outcome=visit.asked("outcome"),
        notices=notices_of(visit),
        **audience_view(visit, values) | {"count_now": bool(stored) and not unsaved},
    )


def _conflict(visit: Visit, values: Values, written: Segment) -> Response:
    """Show the form as it was typed, and what another person saved since."""
    stored = visit.ports.segments.get(written.id)
    if stored is None:
        return _form(visit, {**values, "version": ""}, gone=True, status=409)
    theirs = {
        _LABELS[name]: getattr(stored, name) for name in _LABELS if getattr(stored, name) != getattr(written, name)
    }
    theirs |= {"Conditions": _words(visit, stored)} if stored.where != written.where else {}
    rival = {"by": stored.updated_by, "at": stored.updated_at or visit.now, "theirs": theirs}
    values = {**values, "version": version_of_segment(stored)}
    return _form(visit, values, stored=stored, rival=rival, status=409)


def _asked(visit: Visit, written: Segment, stored: Segment) -> _Asked | None:
    """Return what to agree to before a change is saved; None if it changes no campaign."""
    using = () if written.where == stored.where else campaigns_using(visit.ports, stored.id)
    if not using:
        return None
    agreement = fingerprint({"where": written.where, "campaigns": sorted(each.id for each in using)})
    return _Asked(campaigns=using, agreement=agreement)


def _saved(visit: Visit, saved: SegmentSaved, outcome: str) -> Response:
    path = f"{_AT}/{saved.segment.id}"
    notices = [f"The campaign {name} could not be changed: {why}" for name, why in (saved.unchanged or {}).items()]
    return to(visit, path, outcome="changed" if saved.changed else outcome, **with_notices(path, notices))


def _rows(visit: Visit, segment: Segment) -> Values:
    return show_rows(segment.where, traits_of(visit.ports.workspace.models))


def _written(visit: Visit, values: Values, stored: Segment | None) -> Segment:
    """Return the segment of a form. Conditions that it shows unchanged stay as they are stored."""
    where = rows_condition(visit, values)
    if stored and where == rows_condition(visit, _rows(visit, stored)):
        where = stored.where
    name, description = values.get("name", "").strip(), values.get("description", "").strip()
    return Segment(id=stored.id if stored else "", name=name, description=description, where=where)


def _words(visit: Visit, segment: Segment) -> str:
    return capital(describe_segment(visit.ports, segment))


def _with_models(serve: Callable[[Visit], Response]) -> Callable[[Visit], Response]:
    """Return the list in place of what a workspace without models lacks; the list says so."""

    def served(visit: Visit) -> Response:
        return serve(visit) if visit.ports.workspace.has_models else show_all(visit)

    return served


ROUTES = (
    Route(method="GET", path=_AT, serve=show_all),
    Route(method="GET", path=f"{_AT}/new", serve=_with_models(new), least=Role.OPERATOR),
    Route(method="POST", path=f"{_AT}/new", serve=_with_models(create), least=Role.OPERATOR),
    Route(method="GET", path=_EACH, serve=show),
    Route(method="POST", path=_EACH, serve=_with_models(change), least=Role.OPERATOR),
    Route(method="POST", path=f"{_EACH}/compare", serve=_with_models(compare), least=Role.OPERATOR, expensive=True),
    Route(method="GET", path=f"{_EACH}/delete", serve=ask_delete, least=Role.OPERATOR),
    Route(method="POST", path=f"{_EACH}/delete", serve=delete, least=Role.OPERATOR),
)
