"""Five-field cron expressions, as Cloud Scheduler and recipes write them.

Minute, hour, day of month, month, day of week; `*`, lists, ranges, steps and English names. As in cron, if both day
fields are restricted, a day matches when either does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_DAYS = "sun mon tue wed thu fri sat".split()


@dataclass(frozen=True, kw_only=True)
class _Field:
    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        values: set[int] = set()
        for item in text.lower().split(","):
            values.update(self._item(item))
        return frozenset(values)

    def _item(self, item: str) -> Iterable[int]:
        span, slash, step = item.partition("/")
        if slash and not (step.isdecimal() and int(step) > 0):
            raise ValueError(f"{self.name}: {item!r} has no step above 0 behind its '/'")
        first, dash, last = span.partition("-")
        if span == "*":
            low, high = self.lowest, self.highest
        else:
            low = self._number(first)
            high = self._number(last) if dash else (self.highest if slash else low)
        if low > high:
            raise ValueError(f"{self.name}: {span!r} runs backwards")
        return range(low, high + 1, int(step) if slash else 1)

    def _number(self, text: str) -> int:
        if text in self.names:
            return self.names.index(text) + self.lowest
        if text.isdecimal() and self.lowest <= int(text) <= self.highest:
            return int(text)
        raise ValueError(f"{self.name}: {text!r} is not between {self.lowest} and {self.highest}")


_FIELDS = (
    _Field(name="minute", lowest=0, highest=59),
    _Field(name="hour", lowest=0, highest=23),
    _Field(name="day of month", lowest=1, highest=31),
    _Field(name="month", lowest=1, highest=12, names=tuple(_MONTHS)),
    _Field(name="day of week", lowest=0, highest=7, names=tuple(_DAYS)),
)


@dataclass(frozen=True, kw_only=True)
class Cron:
    """The wall-clock minutes of an expression. Days of the week count from Sunday, 0."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    """Both day fields are restricted, so one of them is enough."""

    @classmethod
    def parse(cls, expression: str) -> "Cron":
        """Read an expression; ValueError names the invalid field."""
        parts = expression.split()
        if len(parts) != len(_FIELDS):
            raise ValueError(f"{expression!r} has {len(parts)} fields; cron has 5: minute hour day month weekday")
        minutes, hours, days, months, weekdays = (
            field.parse(part) for field, part in zip(_FIELDS, parts, strict=True)
        )
        return cls(
            minutes=minutes,
            hours=hours,
            days=days,
            months=months,
            weekdays=frozenset(day % 7 for day in weekdays),
            either_day=not parts[2].startswith("*") and not parts[4].startswith("*"),
        )

    def on_day(self, day: date) -> bool:
        """Return whether any minute of this day matches."""
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        day_matches = by_date or by_weekday if self.either_day else by_date and by_weekday
        return day.month in self.months and day_matches

    def matches(self, local: datetime) -> bool:
        """Return whether the wall-clock minute matches."""
        return local.minute in self.minutes and local.hour in self.hours and self.on_day(local.date())
