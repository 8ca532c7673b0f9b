"""Instants as text: written as ISO 8601 in UTC, read in the forms that exports write."""

import re
from datetime import UTC, datetime

_EXPORTED = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?) ?(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)",
    re.IGNORECASE,
)
"""What BigQuery (` UTC`), PostgreSQL (`+00`), pandas (nanoseconds), JavaScript (`Z`) and Ruby (` +0000`) write."""
_DAY_OR_MONTH = re.compile(r"\d{1,2}([/.-])\d{1,2}\1\d{2,4}\b.*", re.DOTALL)


def stamp(at: datetime | None) -> str | None:
    """Write an instant as ISO 8601 in UTC, with microseconds only where there are any."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def instant(text: str) -> datetime:
    """Read an instant with a zone: ISO 8601, or as BigQuery, PostgreSQL, pandas, JavaScript and Ruby export one."""
    found = _EXPORTED.fullmatch(text.strip())
    if found:
        day, clock, zone = found.groups()
        at = datetime.fromisoformat(f"{day}T{clock}{zone if zone[0] in '+-' else 'Z'}")
    else:
        at = datetime.fromisoformat(text.strip())
    if at.tzinfo is None:
        raise ValueError(f"{text!r} names no zone; write a Z behind an instant in UTC")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is outside the calendar") from None


def no_instant(shown: str, text: str) -> str:
    """Return why a text is not an instant, and what to write instead; `shown` is how the message quotes the text."""
    way_out = "; which is the day, which the month? write the year first" if _DAY_OR_MONTH.fullmatch(text) else ""
    return f"must be an instant with its zone, such as 2026-11-23T18:00:00Z, got {shown}{way_out}"
