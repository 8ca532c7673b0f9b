"""Read the days, times and zone of the campaign form as people type them, into the fields of a recipe's schedule."""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from functions.domain.errors import FieldError
from functions.domain.recipe.zones import readable_zones
from functions.handlers.console.forms.recipe_form import Sent
from functions.handlers.console.forms.when_typed import USE_DAY, Mistyped, Typed, read_clock, read_when
from functions.handlers.console.forms.zone_search import read_zone

Fields = Mapping[str, Any]
"""The fields of a document's `schedule`."""


def with_typed_schedule(sent: Sent, stored: Mapping[str, Any], now: datetime) -> Sent:
    """Return a submitted form whose document has the days, times and zone that the person typed.

    A value that is the stored one stays as it is.
    """
    typed, before = sent.document.get("schedule"), stored.get("schedule")
    if not isinstance(typed, Mapping):
        return sent
    schedule, errors = read_typed(typed, before if isinstance(before, Mapping) else {}, now)
    return dataclasses.replace(sent, document={**sent.document, "schedule": schedule}, errors=[*sent.errors, *errors])


def read_typed(typed: Fields, stored: Fields, now: datetime) -> tuple[dict[str, Any], list[FieldError]]:
    """Return the fields of a schedule, with what a person typed replaced by its meaning, and the errors."""
    reader = _Reader(typed, stored)
    reader.read("timezone", read_zone)
    zone = reader.found.get("timezone")
    local = now.astimezone(ZoneInfo(zone) if zone in readable_zones() else UTC).replace(tzinfo=None)
    clock = reader.read("executionTime", lambda text: read_clock(text, local))
    known = clock.clock if isinstance(clock, Typed) else _clock_of(reader.found, local)
    first = reader.read("startDate", lambda text: _with_day(read_when(text, local, known)))
    reader.read("endDate", lambda text: _only_day(read_when(text, local)))
    if isinstance(clock, Typed):
        reader.found["executionTime"] = f"{clock.clock:%H:%M}"
        reader.put_day(clock)
    if isinstance(first, Typed):
        reader.found["startDate"] = str(first.day)
        reader.put_clock(first)
    last = reader.found.get("endDate")
    if isinstance(last, Typed):
        reader.found["endDate"] = str(last.day)
    return reader.found, reader.errors


class _Reader:
    def __init__(self, typed: Fields, stored: Fields) -> None:
        self._typed, self._stored = typed, stored
        self.found = dict(typed)
        self.errors: list[FieldError] = []

    def read(self, name: str, meaning: Callable[[str], Any]) -> Any:
        """Replace a typed text by its meaning, and return that; None if there is none, or it is the stored one."""
        text = self._typed.get(name)
        if not isinstance(text, str) or text == self._stored.get(name):
            return None
        try:
            self.found[name] = meaning(text)
        except Mistyped as error:
            self.errors.append(FieldError(f"schedule.{name}", str(error)))
            return None
        return self.found[name]

    def put_day(self, typed: Typed) -> None:
        """Use a day that was written beside the time, unless there is another one."""
        self._put("startDate", str(typed.day) if typed.day else "", "executionTime")

    def put_clock(self, typed: Typed) -> None:
        """Use a time that was written beside the day, unless there is another one."""
        self._put("executionTime", f"{typed.clock:%H:%M}" if typed.clock else "", "startDate")

    def _put(self, name: str, value: str, source: str) -> None:
        there = self.found.get(name)
        there = str(there.day) if isinstance(there, Typed) else there
        if value and there and there != value:
            reason = f"says {value}, and the other field says {there}. Write it in one of them"
            self.errors.append(FieldError(f"schedule.{source}", reason))
        elif value:
            self.found[name] = value


def _with_day(typed: Typed) -> Typed:
    if typed.day is None:
        raise Mistyped(USE_DAY)
    return typed


def _only_day(typed: Typed) -> Typed:
    if typed.day is None or typed.clock is not None:
        raise Mistyped(USE_DAY)
    return typed


def _clock_of(schedule: Fields, local: datetime) -> Any:
    """Return the stored time of day, if it can be read."""
    written = schedule.get("executionTime")
    try:
        return read_clock(written, local).clock if isinstance(written, str) else None
    except Mistyped:
        return None
