"""The sections of the recipe form, with their fields in order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from functions.domain.recipe.push_fields import CONTENT
from functions.handlers.console.forms.form_fields import (
    BEFORE_QUERY,
    QUERY,
    FormField,
    QueryField,
    push_fields,
    recipe_fields,
)
from functions.handlers.console.forms.widgets import Kind

_SECTIONS = {"audienceCriteria": "Audience", "schedule": "Schedule", "settings": "Safeguards and settings"}
"""The objects of a document with their own sections, in the order of the form, after the pushes."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section: `groups` of fields by name, each with its layout: `fields` in a grid, `checks` or `wide`.

    `push` is the position of the section's push. `hidden` fields keep their values. `more` are groups that most
    campaigns do not need.
    """

    id: str
    heading: str
    groups: Sequence[tuple[str, Sequence[tuple[str, FormField]]]]
    push: int | None = None
    hidden: Sequence[str] = ()
    more: Sequence[tuple[str, Sequence[tuple[str, FormField]]]] = ()


def form_sections(pushes: int, query: QueryField, *, new: bool) -> list[Section]:
    """Return the sections of a form with `pushes` pushes, and `query` for the criteria.

    In the form of a `new` recipe the id can be chosen.
    """
    fields = recipe_fields()
    own = {path: field for path, field in fields.items() if "." not in path and (new or path != "id")}
    found = [Section(id="campaign", heading="Campaign", groups=_groups(own))]
    found += [_push_section(position) for position in range(pushes)]
    for key, heading in _SECTIONS.items():
        named = {path: field for path, field in fields.items() if path.startswith(f"{key}.")}
        found.append(Section(id=key, heading=heading, groups=_groups(_with_query(named, query))))
    return found


def _push_section(position: int) -> Section:
    """Return the section of a push. The first push follows none, so its timing is a hidden field."""
    base, fields = f"pushSequence[{position}]", push_fields()
    timing = [path for path in fields if path.startswith("timing.") and position == 0]
    shown = {f"{base}.{path}": field for path, field in fields.items() if path not in timing}
    more = {
        path: field for path, field in shown.items() if path.removeprefix(f"{base}.").partition(".")[0] in CONTENT
    }
    main = {path: field for path, field in shown.items() if path not in more}
    hidden = [f"{base}.{path}" for path in ("from", *timing)]
    heading = f"Push {position + 1}"
    return Section(
        id=f"push-{position}",
        heading=heading,
        groups=_groups(main),
        push=position,
        hidden=hidden,
        more=_groups(more),
    )


def _with_query(fields: Mapping[str, FormField], query: QueryField) -> dict[str, FormField]:
    found: dict[str, FormField] = {}
    for path, field in fields.items():
        found[path] = field
        if path == BEFORE_QUERY:
            found[QUERY] = query
    return found


def _groups(fields: Mapping[str, FormField]) -> Sequence[tuple[str, Sequence[tuple[str, FormField]]]]:
    def place(entry: tuple[str, FormField]) -> str:
        field = entry[1]
        if field.kind is Kind.CHECK:
            return "checks"
        return "wide" if field.rows or field.kind is Kind.WEEKDAYS else "fields"

    entries: Iterable[tuple[str, FormField]] = fields.items()
    return [(where, list(together)) for where, together in groupby(entries, key=place)]
