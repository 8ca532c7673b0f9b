"""What conditions may ask for in a workspace, and the columns that its models add to an audience: nothing private."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, cast

from audience_jobs.conditions.tree import Columns, Traits
from audience_jobs.contract import Column
from audience_jobs.schema import ColumnType

if TYPE_CHECKING:
    from audience_jobs.workspace.models import Model, Models

_PEOPLE = "people"
_WRITTEN: Mapping[ColumnType, Literal["text", "integer", "timestamp"]] = {
    "id": "text",
    "text": "text",
    "boolean": "text",
    "date": "text",
    "integer": "integer",
    "timestamp": "timestamp",
}
"""How a column of an audience is written; a fraction, a list or JSON is written in no way that all engines share."""


def traits_of(models: "Models") -> Traits:
    """Return the columns of people, and of each model of events, for conditions."""
    events = {name: _asked(model) for name, model in models.items() if model.is_events}
    return Traits(people=_asked(models[_PEOPLE]), events=events)


def columns_of(model: "Model") -> tuple[Column, ...]:
    """Return the columns that a model adds to an audience; numbers with fractions, lists and JSON are left out."""
    return tuple(
        Column(name=name, type=_WRITTEN[type_], meaning=f"a column of the model {model.name}")
        for name, type_ in model.public.items()
        if name != "user_id" and type_ in _WRITTEN
    )


def _asked(model: "Model") -> Columns:
    return cast("Columns", {name: type_ for name, type_ in model.public.items() if name != "user_id"})
