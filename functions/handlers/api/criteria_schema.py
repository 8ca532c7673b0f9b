"""The criteria of an audience's query in the OpenAPI document. `audience_jobs/criteria.py` validates them.

Null and an empty text set no condition.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Protocol

from pydantic import WithJsonSchema

from functions.handlers.api.schema_parts import NAMED, Schema, ref

_NULL: Schema = {"type": "null"}
_BLANK: Schema = {"type": "string", "const": ""}


def _component(name: str) -> Any:
    return Annotated[Any, WithJsonSchema({NAMED: name})]


Filters, DataPacks, UserIds, CustomQuery, Where, With = (
    _component(name)
    for name in ("AudienceFilters", "DataPacks", "UserIds", "CustomQuery", "AudienceWhere", "JoinedModels")
)


def _either(*schemas: Schema, **more: Any) -> Schema:
    return {"anyOf": [*schemas, _NULL], **more}


def _whole(minimum: int, maximum: int, **more: Any) -> Schema:
    return _either({"type": "integer", "minimum": minimum, "maximum": maximum}, _BLANK, **more)


_MOST_DAYS, _MOST_COUNT = 36_500, 1_000_000_000
_YES_OR_NO = _either({"type": "boolean"}, _BLANK)
_YES_NO_OR_ANY = _either({"type": "boolean"}, {"type": "string"}, description='True, false, or a word such as "any".')
_INSTANT: Schema = {"type": ["string", "null"], "description": "A day, from 0:00 UTC on, or an instant."}


class Filter(Protocol):
    """What the document says of a filter of the workspace."""

    @property
    def name(self) -> str:
        """Its name in recipes."""

    @property
    def kind(self) -> str:
        """The kind of its value: days, count, yes_no or instant."""

    @property
    def old(self) -> tuple[str, ...]:
        """Its names in old recipes."""


def _filter(of: Filter) -> Schema:
    schemas = {"days": _whole(1, _MOST_DAYS), "count": _whole(0, _MOST_COUNT), "yes_no": _YES_OR_NO}
    return schemas.get(of.kind, _INSTANT)


def _old_filter(of: Filter) -> Schema:
    words = f"The old name of {of.name}; 0 sets no condition."
    if of.kind in ("days", "count"):
        return _whole(0, _MOST_DAYS if of.kind == "days" else _MOST_COUNT, description=words)
    return _YES_NO_OR_ANY if of.kind == "yes_no" else _INSTANT


def _old_filters(filters: Sequence[Filter]) -> Schema:
    return {name: _old_filter(each) for each in filters for name in each.old}


def _object(required: Schema, optional: Schema | None = None, **more: Any) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


_CONDITIONS: Schema = {"type": "array", "items": ref("Condition")}
OPERATORS = (
    *(
        "after",
        "anniversary_in_days",
        "at_least",
        "at_most",
        "before",
        "between",
        "contains",
        "empty",
        "is",
        "is_not",
    ),
    *("none_of", "not_empty", "not_within_days", "one_of", "starts_with", "within_days"),
)
"""The operators of conditions; which of them a column has depends on its type."""
_EVENTS: Schema = {
    "within_days": {"type": "integer", "minimum": 1, "maximum": _MOST_DAYS},
    "where": ref("Condition"),
}

_CRITERIA: Schema = {
    "filters": _either(ref("AudienceFilters")),
    "dataPacks": _either(ref("DataPacks")),
    "manualUserIds": _either(ref("UserIds")),
    "customQuery": _either(ref("CustomQuery")),
    "where": _either(ref("AudienceWhere")),
    "with": _either(ref("JoinedModels")),
}
_SCHEMAS: Mapping[str, Schema] = {
    "AudienceFilters": {
        "description": "A user has to meet all of these conditions. An empty text sets no condition.",
        "anyOf": [ref("FilterFields"), _BLANK],
    },
    "DataPacks": {
        "description": "Data packs by name; old clients write an object of true and false.",
        "anyOf": [
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "additionalProperties": {"type": "boolean"}},
            _BLANK,
        ],
    },
    "UserIds": {
        "description": "User ids: a list, or a text with commas or blanks between them.",
        "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}],
    },
    "CustomQuery": {"type": "string", "description": "One SELECT that yields user_id."},
    "AudienceWhere": {
        "description": "Conditions on the people of the workspace; an empty text is none.",
        "anyOf": [ref("Condition"), _BLANK],
    },
    "Condition": {
        "description": "A condition: exactly one of all, any, not, column, did, did_not and segment.",
        "anyOf": [ref(name) for name in ("AllOf", "AnyOf", "NoneOf", "ColumnIs", "Did", "DidNot", "InSegment")],
    },
    "AllOf": _object({"all": _CONDITIONS}, description="Every one of these; without any, all users."),
    "AnyOf": _object({"any": {**_CONDITIONS, "minItems": 1}}, description="At least one of these."),
    "NoneOf": _object({"not": ref("Condition")}, description="Users who do not fit the condition."),
    "ColumnIs": _object(
        {"column": {"type": "string"}, "op": {"type": "string", "enum": list(OPERATORS)}},
        {"value": {"description": "What the column is compared with; none for empty and not_empty."}},
        description="A column of people, or of the events that did counts.",
    ),
    "Did": _object(
        {"did": {"type": "string"}},
        {"times": ref("Times"), **_EVENTS},
        description="Users with events of a model: at least one, unless times says otherwise.",
    ),
    "DidNot": _object({"did_not": {"type": "string"}}, _EVENTS, description="Users without such an event."),
    "InSegment": _object(
        {"segment": {"type": "string"}},
        {"where": ref("Condition")},
        description="The users of a segment. Saving the recipe writes the segment's conditions as where.",
    ),
    "Times": {
        "type": "object",
        "description": "How often, at least and at most.",
        "properties": {name: {"type": "integer", "minimum": 0} for name in ("at_least", "at_most")},
        "additionalProperties": False,
    },
    "JoinedModels": {
        "description": "Models with one row a user. Users without a row are left out, unless it is optional.",
        "anyOf": [{"type": "array", "items": {"anyOf": [{"type": "string"}, ref("JoinedModel")]}}, _BLANK],
    },
    "JoinedModel": _object({"model": {"type": "string"}}, {"optional": {"type": "boolean"}}),
}


def criteria_fields(filters: Sequence[Filter]) -> Schema:
    """Return the fields of `audienceCriteria` for a query-based audience, in a workspace with these filters."""
    in_order = sorted(filters, key=lambda each: each.kind != "yes_no")  # as generated clients have them
    return {**_CRITERIA, **_old_filters(in_order)}


def criteria_schemas(filters: Sequence[Filter]) -> Mapping[str, Schema]:
    """Return the components to which these fields refer."""
    fields = {each.name: _filter(each) for each in filters}
    described: Schema = {
        "type": "object",
        "description": "The filters by their names.",
        "properties": {**fields, "manualUserIds": _either(ref("UserIds")), **_old_filters(filters)},
    }
    return {**_SCHEMAS, "FilterFields": described}
