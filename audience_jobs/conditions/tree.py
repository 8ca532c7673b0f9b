"""Conditions that people have to fit, as `audienceCriteria.where` writes them, once they are known to be sound.

A condition is true or false of a person, never unknown. An empty value, which is NULL or an empty text, fits `empty`
and the negations (`is_not`, `none_of`, `not_within_days`, `did_not`, `not`), and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

ConditionType = Literal["id", "text", "integer", "number", "boolean", "timestamp", "date", "text[]"]
Value = str | int | float | bool | date | datetime
Columns = Mapping[str, ConditionType]


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What conditions may ask for: the columns of people, and those of each model of events, without `user_id`.

    The events' columns have `at`, the instant at which they happened.
    """

    people: Columns
    events: Mapping[str, Columns]


@dataclass(frozen=True, kw_only=True)
class Every:
    """All of some conditions; without any, everybody fits."""

    conditions: "tuple[Condition, ...]"


@dataclass(frozen=True, kw_only=True)
class AnyOf:
    """At least one of some conditions."""

    conditions: "tuple[Condition, ...]"


@dataclass(frozen=True, kw_only=True)
class Negated:
    """The users who do not fit a condition."""

    condition: "Condition"


@dataclass(frozen=True, kw_only=True)
class Named:
    """The users of a segment: a condition that has a name, because several recipes use it."""

    segment: str
    condition: "Condition"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A column compared with values: none, one, two (`between`) or several (`one_of`, `none_of`)."""

    column: str
    type: ConditionType
    op: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Happened:
    """How often events of a model happened to a person, until the execution's time: from `at_least` to `at_most`.

    With `within_days` only those of the last days count, with `where` only those that fit.
    """

    model: str
    at_least: int = 0
    at_most: int | None = None
    within_days: int | None = None
    where: "Condition | None" = None


Condition = Every | AnyOf | Negated | Named | Compared | Happened
EVERYBODY = Every(conditions=())
