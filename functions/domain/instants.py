"""Instants as text: ISO 8601, in UTC."""

from datetime import UTC, datetime


def stamp(at: datetime | None) -> str | None:
    """Write an instant as ISO 8601 in UTC, with microseconds only where there are any."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def instant(text: str) -> datetime:
    """Read an ISO 8601 instant with a zone or a Z."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} names no zone; write a Z behind an instant in UTC")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is outside the calendar") from None
