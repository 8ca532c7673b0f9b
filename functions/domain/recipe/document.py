"""The fields of a recipe document: their types, bounds and defaults."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from functions.domain.documents import shown
from functions.domain.errors import BadTemplate, FieldCode
from functions.domain.push.links import Link
from functions.domain.push.template import Template
from functions.domain.recipe.cron import Cron
from functions.domain.recipe.errors import at
from functions.domain.recipe.schedule import Frequency
from functions.domain.recipe.zones import readable_zones
from functions.domain.whole_numbers import with_integers

_DAY_NAMES = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MOST_MINUTES = 30 * 24 * 60
"""Cloud Tasks schedules at most 30 days ahead."""


def _clock(value: object) -> time:
    written = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", str(value))
    if written is None:
        raise ValueError("use 24-hour time HH:MM, e.g. 17:30")
    return time(int(written[1]), int(written[2]))


def _zone(value: object) -> ZoneInfo:
    if not isinstance(value, str) or value not in readable_zones():
        raise ValueError("must be an IANA time zone such as America/New_York or UTC")
    return ZoneInfo(value)


def _weekday(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= len(_DAY_NAMES):
        return value % len(_DAY_NAMES)
    for number, name in enumerate(_DAY_NAMES):
        if isinstance(value, str) and value.lower() in (name, name[:3]):
            return number
    raise ValueError("must be a day from 0 (Sunday) to 6 (Saturday), 7 (Sunday too) or its English name")


def _layer(value: object) -> object:
    return 5 if value == 0 and not isinstance(value, bool) else value


def _template(kind: type[Template], value: object) -> Template:
    if not isinstance(value, str):
        raise ValueError("must be text")
    try:
        return kind.parse(value)
    except BadTemplate as error:
        raise ValueError(str(error)) from None


def _blank_is_missing(value: object) -> object:
    """Read the empty texts that old forms wrote into optional fields."""
    return None if value == "" else value


def _filled(values: object) -> object:
    """Drop the blank entries that old forms left behind."""
    return [value for value in values if value != ""] if isinstance(values, list) else values


Clock = Annotated[time, BeforeValidator(_clock)]
Text = Annotated[Template, BeforeValidator(partial(_template, Template))]
DeepLink = Annotated[Link, BeforeValidator(partial(_template, Link))]
Weekday = Annotated[int, BeforeValidator(_weekday)]


class _Fields(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, strict=True, frozen=True, arbitrary_types_allowed=True, extra="ignore"
    )

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, written: object) -> object:
        """Read 3.0 as 3: a store or another language may have kept an integer so."""
        return with_integers(written) if isinstance(written, Mapping) else written


class RecipeType(StrEnum):
    """What kind of campaign a recipe is; told to people, decided by nothing."""

    SINGLE_PUSH = "single_push"
    SEQUENCE = "sequence"
    RECURRING = "recurring"
    SCRIPT_BASED = "script_based"
    TRIGGERED = "triggered"


class ScheduleFields(_Fields):
    """`schedule`: when the recipe sends. `executionTime` is the send time itself, T-0."""

    zone: Annotated[ZoneInfo, BeforeValidator(_zone)] = Field(alias="timezone")
    frequency: Annotated[Frequency, Field(strict=False)]
    start_date: str | None = None
    end_date: str | None = None
    execution_time: Annotated[Clock | None, BeforeValidator(_blank_is_missing)] = None
    lead_time_minutes: int = Field(default=30, ge=1, le=24 * 60)
    cron_expression: str | None = None
    days_of_week: tuple[Weekday, ...] = Field(default=(), strict=False)
    day_of_month: int | None = Field(default=None, ge=1, le=31)

    @property
    def cron(self) -> Cron | None:
        """The send times of frequency custom, None for the others: what they carry along is not read."""
        custom = self.frequency is Frequency.CUSTOM and self.cron_expression
        return Cron.parse(custom) if custom else None

    @property
    def start_day(self) -> date | None:
        """The first local day on which the recipe may send."""
        return self._day(self.start_date)

    @property
    def end_day(self) -> date | None:
        """The last local day on which the recipe may send."""
        return self._day(self.end_date)

    def _day(self, written: str | None) -> date | None:
        """Read a date, or an instant: one at midnight UTC is a date that a form wrote out, else the zone's date."""
        if not written:
            return None
        instant = datetime.fromisoformat(written)
        if instant.tzinfo is None or instant.astimezone(UTC).time() == time(0, 0):
            return instant.date()
        return instant.astimezone(self.zone).date()

    @model_validator(mode="after")
    def _consistent(self) -> "ScheduleFields":
        for name, written in (("startDate", self.start_date), ("endDate", self.end_date)):
            try:
                self._day(written)
            except (ValueError, OverflowError):
                raise at(name, f"must be a date YYYY-MM-DD or an ISO instant, got {shown(written)}") from None
        if self.frequency is Frequency.CUSTOM and not self.cron_expression:
            raise at(
                "cronExpression",
                "is missing; frequency custom sends at the times of a cron expression",
                FieldCode.MISSING,
            )
        try:
            _ = self.cron
        except ValueError as error:
            raise at("cronExpression", f"{error}, got {shown(self.cron_expression)}") from None
        if self.frequency is not Frequency.CUSTOM and self.execution_time is None:
            raise at("executionTime", "is missing; write the send time as HH:MM", FieldCode.MISSING)
        if self.frequency is Frequency.ONCE and self.start_day is None:
            raise at("startDate", "is missing; frequency once sends on that day", FieldCode.MISSING)
        if self.start_day and self.end_day and self.end_day < self.start_day:
            raise at("endDate", f"{self.end_day} is before startDate {self.start_day}")
        return self


class Timing(_Fields):
    """`timing` of a push: minutes after the previous one, or the next `absoluteTime` on the recipe's clock."""

    delay_after_previous: int = Field(default=0, ge=0, le=_MOST_MINUTES)
    absolute_time: Annotated[Clock | None, BeforeValidator(_blank_is_missing)] = None


class PushFields(_Fields):
    """One entry of `pushSequence`.

    `literalText`: what looks like a variable of another product is meant as it is written. It is kept as it was
    written, and checked where a person saves it.
    """

    sequence_order: int | None = None
    title: Text
    body: Text
    deep_link: Annotated[DeepLink | None, BeforeValidator(_blank_is_missing)] = None
    layer_id: Annotated[int, BeforeValidator(_layer)] = Field(ge=1, le=5)
    audience_name: str = ""
    timing: Timing = Timing()
    literal_text: Any = None

    @property
    def texts(self) -> dict[str, Template]:
        """The templates of the push by the names of their fields."""
        texts = {"title": self.title, "body": self.body, "deepLink": self.deep_link}
        return {name: text for name, text in texts.items() if text is not None}


class CustomScript(_Fields):
    """`customScript`: the audience job and its parameters."""

    script_id: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)


class Criteria(_Fields):
    """`audienceCriteria`: who gets the pushes.

    What asks for a query-based audience is kept as it was written: it is read where the audience is made, so that old
    documents load whatever they hold. The last five are names of old recipes.
    """

    custom_script: CustomScript = CustomScript()
    test_mode: bool = False
    filters: Any = None
    data_packs: Any = None
    manual_user_ids: Any = None
    custom_query: Any = None
    trusted_trader_status: Any = None
    trusted_trader_candidate: Any = None
    activity_days: Any = None
    trading_days: Any = None
    min_trades: Any = None

    @property
    def job_id(self) -> str:
        """The audience job that builds the audiences; empty where the recipe names none."""
        return self.custom_script.script_id.strip()

    @property
    def query(self) -> dict[str, Any]:
        """What asks for a query-based audience, by the names that it has in documents; empty where nothing does."""
        written = self.model_dump(by_alias=True, exclude={"custom_script", "test_mode"})
        return {name: value for name, value in written.items() if value is not None}


class AlertThresholds(_Fields):
    """`alertThresholds`: the audience size that alerts, and the share of failures that stops an execution."""

    audience_size: int | None = Field(default=None, ge=0)
    failure_rate: float = Field(default=0.1, ge=0, le=1)


class Safeguards(_Fields):
    """`safeguards`: what blocks or stops a send."""

    max_audience_size: int = Field(default=10_000, ge=0)
    require_test_first: bool = True
    emergency_contacts: tuple[str, ...] = Field(default=(), strict=False)
    alert_thresholds: AlertThresholds = AlertThresholds()


class OnUnknown(StrEnum):
    """`onUnknown`: what to do where nobody can say whether a message arrived."""

    KEEP = "keep"
    RESEND = "resend"


class Settings(_Fields):
    """`settings` of a recipe.

    A message that is sent again replaces the first one on the device, which may still make a sound twice.
    `alertChannels` is kept as it was written: it is checked where a person saves it, and may not keep a recipe from
    running.
    """

    test_user_ids: Annotated[tuple[str, ...], BeforeValidator(_filled), Field(strict=False)] = ()
    cancellation_window_minutes: int = Field(default=25, ge=0, le=_MOST_MINUTES)
    max_lateness_minutes: int = Field(default=15, ge=0, le=_MOST_MINUTES)
    on_unknown: Annotated[OnUnknown, Field(strict=False)] = OnUnknown.KEEP
    safeguards: Safeguards = Safeguards()
    alert_channels: Any = None


class Recipe(_Fields):
    """A whole document, as far as Tminus acts on it."""

    id: str
    name: str = ""
    type: Annotated[RecipeType, Field(strict=False)] = RecipeType.SEQUENCE
    schedule: ScheduleFields
    push_sequence: tuple[PushFields, ...] = Field(min_length=1, strict=False)
    audience_criteria: Criteria = Criteria()
    settings: Settings = Settings()

    @property
    def ordered_pushes(self) -> tuple[PushFields, ...]:
        """The pushes by `sequenceOrder`; those without one keep their place in the list."""
        return tuple(self.push_sequence[place] for place in self.push_places)

    @property
    def push_places(self) -> tuple[int, ...]:
        """Where in the list of the document each of `ordered_pushes` stands, from 0."""
        numbered = enumerate(self.push_sequence, start=1)
        return tuple(position - 1 for position, _ in sorted(numbered, key=_order))

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences about fields that are written but not used."""
        first = self.ordered_pushes[0].timing
        send_time = self.schedule.execution_time
        found = []
        if first.delay_after_previous or first.absolute_time not in (None, send_time):
            found.append("the first push's timing is not used: it goes out at schedule.executionTime")
        if self.schedule.cron_expression and self.schedule.frequency is not Frequency.CUSTOM:
            found.append("schedule.cronExpression is not used: only frequency custom reads it")
        unused = [f"audienceCriteria.{name}" for name, value in self.audience_criteria.query.items() if value]
        if self.audience_criteria.job_id and unused:
            found.append(f"{', '.join(unused)}: not used, because customScript builds the audiences")
        return tuple(found)

    @model_validator(mode="after")
    def _orders_differ(self) -> "Recipe":
        orders = Counter(push.sequence_order for push in self.push_sequence)
        for position, push in enumerate(self.push_sequence):
            if push.sequence_order is not None and orders[push.sequence_order] > 1:
                raise at(f"pushSequence[{position}].sequenceOrder", f"{push.sequence_order} is there twice")
        return self


def _order(numbered: tuple[int, PushFields]) -> int:
    position, push = numbered
    return position if push.sequence_order is None else push.sequence_order
