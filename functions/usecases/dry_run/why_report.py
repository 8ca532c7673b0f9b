"""Why a user would, or would not, get the pushes of a recipe now: what `why` returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from audience_jobs.conditions.explaining import ConditionFound, RowFound

Step = Literal["audience", "user_id", "opt_outs", "devices", "message", "cadence"]
"""What decides about a user, in the order in which Tminus asks."""


@dataclass(frozen=True, kw_only=True)
class StepFound:
    """One step: whether the user passes it. `passes` is null where nothing is known."""

    step: Step
    passes: bool | None
    reason: str
    """The word that reports use for the exclusion, such as `no_token`; empty where there is none."""
    message: str


@dataclass(frozen=True, kw_only=True)
class CountedPush:
    """A push of the user that a cadence rule counts."""

    push: str
    """Its execution and number, or the name under which it was imported or tracked."""
    layer: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class HoldingRule:
    """A cadence rule that holds the push back."""

    name: str
    count: int
    hours: int
    pushes: Sequence[CountedPush]
    free_at: datetime | None
    """From when on it would let a push through, if no other is sent until then."""


@dataclass(frozen=True, kw_only=True)
class WhyOfPush:
    """What would become of one push of the sequence for the user."""

    order: int
    audience: str
    layer: int
    due_at: datetime
    gets: bool | None
    """Whether the user would get it; null where a step is not known."""
    reason: str
    """Why not: `not_in_audience`, or the word that reports use for the exclusion."""
    steps: Sequence[StepFound]
    rules: Sequence[HoldingRule]


@dataclass(frozen=True, kw_only=True)
class Why:
    """Why a user would, or would not, get the pushes of a recipe if it were built now."""

    user_id: str
    recipe_id: str
    at: datetime
    description: str
    """The users of the recipe, in words."""
    known: bool | None
    """Whether the user is in the model people; null where the workspace has none, or an audience job finds users."""
    fits: bool
    """Whether the user is in an audience of the recipe."""
    conditions: Sequence[ConditionFound]
    rows: Sequence[RowFound]
    pushes: Sequence[WhyOfPush]
    answer: str
    """The answer in one sentence."""
