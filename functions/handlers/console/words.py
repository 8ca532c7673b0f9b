"""The console's words for states, and its formats of numbers, instants and durations."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from functions.usecases.reports.numbers import AllTotals

_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)

STATES: Mapping[str, tuple[str, str]] = {
    "launched": ("Preparing", "info"),
    "audience_ready": ("Preparing", "info"),
    "testing": ("Testing", "info"),
    "tested": ("Waiting", "wait"),
    "waiting": ("Waiting its turn", "wait"),
    "live": ("Sending", "live"),
    "everyone_sent": ("Sent", "good"),
    "completed": ("Done", "good"),
    "cancelled": ("Cancelled", "calm"),
    "skipped": ("Skipped", "calm"),
    "blocked": ("Blocked", "bad"),
    "expired": ("Missed", "bad"),
    "stopped": ("Stopped", "bad"),
    "failed": ("Failed", "bad"),
    "draft": ("Draft", "calm"),
    "active": ("Active", "good"),
    "paused": ("Paused", "wait"),
    "archived": ("Archived", "calm"),
    "critical": ("Critical", "bad"),
    "warning": ("Warning", "wait"),
}
"""Each state in words, with the tone of its colour. The words are complete without the colour.

A send has two states more than an execution: see `execution_sentences.state_of`.
"""
PHASES = {
    "audience_generation": "Audience generation",
    "test_sending": "Test sending",
    "cancellation_window": "Cancellation window",
    "live_execution": "Live send",
    "cleanup": "Cleanup",
}
REASONS = {
    "invalid_user_id": "Invalid user id",
    "duplicate_user_id": "Duplicate user id",
    "opted_out": "Opted out",
    "no_token": "No device token",
    "dead_token": "Dead device token",
    "missing_variable": "Variable without a value",
    "bad_link": "Link not allowed",
    "payload_too_large": "Message too large",
    "layer_3_cooldown": "Layer 3 cooldown",
    "layer_5_cooldown": "Layer 5 cooldown",
    "combined_l2_l3_limit": "Limit of layers 2 and 3",
    "wrong_project": "Token of another Firebase project",
    "third_party_auth": "Push service refused the app's key",
    "no_answer": "No answer from FCM",
    "interrupted": "Worker ended before the answer",
    "under_way": "Under way",
    "other": "Another reason",
}
KINDS = {"scheduled": "Scheduled", "manual": "Manual", "test": "Test", "one_off": "One-off"}


def number(value: float) -> str:
    """Write a number with separated thousands."""
    return f"{value:,}"


def compact(value: int) -> str:
    """Write a number in at most five characters: 9,999, 12.6k, 1.2M."""
    if value < 10_000:
        return f"{value:,}"
    return f"{value / 1_000:.3g}k" if value < 999_500 else f"{value / 1_000_000:.3g}M"


def share(part: int, whole: int) -> str:
    """Write a part of a whole as a percentage; 0 of 0 is 0."""
    if not whole:
        return "0%"
    percent = 100 * part / whole
    return f"{percent:.1f}%" if 0 < percent < 10 and percent != round(percent) else f"{percent:.0f}%"


def day_and_time(at: datetime, zone: ZoneInfo | str = "UTC") -> str:
    """Write an instant in a zone: Tue 5 May 2026, 18:30."""
    local = at.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"


def short_day(at: datetime, zone: ZoneInfo | str = "UTC") -> str:
    """Write an instant without the year: Tue 5 May, 18:30."""
    local = at.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
    return f"{local:%a} {local.day} {local:%b, %H:%M}"


def city(zone: ZoneInfo | str) -> str:
    """Return the city of a zone: New York."""
    return str(zone).rpartition("/")[2].replace("_", " ")


def zone_of(document: Mapping[str, Any]) -> str:
    """Return the zone of a recipe document; UTC if it has no known zone."""
    try:
        return ZoneInfo(document["schedule"]["timezone"]).key
    except (KeyError, TypeError, ValueError, OSError):
        return "UTC"


def clock(at: datetime, zone: ZoneInfo | str = "UTC") -> str:
    """Write an instant's time of day."""
    return f"{at.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone):%H:%M}"


def abbreviation(at: datetime, zone: ZoneInfo | str) -> str:
    """Write the short name of a zone at an instant: CET, or UTC+3 where it has none."""
    name = f"{at.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone):%Z}"
    return (
        f"UTC{name[:3]}{':' if name[3:] else ''}{name[3:]}".replace("+0", "+").replace("-0", "-")
        if name[:1] in "+-"
        else name
    )


def zone_words(zone: ZoneInfo | str, now: datetime) -> str:
    """Write a zone with its short name now: Berlin (CET); UTC stays UTC."""
    name, short = city(zone), abbreviation(now, zone)
    return name if short == name else f"{name} ({short})"


def exact(at: datetime, zone: ZoneInfo | str = "UTC") -> str:
    """Write an instant's time of day to the second."""
    return f"{at.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone):%H:%M:%S}"


def iso(at: datetime) -> str:
    """Write an instant as ISO 8601."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def distance(at: datetime, zero: datetime) -> str:
    """Write the distance of an instant from T-0: T-12:30, T+2:05, or with hours T-3:00:00."""
    seconds = round((at - zero) / _SECOND)
    if not seconds:
        return "T-0"
    hours, rest = divmod(abs(seconds), 3600)
    minutes, seconds_left = divmod(rest, 60)
    written = f"{hours}:{minutes:02d}:{seconds_left:02d}" if hours else f"{minutes}:{seconds_left:02d}"
    return f"T{'-' if seconds < 0 else '+'}{written}"


def span(seconds: float) -> str:
    """Write a duration: 45 s, 12 min, 3 h 20 min, 4 days."""
    whole = round(abs(seconds))
    if whole < 120:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
    return f"{round(hours / 24)} days"


def how_far(at: datetime, now: datetime, zone: ZoneInfo | str = "UTC") -> str:
    """Write an instant relative to now: in 12 min, 3 h ago, Monday in a zone."""
    seconds = (at - now) / _SECOND
    if _DAY <= at - now < 6 * _DAY:
        return f"{at.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone):%A}"
    return f"in {span(seconds)}" if seconds >= 0 else f"{span(seconds)} ago"


def day_word(day: date, today: date) -> str:
    """Write a day relative to today: today, tomorrow, Tue 5 May."""
    near = {0: "today", 1: "tomorrow"}.get((day - today).days)
    return near or f"{day:%a} {day.day} {day:%b}"


def change(now: int, before: int) -> str:
    """Write the change of a number: +12%, -3%, no change; empty if there was nothing before."""
    if not before:
        return ""
    percent = round(100 * (now - before) / before)
    return f"{percent:+,}%" if percent else "no change"


def plural(count: int, one: str, many: str = "") -> str:
    """Write a number with what it counts."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def audience_words(totals: AllTotals, pushes: int) -> str:
    """Write how many people a send is for, each counted once, and the number of messages."""
    size = totals.audience_size
    if pushes == 1:
        people = size if totals.people is None else totals.people  # a list may name a person twice
        return plural(people, "person", "people")
    messages = f"{plural(size, 'message')} in {plural(pushes, 'push', 'pushes')}"
    return messages if totals.people is None else f"{plural(totals.people, 'person', 'people')}, {messages}"


def state_word(state: str) -> str:
    """Return a state in words."""
    return STATES[state][0] if state in STATES else state


def state_pair(state: str) -> tuple[str, str]:
    """Return a state and its words, for a choice."""
    return state, state_word(state)


def tone(state: str) -> str:
    """Return the tone of a state's colour."""
    return STATES[state][1] if state in STATES else "calm"


def reason_word(reason: str) -> str:
    """Return why a user got no push, in words: `cadence:weekly` becomes Cadence rule weekly."""
    rule = reason.removeprefix("cadence:")
    return REASONS.get(reason) or (spaced(reason) if rule == reason else f"Cadence rule {rule}")


def listed(items: Sequence[object]) -> str:
    """Write a list: 1, 2 and 3."""
    *first, last = map(str, items)
    return f"{', '.join(first)} and {last}" if first else last


def rule_word(name: str) -> str:
    """Return the name of a cadence rule in words."""
    return REASONS.get(name) or spaced(name.replace("-", "_"))


def spaced(word: str) -> str:
    """Return a name in words: too_late becomes Too late."""
    return word.replace("_", " ").capitalize()


def sentence(text: str) -> str:
    """Return a text as a sentence. Only its first letter changes."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""


FILTERS: dict[str, Callable[..., Any]] = {
    "number": number,
    "share": share,
    "compact": compact,
    "day_and_time": day_and_time,
    "short_day": short_day,
    "city": city,
    "clock": clock,
    "abbreviation": abbreviation,
    "exact": exact,
    "zone_words": zone_words,
    "iso": iso,
    "distance": distance,
    "span": span,
    "how_far": how_far,
    "day_word": day_word,
    "change": change,
    "plural": plural,
    "audience_words": audience_words,
    "state_word": state_word,
    "state_pair": state_pair,
    "tone": tone,
    "reason_word": reason_word,
    "rule_word": rule_word,
    "listed": listed,
    "spaced": spaced,
    "sentence": sentence,
}
TABLES: Mapping[str, Any] = {"PHASES": PHASES, "REASONS": REASONS, "KINDS": KINDS}
