"""Days and times as people type them: `Friday 17:30`, `tomorrow 9am`, `4 Dec`, `1730`, `2026-12-04`."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

USE_CLOCK = "Use 24-hour time, e.g. 17:30"
USE_DAY = "Write a day such as Friday, 4 Dec or 2026-12-04"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_SHORT = 3
"""How many letters of a day or a month suffice."""
_NOON = 12
_FURTHEST_YEARS = 8
"""29 February can be eight years away."""
_FILLERS = re.compile(r"\b(at|on|the|of)\b|,")
_CLOCKS = (
    re.compile(r"\b(?P<hour>\d{1,2})[:h](?P<minute>\d{2})(?::00)? ?(?P<half>[ap]\.?m\.?)?(?![\w/-])"),
    re.compile(r"\b(?P<hour>\d{1,2})(?P<minute>) ?(?P<half>[ap]\.?m\.?)(?!\w)"),
)
_BARE_CLOCK = re.compile(r"(?P<hour>\d{1,2})[.:]?(?P<minute>\d{2})(?P<half>)")
_NAMED_CLOCKS = {"noon": time(12, 0), "midnight": time(0, 0)}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_NUMBERS = re.compile(r"(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{2,4}))?\.?")
_DAY_MONTH = re.compile(r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)? ?(?P<month>[a-z]{3,9})\.?(?: (?P<year>\d{4}))?")
_MONTH_DAY = re.compile(r"(?P<month>[a-z]{3,9})\.? ?(?P<day>\d{1,2})(?:st|nd|rd|th)?(?: (?P<year>\d{4}))?")
_IN = re.compile(r"in (\d{1,3}) (day|week)s?")


class Mistyped(ValueError):
    """A text that means no day or time; the message says how to write it."""


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What a text means: a day, a time of day, or both."""

    day: date | None = None
    clock: time | None = None


def read_when(text: str, now: datetime, clock: time | None = None) -> Typed:
    """Return what a text means at a local time `now`. Mistyped if it means nothing, or more than one day.

    `clock` is the time of day that is known from elsewhere: `Friday` on a Friday is today if it is still to come.

    >>> now = datetime(2026, 11, 29, 17, 0)
    >>> read_when("Friday 5:30 pm", now)
    Typed(day=datetime.date(2026, 12, 4), clock=datetime.time(17, 30))
    """
    rest = " ".join(_FILLERS.sub(" ", text.lower()).split())
    if iso := re.fullmatch(r"(\d{4}-\d{2}-\d{2})t(\d{2}:\d{2})", rest):
        rest = f"{iso[1]} {iso[2]}"
    written, rest = _clock_in(rest)
    if written is None and (bare := _BARE_CLOCK.fullmatch(rest)) and "." not in rest:
        return Typed(clock=_clock(bare))
    return Typed(day=_day(rest, written or clock, now) if rest else None, clock=written)


def read_clock(text: str, now: datetime) -> Typed:
    """Return what a text in a field for a time means; the day is one that somebody wrote there too."""
    if bare := _BARE_CLOCK.fullmatch(text.strip()):
        return Typed(clock=_clock(bare))
    try:
        found = read_when(text, now)
    except Mistyped:
        raise Mistyped(USE_CLOCK) from None
    if found.clock is None:
        raise Mistyped(USE_CLOCK)
    return found


def _clock_in(text: str) -> tuple[time | None, str]:
    """Return the time of day in a text, and the text without it."""
    for name, clock in _NAMED_CLOCKS.items():
        if re.search(rf"\b{name}\b", text):
            return clock, " ".join(text.replace(name, " ").split())
    for pattern in _CLOCKS:
        if found := pattern.search(text):
            return _clock(found), " ".join(f"{text[: found.start()]} {text[found.end() :]}".split())
    days, _, last = text.rpartition(" ")
    if (
        days
        and not _names_a_month(days)
        and (bare := re.fullmatch(r"(?P<hour>\d{2})(?P<minute>\d{2})(?P<half>)", last))
    ):
        return _clock(bare), days
    return None, text


def _names_a_month(text: str) -> bool:
    return any(len(word) >= _SHORT and month.startswith(word) for word in text.split() for month in _MONTHS)


def _clock(found: re.Match[str]) -> time:
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), found["half"]
    if half:
        if not 1 <= hour <= _NOON:
            raise Mistyped(USE_CLOCK)
        hour = hour % _NOON + (_NOON if half.startswith("p") else 0)
    try:
        return time(hour, minute)
    except ValueError:
        raise Mistyped(USE_CLOCK) from None


def _day(text: str, clock: time | None, now: datetime) -> date:
    today = now.date()
    if text in ("today", "tonight", "now"):
        return today
    if text == "tomorrow":
        return today + timedelta(days=1)
    if text == "next week":
        return today + timedelta(weeks=1)
    if found := _IN.fullmatch(text):
        return today + int(found[1]) * timedelta(**{f"{found[2]}s": 1})
    if found := _ISO.fullmatch(text):
        return _date(*map(int, found.groups()))
    if found := _NUMBERS.fullmatch(text):
        raise Mistyped(_which(int(found[1]), int(found[2]), text))
    return _weekday(text, clock, now) or _month_day(text, today)


def _weekday(text: str, clock: time | None, now: datetime) -> date | None:
    """Return the next such day: today only with a time that is still to come. `next` means next week's."""
    word = text.removeprefix("next ").removeprefix("this ")
    places = [place for place, day in enumerate(_DAYS) if len(word) >= _SHORT and day.startswith(word.rstrip("."))]
    if not places:
        return None
    ahead = (places[0] - now.weekday()) % len(_DAYS)
    if text.startswith("next "):
        return now.date() + timedelta(days=places[0] - now.weekday() + len(_DAYS))
    passed = ahead == 0 and (clock is None or datetime.combine(now.date(), clock) <= now)
    return now.date() + timedelta(days=len(_DAYS) if passed else ahead)


def _month_day(text: str, today: date) -> date:
    """Return a day of a month, without a year the next one."""
    words = text.split()
    if len(words) > 1 and any(len(words[0]) >= _SHORT and day.startswith(words[0]) for day in _DAYS):
        return _month_day(" ".join(words[1:]), today)  # Fri 4 Dec
    found = _DAY_MONTH.fullmatch(text) or _MONTH_DAY.fullmatch(text)
    months = [number for number, name in enumerate(_MONTHS, start=1) if found and name.startswith(found["month"])]
    if not found or not months:
        raise Mistyped(USE_DAY)
    day, month = int(found["day"]), months[0]
    if found["year"]:
        return _date(int(found["year"]), month, day)
    for year in range(today.year, today.year + _FURTHEST_YEARS + 1):
        try:
            candidate = date(year, month, day)
        except ValueError:
            continue
        if candidate >= today:
            return candidate
    raise Mistyped(f"{_MONTHS[month - 1].capitalize()} has no day {day}")


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Mistyped(f"{year}-{month:02d}-{day:02d} is not a day of the calendar") from None


def _which(one: int, other: int, text: str) -> str:
    """Ask which of two numbers is the month."""
    if max(one, other) > len(_MONTHS) or not min(one, other):
        return f"Write the month of {text} as a word, e.g. 4 Dec"
    if one == other:
        return f"Write {one} {_MONTHS[one - 1][:_SHORT].capitalize()}, with the month as a word"
    first, second = (
        f"{day} {_MONTHS[month - 1][:_SHORT].capitalize()}" for day, month in ((one, other), (other, one))
    )
    return f"{text} can mean two days. Write {first} or {second}"
