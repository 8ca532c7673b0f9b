"""The audit log: changes of all recipes, of the cadence rules and of dead tokens, or of one subject."""

from collections.abc import Sequence

from flask import Response

from functions.domain.audience.dead_tokens import SUBJECT as GRAVES
from functions.domain.audit import AuditEntry
from functions.domain.cadence.rule_changes import SUBJECT
from functions.domain.errors import BadInput
from functions.domain.ids import RECIPE_ID
from functions.domain.roles import Role
from functions.handlers.console.answering import page
from functions.handlers.console.changes import changes_between
from functions.handlers.console.visit import Route, Visit
from functions.handlers.http.paging import broken_cursor, cursor_of, place_of
from functions.ports.stores import AuditPlace
from functions.usecases.reports.accesses import list_accesses

_AT_ONCE = 50


def show(visit: Visit) -> Response:
    """Show the newest entries of all subjects, or of a recipe or the rules, page by page."""
    subject, before = visit.asked("recipe"), visit.asked("before")
    if subject and subject not in (SUBJECT, GRAVES) and not RECIPE_ID.fullmatch(subject):
        raise BadInput(f"{subject!r} is not a campaign ID")
    if subject:
        number = _number(before) if before else None
        entries = visit.ports.audit.of_recipe(subject, before=number, most=_AT_ONCE)
    else:
        entries = visit.ports.audit.newest(most=_AT_ONCE, after=_place(before))
    older = _older(entries, subject) if len(entries) == _AT_ONCE else None
    shown = [(entry, changes_between(entry.before, entry.after)) for entry in entries]
    return page(
        visit, "audit.html", subject=subject, rules=SUBJECT, graves=GRAVES, entries=shown, older=older, before=before
    )


def _older(entries: Sequence[AuditEntry], subject: str) -> str | None:
    """Return the position after which the next page begins; None after a recipe's first entry."""
    last = entries[-1]
    if subject:
        return str(last.number) if last.number > 1 else None
    return cursor_of(last.deed.at, last.recipe_id, str(last.number))


def _place(before: str) -> AuditPlace | None:
    place = place_of(before)
    if place is None:
        return None
    subject, _, number = place[1].rpartition("~")
    if subject != SUBJECT and not RECIPE_ID.fullmatch(subject):
        raise broken_cursor()
    return place[0], subject, _number(number)


def _number(written: str) -> int:
    if not (written.isdecimal() and len(written) < 10):
        raise broken_cursor()
    return int(written)


def show_accesses(visit: Visit) -> Response:
    """Show who read or exported personal data, page by page."""
    found = list_accesses(visit.ports, most=_AT_ONCE, after=place_of(visit.asked("before")))
    older = cursor_of(*found.next) if found.next else None
    return page(visit, "accesses.html", entries=found.entries, older=older, before=visit.asked("before"))


ROUTES = (
    Route(method="GET", path="/audit", serve=show),
    Route(method="GET", path="/audit/access", serve=show_accesses, least=Role.ADMIN),
)
