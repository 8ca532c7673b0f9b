"""Says a condition in words, the same in the command line, the API and the console."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time

from audience_jobs.conditions.tree import AnyOf, Compared, Condition, Every, Happened, Named, Negated, Value


def sentence(condition: Condition) -> str:
    """Describe who fits a condition: `users whose country is "DE" or "AT" and whose plan is "pro"`."""
    if isinstance(condition, Every) and not condition.conditions:
        return "all users"
    return f"users {_words(condition, 'whose')}"


def part_in_words(condition: Condition) -> str:
    """Describe one condition of a tree without those in it: `have workouts`, `all of these`."""
    if isinstance(condition, Compared):
        return _compared(condition)
    if isinstance(condition, Happened):
        return _happened(condition)
    if isinstance(condition, Negated):
        return "not this"
    if isinstance(condition, Named):
        return f'are in the segment "{condition.segment}"'
    if not condition.conditions:
        return "all users"
    return "all of these" if isinstance(condition, Every) else "at least one of these"


def in_words(value: Value) -> str:
    """Write a value as sentences do: texts in quotes, numbers with separators, times in UTC."""
    return _value(value)


def _words(condition: Condition, whose: str) -> str:
    """Return what follows `users` or, where `whose` is empty, the name of a model of events."""
    if isinstance(condition, Compared):
        return f"{whose} {_compared(condition)}".strip()
    if isinstance(condition, Happened):
        return f"who {_happened(condition)}"
    if isinstance(condition, Negated):
        return f"not ({_words(condition.condition, whose)})"
    if isinstance(condition, Named):
        return f'who are in the segment "{condition.segment}" ({_words(condition.condition, whose)})'
    if not condition.conditions:
        return "of any kind"
    joined = " and " if isinstance(condition, Every) else " or "
    return joined.join(_part(each, whose, alone=len(condition.conditions) == 1) for each in condition.conditions)


def _part(condition: Condition, whose: str, *, alone: bool) -> str:
    several = isinstance(condition, Every | AnyOf) and len(condition.conditions) > 1
    words = _words(condition, whose)
    return f"({words})" if several and not alone else words


def _compared(condition: Compared) -> str:
    values = [_value(value) for value in condition.values]
    return _OPERATORS[condition.op](condition.column, values)


_OPERATORS: Mapping[str, Callable[[str, list[str]], str]] = {
    "is": lambda name, values: f"{name} is {values[0]}",
    "is_not": lambda name, values: f"{name} is not {values[0]}",
    "one_of": lambda name, values: f"{name} is {_or(values)}",
    "none_of": lambda name, values: f"{name} is not {_or(values)}",
    "starts_with": lambda name, values: f"{name} starts with {values[0]}",
    "contains": lambda name, values: f"{name} contains {values[0]}",
    "empty": lambda name, _: f"{name} is empty",
    "not_empty": lambda name, _: f"{name} is not empty",
    "at_least": lambda name, values: f"{name} is at least {values[0]}",
    "at_most": lambda name, values: f"{name} is at most {values[0]}",
    "between": lambda name, values: f"{name} is from {values[0]} to {values[1]}",
    "within_days": lambda name, values: f"{name} is within the last {_days(values[0])}",
    "not_within_days": lambda name, values: f"{name} is not within the last {_days(values[0])}",
    "before": lambda name, values: f"{name} is before {values[0]}",
    "after": lambda name, values: f"{name} is after {values[0]}",
    "anniversary_in_days": lambda name, values: f"{name} has its anniversary {_ahead(values[0])}",
}


def _happened(condition: Happened) -> str:
    where = f" {_words(condition.where, 'with')}" if condition.where else ""
    within = f" in the last {_days(str(condition.within_days))}" if condition.within_days else ""
    return f"{_times(condition.at_least, condition.at_most, condition.model)}{where}{within}"


def _times(least: int, most: int | None, model: str) -> str:
    if most == 0:
        return f"have no {model}"
    if most is None:
        return f"have {model}" if least == 1 else f"have at least {least:,} {model}"
    if least == most:
        return f"have exactly {least:,} {model}"
    return f"have at most {most:,} {model}" if least == 0 else f"have {least:,} to {most:,} {model}"


def _or(values: list[str]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"


def _days(days: str) -> str:
    return "day" if days == "1" else f"{days} days"


def _ahead(days: str) -> str:
    return {"0": "today", "1": "tomorrow"}.get(days, f"in {days} days")


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time(0, 0) else f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"
