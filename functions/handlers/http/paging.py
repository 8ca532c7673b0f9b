"""Cursors of lists: a place among documents in order of time, as the address of the next page holds it."""

from datetime import datetime

from functions.domain.errors import BadFields, FieldError
from functions.domain.instants import instant, stamp


def cursor_of(at: datetime, *names: str) -> str:
    """Return the cursor of the page that begins after a document, by its instant and its name in one part or more."""
    return "~".join([str(stamp(at)), *names])


def place_of(cursor: str) -> tuple[datetime, str] | None:
    """Return the instant and the name that a cursor holds, None for an empty one; BadFields for a broken one.

    A name of several parts comes as one, with `~` between them.
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
    """Return the error for a cursor that no page has named."""
    return BadFields(
        [FieldError("cursor", "is broken; take it from the page before, or leave it out for the first page")]
    )
