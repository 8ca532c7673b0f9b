"""The audit log: changes of all recipes, of the cadence rules and of dead tokens, or of one subject."""

from collections.abc import Sequence
from typing import Any

from flask import Response

from functions.domain.audience.dead_tokens import SUBJECT as GRAVES
from functions.domain.audit import CHECKPOINTS, ERASURES, AuditEntry
from functions.domain.cadence.rule_changes import SUBJECT
from functions.domain.errors import BadInput
from functions.domain.ids import RECIPE_ID
from functions.domain.roles import Role
from functions.domain.testers import SUBJECT as TEST_PEOPLE
from functions.handlers.console.answering import page
from functions.handlers.console.changes import changes_between
from functions.handlers.console.visit import Route, Visit
from functions.handlers.http.paging import broken_cursor, cursor_of, place_of
from functions.ports.stores import AuditPlace
from functions.usecases.reports.accesses import list_accesses
from functions.usecases.reports.verify_audit import audit_sentences, verify_audit

_AT_ONCE = 50
_OWN = (SUBJECT, GRAVES, CHECKPOINTS, ERASURES, TEST_PEOPLE)
"""The subjects that are no recipes."""


def show(visit: Visit) -> Response:
    """Show the newest entries of all subjects, or of a recipe or the rules, page by page."""
    subject, before = visit.asked("recipe"), visit.asked("before")
    if subject and subject not in _OWN and not RECIPE_ID.fullmatch(subject):
        raise BadInput(f"{subject!r} is not a campaign ID")
    if subject:
        number = _number(before) if before else None
        entries = visit.ports.audit.of_recipe(subject, before=number, most=_AT_ONCE)
    else:
        entries = visit.ports.audit.newest(most=_AT_ONCE, after=_place(before))
    older = _older(entries, subject) if len(entries) == _AT_ONCE else None
    if not subject:  # checkpoints come every few minutes, and would hide what people did
        entries = [entry for entry in entries if entry.recipe_id != CHECKPOINTS]
    shown = [(entry, changes_between(entry.before, entry.after)) for entry in entries]
    named: dict[str, Any] = {"rules": SUBJECT, "graves": GRAVES, "own": _OWN, "subject": subject, "before": before}
    return page(visit, "audit.html", **named, entries=shown, older=older, **_state(visit))


def _state(visit: Visit) -> dict[str, Any]:
    """Return when the log was last checked, and the result of verifying it now if an admin asks for that."""
    [*last] = visit.ports.audit.of_recipe(CHECKPOINTS, most=1)
    asked = bool(visit.asked("verify")) and visit.may(Role.ADMIN)
    verified = verify_audit(visit.ports) if asked else None
    return {
        "checked_at": last[0].deed.at if last else None,
        "verified": verified,
        "problems": list(audit_sentences(verified)) if verified else [],
        "may_verify": visit.may(Role.ADMIN),
    }


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
    if subject not in _OWN and not RECIPE_ID.fullmatch(subject):
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
