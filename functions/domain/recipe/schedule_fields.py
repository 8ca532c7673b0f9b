"""The fields of a recipe document's `schedule`."""

from datetime import UTC, date, datetime, time
from typing import Annotated

from pydantic import Field, model_validator

from functions.domain.documents import shown
from functions.domain.errors import FieldCode
from functions.domain.recipe.cron import Cron
from functions.domain.recipe.errors import at
from functions.domain.recipe.field_types import BlankIsMissing, Clock, Fields, SendInstant, Weekday, Widget, Zone
from functions.domain.recipe.schedule import Frequency

MOST_SKIPS = 100
"""The most sends that a schedule can skip at once."""


class RecipeSchedule(Fields):
    """When the recipe sends. All times are on the clock of `timezone`."""

    zone: Annotated[Zone, Widget.ZONE] = Field(
        alias="timezone",
        title="Time zone",
        description="An IANA name, such as America/New_York.",
        examples=["UTC", "America/New_York"],
    )
    frequency: Annotated[Frequency, Field(strict=False)] = Field(title="How often", examples=["daily"])
    execution_time: Annotated[Clock | None, BlankIsMissing] = Field(
        default=None,
        title="Send time",
        description="The send time (T-0), as HH:MM in 24-hour time. A cron expression replaces it.",
        examples=["18:30"],
    )
    lead_time_minutes: int = Field(
        default=30,
        ge=1,
        le=24 * 60,
        title="Starts preparing (minutes before)",
        description="How long before the send time preparation starts.",
    )
    start_date: Annotated[str | None, Widget.DAY] = Field(
        default=None,
        title="First day",
        description="The first day of sending, as YYYY-MM-DD. Required for a one-time send.",
        examples=["2026-05-04"],
    )
    end_date: Annotated[str | None, Widget.DAY] = Field(
        default=None,
        title="Last day",
        description="The last day of sending, as YYYY-MM-DD.",
        examples=["2026-12-31"],
    )
    days_of_week: Annotated[tuple[Weekday, ...], Widget.WEEKDAYS] = Field(
        default=(),
        strict=False,
        title="Days of the week",
        description="Only for weekly sends. Default: Monday.",
    )
    day_of_month: int | None = Field(
        default=None,
        ge=1,
        le=31,
        title="Day of the month",
        description="Only for monthly sends. Default: the first day. A shorter month sends on its last day.",
    )
    cron_expression: str | None = Field(
        default=None,
        title="Cron expression",
        description="The send times of frequency custom, in five fields.",
        examples=["30 18 * * 1-5"],
    )
    skip: tuple[SendInstant, ...] = Field(
        default=(),
        strict=False,
        max_length=MOST_SKIPS,
        description="Sends that are left out: instants, such as 2026-12-04T16:30:00Z. A schedule with one send a day "
        "leaves out the send of that day, even if its time changes. Saving drops entries in the past.",
    )

    @property
    def cron(self) -> Cron | None:
        """The send times of frequency custom. None for the others, whose cron is ignored."""
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
        """Read a date or an instant.

        Midnight UTC is a date written by a form; any other instant means its date in the zone.
        """
        if not written:
            return None
        instant = datetime.fromisoformat(written)
        if instant.tzinfo is None or instant.astimezone(UTC).time() == time(0, 0):
            return instant.date()
        return instant.astimezone(self.zone).date()

    @model_validator(mode="after")
    def _consistent(self) -> "RecipeSchedule":
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
