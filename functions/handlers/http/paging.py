"""Cursors of lists: positions in order of time, for the address of the next page."""

from datetime import datetime

from functions.domain.errors import BadFields, FieldError
from functions.domain.ids import RECIPE_ID
from functions.domain.instants import instant, stamp
from functions.ports.stores import AuditPlace
from functions.usecases.reports.activity import OWN_SUBJECTS

_MOST_DIGITS = 10


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


def activity_cursor(place: AuditPlace | None) -> str | None:
    """Return the cursor of the page of the audit log that begins after an entry; None for None."""
    return cursor_of(place[0], place[1], str(place[2])) if place else None


def activity_place(cursor: str) -> AuditPlace | None:
    """Return the entry of the audit log that a cursor names, None for an empty one; BadFields for a broken one."""
    place = place_of(cursor)
    if place is None:
        return None
    subject, _, number = place[1].rpartition("~")
    if subject not in OWN_SUBJECTS and not RECIPE_ID.fullmatch(subject):
        raise broken_cursor()
    if not (number.isdecimal() and len(number) < _MOST_DIGITS):
        raise broken_cursor()
    return place[0], subject, int(number)


def broken_cursor() -> BadFields:
    """Return the error for an invalid cursor."""
    return BadFields(
        [FieldError("cursor", "is broken; take it from the page before, or leave it out for the first page")]
    )
