"""Cursors of lists: positions in order of time, for the address of the next page."""

from datetime import datetime

from functions.domain.errors import BadFields, FieldError
from functions.domain.instants import instant, stamp


def cursor_of(at: datetime, *names: str) -> str:
    """Return the cursor of the page after a document, given its instant and the parts of its name."""
    return "~".join([str(stamp(at)), *names])


def place_of(cursor: str) -> tuple[datetime, str] | None:
    """Return the instant and the name in a cursor, None for an empty one; BadFields for a broken one.

    The parts of a name are joined with `~`.
    """
    if not cursor:
        return None
    at, tilde, name = cursor.partition("~")
    try:
        if tilde:
            return instant(at), name
    except (ValueError, OverflowError):
        pass
    raise broken_cursor()


def broken_cursor() -> BadFields:
    """Return the error for an invalid cursor."""
    return BadFields(
        [FieldError("cursor", "is broken; take it from the page before, or leave it out for the first page")]
    )
