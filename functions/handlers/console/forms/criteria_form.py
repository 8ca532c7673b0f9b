"""How a campaign's audience is chosen, as fields of the form: conditions, a job, a list of people, or SQL.

Only the fields of the chosen way count. Criteria that they cannot show stay in the field of JSON beside them, and
count as well, so nothing of a document is lost.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from functions.domain.audience.segments import Segment, with_segments
from functions.domain.errors import FieldError
from functions.handlers.console.forms.condition_rows import (
    SEGMENT_NAME,
    WHERE,
    Fields,
    blank_rows,
    is_blank,
    read_rows,
    rows_of,
    show_rows,
)
from functions.handlers.console.forms.condition_view import DELETED
from functions.handlers.console.forms.filter_fields import read_filters, read_packs, show_filters, show_packs
from functions.handlers.console.forms.form_fields import BEFORE_QUERY, QUERY
from functions.handlers.console.forms.job_parameters import JOB
from functions.handlers.console.forms.recipe_form import Sent, Values
from functions.handlers.console.forms.widgets import read_json, show_json
from functions.usecases.recipes.criteria_parts import USER_IDS, Traits, Workspace, traits_of

HOW = "audience"
"""The field that says how the audience is chosen."""
CONDITIONS, A_JOB, A_LIST, SQL = "conditions", "job", "list", "sql"
WAYS: Mapping[str, tuple[str, str]] = {
    CONDITIONS: ("People who match conditions", "Build the audience from what is known of each person."),
    A_JOB: ("A prepared audience", "Use an audience that your team has defined."),
    A_LIST: ("A list of people", "Upload a CSV file, or paste user IDs."),
    SQL: ("SQL", "Write a query that returns user_id."),
}
"""The ways to choose an audience, with their names and what they are for."""
IDS, STATEMENT = "audience.ids", "audience.sql"
FIELD_NAMES = (HOW, IDS, STATEMENT)
_CHOOSE = {"column": "Choose what to compare", "segment": "Choose a segment"}
FindSegment = Callable[[str], Segment | None]
_EVERYONE: Mapping[str, Any] = {"all": []}
_SEPARATORS = re.compile(r"[\s,;]+")
_PLACE = re.compile(r"audienceCriteria\.(where[^ ]*)")


def shown_in_criteria(values: Values, workspace: Workspace) -> Values:
    """Return a form's values with the criteria of its way in their own fields, as far as these show them."""
    written = _written(values)
    how = _way_of(values, written, workspace)
    fields: Values = {HOW: how}
    for key, part in _parts(how, workspace).items():
        if key in written and (shown := part.show(written[key])):
            fields |= shown
            del written[key]
    if workspace.has_models and not rows_of(fields):
        fields |= blank_rows()
    return {**values, **fields, QUERY: show_json(written) if written else ""}


def with_criteria(sent: Sent, stored: Mapping[str, Any], workspace: Workspace, find: FindSegment) -> Sent:
    """Return a submitted form whose document has the criteria of the chosen way, with the conditions of segments.

    Criteria that the fields show unchanged stay as they are stored. A form that names no way stays as it is.
    """
    how = sent.values.get(HOW, "")
    if how not in WAYS:
        return sent
    criteria, errors = dict(sent.document["audienceCriteria"]), list(sent.errors)
    if how != A_JOB:
        _leave_job(criteria)
        errors = [error for error in errors if error.field != BEFORE_QUERY]
    before = stored.get("audienceCriteria")
    before = before if isinstance(before, Mapping) else {}
    for key, part in _parts(how, workspace).items():
        value = _unchanged(part, sent.values, before.get(key)) or part.read(sent.values)
        if key in criteria and criteria[key] is not None:
            if value and not (key == WHERE and is_blank(rows_of(sent.values))):
                errors += _merged(criteria, key, value)
        elif value is not None:
            criteria[key] = value
        elif part.needed:
            errors.append(FieldError(part.needed, part.reason))
    if WHERE in criteria:
        criteria[WHERE], missing = with_conditions(criteria[WHERE], find)
        errors += missing
    return replace(sent, document={**sent.document, "audienceCriteria": criteria}, errors=errors)


def with_conditions(where: Any, find: FindSegment) -> tuple[Any, list[FieldError]]:
    """Return conditions with those of their segments, and errors where one does not exist: it finds everyone."""
    found, missing = with_segments(where, find)
    if missing:
        found, _ = with_segments(
            where, lambda wanted: find(wanted) or Segment(id=wanted, name=wanted, where=_EVERYONE)
        )
    return found, [FieldError(f"audienceCriteria.{place}", DELETED) for place in missing]


def at_fields(errors: Sequence[FieldError], values: Values, workspace: Workspace) -> list[FieldError]:
    """Return errors of criteria at the fields of the chosen way that show them."""
    how = values.get(HOW, "")
    rows = read_rows(values, traits_of(workspace.models)).rows if _has_rows(how, workspace) else {}
    places = {A_LIST: {f"audienceCriteria.{USER_IDS}": IDS}, SQL: {"audienceCriteria.customQuery": STATEMENT}}
    return [_moved(error, rows, places.get(how, {}), values) for error in errors]


def names_of(values: Values) -> list[str]:
    """Return the names of the fields of the audience that a form has, to lead errors to them."""
    return [*FIELD_NAMES, SEGMENT_NAME, *rows_of(values), *(name for name in values if name.startswith("filters."))]


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A key of the criteria with its own fields: `show` returns none if they cannot show a value exactly."""

    show: Callable[[Any], Fields]
    read: Callable[[Mapping[str, str]], Any]
    needed: str = ""
    reason: str = ""


def _parts(how: str, workspace: Workspace) -> dict[str, _Part]:
    if _has_rows(how, workspace):
        traits = traits_of(workspace.models)
        return {WHERE: _Part(show=lambda where: _rows(where, traits), read=lambda sent: _where(sent, traits))}
    if how == CONDITIONS:
        return {
            "filters": _Part(
                show=lambda written: show_filters(written, workspace.filters),
                read=lambda sent: read_filters(sent, workspace.filters),
            ),
            "dataPacks": _Part(
                show=lambda written: show_packs(written, workspace.data_packs),
                read=lambda sent: read_packs(sent, workspace.data_packs),
            ),
        }
    if how == A_LIST:
        return {USER_IDS: _Part(show=_show_ids, read=_ids, needed=IDS, reason="Add at least one user ID")}
    if how == SQL:
        return {
            "customQuery": _Part(
                show=_show_sql,
                read=_statement,
                needed=STATEMENT,
                reason="Write a query, such as SELECT user_id FROM ...",
            )
        }
    return {}


def _has_rows(how: str, workspace: Workspace) -> bool:
    return how == CONDITIONS and workspace.has_models


def _way_of(values: Values, written: Mapping[str, Any], workspace: Workspace) -> str:
    """Return the way that a document has chosen; for a new one the best of the workspace."""
    if values.get(JOB):
        return A_JOB
    for key, how in (
        (WHERE, CONDITIONS),
        ("filters", CONDITIONS),
        ("dataPacks", CONDITIONS),
        (USER_IDS, A_LIST),
        ("customQuery", SQL),
    ):
        if key in written:
            return how
    return CONDITIONS if workspace.has_models or written else A_JOB


def _written(values: Values) -> dict[str, Any]:
    try:
        found = read_json(values.get(QUERY, ""))
    except (ValueError, RecursionError):
        return {}
    return dict(found) if isinstance(found, Mapping) else {}


def _unchanged(part: _Part, values: Values, stored: Any) -> Any:
    shown = {} if stored is None else part.show(stored)
    same = bool(shown) and show_json(part.read(shown)) == show_json(part.read(values))
    return stored if same else None


def _merged(criteria: dict[str, Any], key: str, value: Any) -> list[FieldError]:
    """Add the value of fields to one of the JSON, which keeps what the fields cannot show."""
    written = criteria[key]
    if key == "filters" and isinstance(written, Mapping):
        criteria[key] = {**written, **value}
        return []
    return [FieldError(QUERY, f"has {key}, and so do the fields above: keep one of the two")]


def _leave_job(criteria: dict[str, Any]) -> None:
    script = criteria.get("customScript")
    if isinstance(script, Mapping):
        kept = {key: value for key, value in script.items() if key not in ("scriptId", "parameters")}
        criteria.pop("customScript")
        criteria |= {"customScript": kept} if kept else {}


def _rows(where: Any, traits: Traits) -> Fields:
    return show_rows(where, traits) if isinstance(where, Mapping) else {}


def _where(values: Mapping[str, str], traits: Traits) -> Any:
    return read_rows(values, traits).condition


def _show_ids(written: Any) -> Fields:
    text = "\n".join(written) if isinstance(written, list) and all(isinstance(id_, str) for id_ in written) else ""
    return {IDS: text} if text and _ids({IDS: text}) == written else {}


def _ids(values: Mapping[str, str]) -> list[str] | None:
    return [id_ for id_ in _SEPARATORS.split(values.get(IDS, "")) if id_] or None


def _show_sql(written: Any) -> Fields:
    return {STATEMENT: written} if isinstance(written, str) and written.strip() and "\r" not in written else {}


def _statement(values: Mapping[str, str]) -> str | None:
    text = values.get(STATEMENT, "")
    return text if text.strip() else None


def _moved(error: FieldError, rows: Mapping[str, str], places: Mapping[str, str], values: Values) -> FieldError:
    if error.field in places:
        return FieldError(places[error.field], error.reason)
    found = _PLACE.fullmatch(error.field)
    at = [path for path in rows if found and re.match(re.escape(path) + r"(\.|$|\[)", found[1])]
    if not found or not at:
        return error
    nearest = max(at, key=len)
    row, rest = rows[nearest], found[1][len(nearest) :].removeprefix(".")
    last = re.split(r"[.\[]", rest)[0]
    if last in ("did", "did_not"):
        return FieldError(f"{row}.model", error.reason if values.get(f"{row}.model") else "Choose an event")
    if last in _CHOOSE and not values.get(f"{row}.{last}"):
        return FieldError(f"{row}.{last}", _CHOOSE[last])
    if last == "value" and error.reason.startswith("is missing"):
        return FieldError(f"{row}.value", "Enter a value")
    if last == "times":
        last = rest.rpartition(".")[2] if "." in rest else "at_least"
    name = f"{row}.{last}"
    if name not in values:
        name = next(
            (f"{row}.{each}" for each in ("match", "json", "column", "model") if f"{row}.{each}" in values), row
        )
    return FieldError(name, error.reason)
