"""The audience in the campaign form: rows of conditions that are redrawn, who they find, and why a person fits."""

import csv
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Response

from audience_jobs.errors import AudienceJobError
from functions.domain.access import Subject, SubjectKind
from functions.domain.errors import BadInput, BadRecipe, FieldError
from functions.domain.roles import Role
from functions.handlers.console.answering import page
from functions.handlers.console.forms.condition_rows import place_to_go, read_rows, reshaped_rows, uses_segment
from functions.handlers.console.forms.condition_view import DELETED, DID, MATCHES, MEMBER, YES_OR_NO, view_rows
from functions.handlers.console.forms.criteria_form import (
    A_JOB,
    CONDITIONS,
    HOW,
    WAYS,
    at_fields,
    with_conditions,
)
from functions.handlers.console.forms.field_labels import label_of
from functions.handlers.console.forms.filter_fields import filter_fields, pack_fields
from functions.handlers.console.forms.form_fields import QUERY
from functions.handlers.console.forms.recipe_form import Values, errors_by_field, typed_values
from functions.handlers.console.forms.segment_fields import FOR_SEGMENT, kept_as_segment, segment_views
from functions.handlers.console.forms.whole_form import criteria_field, read_form
from functions.handlers.console.subjects import of_audience
from functions.handlers.console.visit import Route, Visit
from functions.usecases.dry_run.query_audience import count_reachable, preview_audience, unknown_ids
from functions.usecases.dry_run.why import why_criteria
from functions.usecases.recipes.criteria_parts import Explained, condition_in_words, traits_of

_AT = "/recipes/audience"
_SAMPLES = 10
_MOST_UNKNOWN = 5
"""How many ids that belong to nobody are named."""
_OF_AUDIENCE = ("audience.", "audienceCriteria.where")


@dataclass(frozen=True, kw_only=True)
class _Found:
    """Who fits the criteria of a form. `reachable` is None where that is not known.

    `unknown` are ids of a list that belong to nobody in the user data.
    """

    words: str
    count: int
    reachable: int | None
    columns: Sequence[str]
    sample: Sequence[Sequence[str]]
    unknown: Sequence[str]


def audience_view(visit: Visit, values: Values) -> dict[str, Any]:
    """Return what the templates of the audience show beside the form's values and errors."""
    workspace = visit.ports.workspace
    traits = traits_of(workspace.models) if workspace.has_models else None
    own = FOR_SEGMENT in values
    segments = segment_views(visit.ports, values) if traits and not own else {}
    return {
        "how": values.get(HOW, A_JOB),
        "ways": WAYS,
        "has_rows": traits is not None,
        "rows": view_rows(values, traits, segments) if traits else None,
        "has_events": bool(traits and traits.events),
        "has_segments": bool(segments),
        "for_segment": own,
        "may_keep": not own and not uses_segment(values),
        "words": _words(visit, values),
        "filters": () if traits else filter_fields(workspace.filters),
        "packs": () if traits else pack_fields(workspace.data_packs),
        "go_to": place_to_go(values, visit.field("shape")),
        "id_format": workspace.user_ids,
        "label_of": label_of,
        "oob": False,
        "count_now": False,
        "DELETED": DELETED,
        "MOST_UNKNOWN": _MOST_UNKNOWN,
        "MATCHES": MATCHES,
        "MEMBER": MEMBER,
        "DID": DID,
        "YES_OR_NO": YES_OR_NO,
    }


def shape(visit: Visit) -> Response:
    """Answer with the rows after one was added, removed or changed."""
    values, errors = typed_values(visit.request.form), tuple[FieldError, ...]()
    if kept := kept_as_segment(visit, values, 0):
        values, errors = kept.values, kept.errors
    else:
        values = reshaped_rows(values, visit.field("shape"))
    at = _at(visit, errors, values)
    return page(visit, "form/audience_builder.html", values=values, errors=at, **audience_view(visit, values))


def words(visit: Visit) -> Response:
    """Answer with what the conditions say in words."""
    return page(visit, "form/audience_words.html", words=_words(visit, typed_values(visit.request.form)))


def count(visit: Visit) -> Response:
    """Count who fits the criteria of the form, and show some of them."""
    try:
        return _answer(visit, found=_found(visit, _criteria(visit)))
    except BadRecipe as error:
        return _answer(visit, errors=[_in_criteria(each) for each in error.errors])
    except AudienceJobError as error:
        return _answer(visit, trouble=str(error))


def why(visit: Visit) -> Response:
    """Say which conditions of the form a person fits."""
    user_id, found, trouble = visit.field("audience.person"), None, ""
    try:
        found = why_criteria(visit.ports, _criteria(visit), user_id)
    except BadRecipe as error:
        return _answer(visit, errors=error.errors)
    except (BadInput, AudienceJobError) as error:
        trouble = str(error) if user_id else "Enter a user ID."
    fits = found is not None and _fits(found)
    return page(
        visit,
        "form/audience_why.html",
        found=found,
        fits=fits,
        trouble=trouble,
        user_id=user_id,
        problems={},
        oob=False,
    )


def _fits(found: Explained) -> bool:
    holds = not found.conditions or found.conditions[0].holds
    return found.known and holds and all(row.found or row.optional for row in found.rows)


def _answer(
    visit: Visit, *, found: _Found | None = None, errors: Sequence[FieldError] = (), trouble: str = ""
) -> Response:
    values = typed_values(visit.request.form)
    at = _at(visit, errors, values)
    view = audience_view(visit, values) | {"oob": bool(errors)}
    return page(visit, "form/audience_found.html", values=values, errors=at, found=found, trouble=trouble, **view)


def _at(visit: Visit, errors: Sequence[FieldError], values: Values) -> dict[str, list[str]]:
    """Return errors by the fields to show them at."""
    return errors_by_field(at_fields(errors, values, visit.ports.workspace), list(values), criteria_field(visit))


def _criteria(visit: Visit) -> Mapping[str, Any]:
    """Return the criteria of the form; BadRecipe if they cannot be read."""
    sent = read_form(visit, visit.request.form, {})
    if wrong := [error for error in sent.errors if error.field == QUERY or error.field.startswith(_OF_AUDIENCE)]:
        raise BadRecipe(wrong)
    criteria: Mapping[str, Any] = sent.document["audienceCriteria"]
    return criteria


def _found(visit: Visit, criteria: Mapping[str, Any]) -> _Found:
    ports = visit.ports
    with TemporaryDirectory(prefix="tminus-") as name:
        folder = Path(name)
        found = preview_audience(ports.engine, criteria, ports.workspace, now=visit.now, folder=folder)
        with closing(found.csv.open(encoding="utf-8", newline="")) as file:
            columns, *sample = islice(csv.reader(file), _SAMPLES + 1)
        reachable = count_reachable(ports.engine, found, folder)
        alone = folder / "list"
        alone.mkdir()
        unknown = unknown_ids(ports.engine, criteria, ports.workspace, found, now=visit.now, folder=alone)
    return _Found(
        words=found.description,
        count=found.count,
        reachable=reachable,
        columns=columns,
        sample=sample,
        unknown=unknown,
    )


def _words(visit: Visit, values: Values) -> str:
    """Return the conditions in words; empty while they are incomplete, or where there are none."""
    workspace = visit.ports.workspace
    if not workspace.has_models or values.get(HOW, CONDITIONS) != CONDITIONS:
        return ""
    where, missing = with_conditions(
        read_rows(values, traits_of(workspace.models)).condition, visit.ports.segments.get
    )
    return "" if missing else condition_in_words(where, workspace)


def _in_criteria(error: FieldError) -> FieldError:
    """Return an error of criteria by its path in the document."""
    own = error.field.startswith("audience")
    return error if own else FieldError(f"audienceCriteria.{error.field}", error.reason)


def _person(visit: Visit) -> Subject:
    return Subject(kind=SubjectKind.USER, name=visit.field("audience.person"))


ROUTES = (
    Route(method="POST", path=f"{_AT}/shape", serve=shape, least=Role.OPERATOR),
    Route(method="POST", path=f"{_AT}/words", serve=words, least=Role.OPERATOR),
    Route(method="POST", path=f"{_AT}/count", serve=count, least=Role.OPERATOR, reads=of_audience, expensive=True),
    Route(method="POST", path=f"{_AT}/why", serve=why, least=Role.OPERATOR, reads=_person, expensive=True),
)
