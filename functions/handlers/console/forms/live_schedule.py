"""What a schedule in the campaign form means now: in words, its next sends, and what speaks against them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from functions.domain.errors import FieldError
from functions.domain.recipe.errors import field_errors
from functions.domain.recipe.read import TEST_MODE_LEAD, schedule_of
from functions.domain.recipe.schedule import Frequency, Schedule, planned_clock, sends_from, wall_clock
from functions.domain.recipe.schedule_fields import RecipeSchedule
from functions.domain.recipe.timeline import SHORTEST_PREPARATION
from functions.domain.recipe.zones import readable_zones
from functions.handlers.console.forms.form_fields import recipe_fields
from functions.handlers.console.forms.recipe_form import Values
from functions.handlers.console.forms.typed_schedule import read_typed
from functions.handlers.console.forms.zone_search import offset
from functions.handlers.console.schedule_words import schedule_in_words, short_preparation
from functions.handlers.console.words import city, day_and_time, plural, short_day

_SHOWN = 5
_MINUTE = timedelta(minutes=1)
_UNUSED = {"custom": "schedule.executionTime", "once": "schedule.endDate"}
"""What a frequency does not use, although its value is checked when the form is saved."""


@dataclass(frozen=True, kw_only=True)
class LiveSend:
    """One of the next sends: when, how far away in words, and a note about a clock change."""

    at: datetime
    away: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class LiveSchedule:
    """What the form's schedule means. `meanings` and `errors` are by the field's name; with errors, `words` is empty.

    `earliest` is the earliest possible send. `warning` says why the first send cannot be prepared as usual, and
    `ways_out` what a person can do.
    """

    zone: str
    words: str = ""
    sends: Sequence[LiveSend] = ()
    meanings: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    earliest: datetime | None = None
    needs: int = 0
    warning: str = ""
    ways_out: Sequence[str] = ()


def live_schedule(values: Values, now: datetime) -> LiveSchedule:
    """Return what the schedule in the form's values means at an instant."""
    typed, unread = _typed(values)
    fields, errors = read_typed(typed, {}, now)
    errors = [*unread, *errors]
    zone = fields.get("timezone")
    zone = zone if isinstance(zone, str) and zone in readable_zones() else "UTC"
    meanings = _meanings(typed, fields, errors, zone, now)
    if not errors:
        try:
            written = RecipeSchedule.model_validate(fields)
        except ValidationError as error:
            named = [FieldError(f"schedule.{each.field}", each.reason) for each in field_errors(error)]
            errors = [each for each in named if each.field.removeprefix("schedule.") in typed]
            if not errors:
                return LiveSchedule(zone=zone, meanings=meanings)
    if errors:
        return LiveSchedule(zone=zone, meanings=meanings, errors={each.field: each.reason for each in errors})
    lead = timedelta(minutes=written.lead_time_minutes)
    schedule = schedule_of(written, TEST_MODE_LEAD if values.get("audienceCriteria.testMode") == "yes" else lead)
    return _live(schedule, meanings, now)


def _typed(values: Values) -> tuple[dict[str, Any], list[FieldError]]:
    """Return the fields of the schedule that are filled in and used, and the errors of those that cannot be read."""
    unused = _UNUSED.get(values.get("schedule.frequency", ""), "")
    found: dict[str, Any] = {}
    errors = []
    for path, each in recipe_fields().items():
        if path.startswith("schedule.") and path != unused:
            try:
                value = each.read(values.get(path, ""))
            except ValueError as error:
                errors.append(FieldError(path, str(error)))
                continue
            found |= {path.removeprefix("schedule."): value} if value is not None else {}
    return found, errors


def _meanings(
    typed: Mapping[str, Any], fields: Mapping[str, Any], errors: Sequence[FieldError], zone: str, now: datetime
) -> dict[str, str]:
    """Return what typed texts mean, where that differs from what was typed."""
    wrong = {error.field for error in errors}
    found = {}
    for name in ("startDate", "endDate"):
        written = fields.get(name)
        if isinstance(written, str) and f"schedule.{name}" not in wrong:
            try:
                day = datetime.fromisoformat(written)
            except ValueError:
                continue
            found[f"schedule.{name}"] = f"{day:%a} {day.day} {day:%b %Y}"
    clock = fields.get("executionTime")
    if clock != typed.get("executionTime") and "schedule.executionTime" not in wrong:
        found["schedule.executionTime"] = str(clock)
    if "timezone" in fields and "schedule.timezone" not in wrong:
        found["schedule.timezone"] = f"{city(zone)}: {now.astimezone(ZoneInfo(zone)):%H:%M} now ({offset(zone, now)})"
    return found


def _live(schedule: Schedule, meanings: Mapping[str, str], now: datetime) -> LiveSchedule:
    preparation = min(schedule.lead, SHORTEST_PREPARATION)
    earliest = _next_minute(now + preparation)
    upcoming = list(islice(sends_from(schedule, now), _SHOWN))
    warning, ways_out = _warning(schedule, upcoming, earliest, now)
    return LiveSchedule(
        zone=schedule.zone.key,
        words=schedule_in_words(schedule),
        sends=[
            LiveSend(at=at, away=_away(at, now, schedule.zone), note=_note(schedule, at, before))
            for before, at in pairwise([now, *upcoming])
        ],
        meanings=meanings,
        earliest=earliest,
        needs=preparation // _MINUTE,
        warning=warning,
        ways_out=ways_out,
    )


def _next_minute(at: datetime) -> datetime:
    return (at + _MINUTE - timedelta(microseconds=1)).replace(second=0, microsecond=0)


def _warning(
    schedule: Schedule, upcoming: Sequence[datetime], earliest: datetime, now: datetime
) -> tuple[str, Sequence[str]]:
    """Return what speaks against the first send, and the ways out."""
    once = schedule.frequency is Frequency.ONCE
    if not upcoming:
        passed = "This time has passed." if once else "No send is left: the last day has passed."
        return passed, ("Choose a later day or time." if once else "Choose a later last day, or leave it empty.",)
    first = upcoming[0]
    left = (first - now) // _MINUTE
    if first >= min(earliest, now + schedule.lead):
        return short_preparation(schedule, first, now), ()
    named = f"{short_day(first, schedule.zone)} is too soon: {left} min away, and preparing takes longer."
    ways = [f"Send at {_spoken(earliest, now, schedule.zone)} or later."]
    if left >= 1:
        ways.append(f"Start preparing at most {plural(left, 'minute')} before: less time to test and cancel.")
    ways.append("Save it as a draft, then send it now under Test & send.")
    if once:
        return named, ways
    following = f" The first send is {day_and_time(upcoming[1], schedule.zone)}." if len(upcoming) > 1 else ""
    return f"{named} It is left out.{following}", ways[:2]


def _spoken(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Write an instant: today 18:04, or with its day."""
    today = at.astimezone(zone).date() == now.astimezone(zone).date()
    return f"today {at.astimezone(zone):%H:%M}" if today else short_day(at, zone)


def _away(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Write how far away a send is: in 25 min, tomorrow, in 3 days."""
    days = (at.astimezone(zone).date() - now.astimezone(zone).date()).days
    if days == 0:
        minutes = (at - now) // _MINUTE
        return f"in {minutes} min" if minutes < 120 else f"in {minutes // 60} h"
    return "tomorrow" if days == 1 else f"in {days} days"


def _note(schedule: Schedule, at: datetime, before: datetime) -> str:
    """Say what a clock change does to a send, or that the clocks change between it and the one before."""
    local, planned = at.astimezone(schedule.zone), planned_clock(schedule, at)
    if planned != wall_clock(at, schedule.zone):
        return f"The clocks skip {planned:%H:%M} on this day."
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        return f"{local:%H:%M} comes twice on this day: it is sent the first time."
    if before.astimezone(schedule.zone).utcoffset() != local.utcoffset():
        return f"The clocks change before this send: {at.astimezone(UTC):%H:%M} UTC."
    return ""
