"""The sections of the recipe form, with their fields in order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from functions.handlers.console.forms.form_fields import (
    BEFORE_QUERY,
    QUERY,
    FormField,
    QueryField,
    push_fields,
    recipe_fields,
)
from functions.handlers.console.forms.widgets import Kind

_ADVANCED = "settings"
_SECTIONS = {"audienceCriteria": "Audience", "schedule": "Schedule", _ADVANCED: "Safeguards and advanced settings"}
"""The objects of a document with their own sections, in the order of the form, after the pushes."""
_LESS_USED = ("id", "description", "tags", "owner", "type", "topic")
_COMPOSED = (
    "title",
    "body",
    "deepLink",
    "image",
    "buttons",
    "translations",
    "requireLocales",
    "layerId",
    "audienceName",
)
"""The fields of a push that the page lays out itself, besides its timing."""
_PLATFORMS = {"android": "Android", "ios": "iOS", "web": "Web"}

Groups = Sequence[tuple[str, Sequence[tuple[str, FormField]]]]
"""Groups of fields by name, each with its layout: `fields` in a grid, `checks` or `wide`."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section with its groups of fields. `push` is the position of the section's push.

    `more` are headed groups that most campaigns do not need, and `more_heading` is above them all. `hidden` fields
    keep their values.
    """

    id: str
    heading: str
    groups: Groups = ()
    push: int | None = None
    hidden: Sequence[str] = ()
    more: Sequence[tuple[str, Groups]] = ()
    more_heading: str = ""


def form_sections(pushes: int, query: QueryField, *, new: bool, hidden: Sequence[str] = ()) -> list[Section]:
    """Return the sections of a form with `pushes` pushes, and `query` for the criteria.

    In the form of a `new` recipe the id can be chosen. `hidden` fields of the recipe keep their values.
    """
    fields = recipe_fields()
    own = {path: field for path, field in fields.items() if "." not in path and path not in hidden}
    own = {path: field for path, field in own.items() if new or path != "id"}
    first = {path: field for path, field in own.items() if path not in _LESS_USED}
    more = [("", _groups({path: field for path, field in own.items() if path in _LESS_USED}))]
    found = [
        Section(
            id="campaign",
            heading="Campaign",
            groups=_groups(first),
            more=more,
            more_heading="Description, tags, owner and more",
            hidden=hidden,
        )
    ]
    found += [_push_section(position) for position in range(pushes)]
    for key, heading in _SECTIONS.items():
        named = {path: field for path, field in fields.items() if path.startswith(f"{key}.")}
        groups = _groups(_with_query(named, query))
        if key == _ADVANCED:
            found.append(Section(id=key, heading="", more=[("", groups)], more_heading=heading))
        else:
            found.append(Section(id=key, heading=heading, groups=groups))
    return found


def _push_section(position: int) -> Section:
    """Return the section of a push. The first push follows none, so its timing is a hidden field."""
    base, fields = f"pushSequence[{position}]", push_fields()
    timing = [path for path in fields if path.startswith("timing.")]
    parts: dict[str, dict[str, FormField]] = {"": {}, **{heading: {} for heading in _PLATFORMS.values()}}
    for path, field in fields.items():
        if path not in (*_COMPOSED, *timing):
            parts[_PLATFORMS.get(path.partition(".")[0], "")][f"{base}.{path}"] = field
    return Section(
        id=f"push-{position + 1}",
        heading=f"Push {position + 1}",
        push=position,
        hidden=[f"{base}.{path}" for path in ("from", *(timing if position == 0 else ()))],
        more=[(heading, _groups(each)) for heading, each in parts.items()],
        more_heading="Delivery and platforms",
    )


def _with_query(fields: Mapping[str, FormField], query: QueryField) -> dict[str, FormField]:
    found: dict[str, FormField] = {}
    for path, field in fields.items():
        found[path] = field
        if path == BEFORE_QUERY:
            found[QUERY] = query
    return found


def _groups(fields: Mapping[str, FormField]) -> Groups:
    def place(entry: tuple[str, FormField]) -> str:
        field = entry[1]
        if field.kind is Kind.CHECK:
            return "checks"
        return "wide" if field.rows or field.kind is Kind.WEEKDAYS else "fields"

    entries: Iterable[tuple[str, FormField]] = fields.items()
    return [(where, list(together)) for where, together in groupby(entries, key=place)]
