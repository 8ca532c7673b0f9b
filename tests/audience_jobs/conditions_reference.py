"""Who fits a condition, worked out by plain Python; it shares no code with what writes the SQL."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from operator import eq, ge, gt, le, lt
from typing import Any

Row = Mapping[str, Any]


def fits(written: Mapping[str, Any], row: Row, events: Mapping[str, Sequence[Row]], now: datetime) -> bool:
    """Say whether a person, or an event, fits a condition as it is written; `events` are those of that person."""
    if "all" in written:
        return all(fits(each, row, events, now) for each in written["all"])
    if "any" in written:
        return any(fits(each, row, events, now) for each in written["any"])
    if "not" in written:
        return not fits(written["not"], row, events, now)
    if "column" in written:
        return _compared(row[written["column"]], written["op"], written.get("value"), now)
    model = written.get("did") or written["did_not"]
    happened = [
        event
        for event in events[model]
        if event["at"] is not None
        and event["at"] <= now
        and ("within_days" not in written or event["at"] >= now - timedelta(days=written["within_days"]))
        and ("where" not in written or fits(written["where"], event, {}, now))
    ]
    if "did_not" in written:
        return not happened
    times = written.get("times", {"at_least": 1})
    return bool(times.get("at_least", 0) <= len(happened) <= times.get("at_most", len(happened)))


def _compared(value: Any, op: str, wanted: Any, now: datetime) -> bool:
    if op in _NEGATIONS:
        return not _compared(value, _NEGATIONS[op], wanted, now)
    if op in ("empty", "not_empty"):
        return (value in (None, "")) == (op == "empty")
    if value in (None, ""):
        return False
    if op in ("within_days", "anniversary_in_days"):
        return _since(value, wanted, now) if op == "within_days" else _anniversary(value, wanted, now)
    if op == "between":
        return bool(_like(value, wanted[0]) <= value <= _like(value, wanted[1]))
    compare: Callable[[Any, Any], bool] = _POSITIVE[op]
    return compare(value, wanted if op == "one_of" else _like(value, wanted))


_NEGATIONS = {"is_not": "is", "none_of": "one_of", "not_within_days": "within_days"}
_POSITIVE = {
    "is": eq,
    "at_least": ge,
    "at_most": le,
    "before": lt,
    "after": gt,
    "one_of": lambda value, wanted: value in wanted,
    "starts_with": lambda value, wanted: value.startswith(wanted),
    "contains": lambda value, wanted: wanted in value,
}


def _like(value: Any, wanted: Any) -> Any:
    if isinstance(value, datetime):
        return datetime.fromisoformat(wanted)
    return date.fromisoformat(wanted) if isinstance(value, date) else wanted


def _since(value: Any, days: int, now: datetime) -> bool:
    if isinstance(value, datetime):
        return now - timedelta(days=days) <= value <= now
    return bool(now.date() - timedelta(days=days) <= value <= now.date())


def _anniversary(value: Any, days: int, now: datetime) -> bool:
    day = (now + timedelta(days=days)).date()
    if (value.month, value.day) == (2, 29) and (day + timedelta(days=1)).month == 3 and day.month == 2:
        return True
    return (value.month, value.day) == (day.month, day.day)
