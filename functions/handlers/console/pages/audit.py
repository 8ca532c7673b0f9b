"""Who has changed what: of all recipes and of the cadence rules, or of one recipe."""

from flask import Response

from functions.domain.cadence_rules import SUBJECT
from functions.domain.errors import BadInput
from functions.domain.ids import RECIPE_ID
from functions.handlers.console.answering import page
from functions.handlers.console.changes import changes_between
from functions.handlers.console.visit import Route, Visit

_AT_ONCE = 50


def show(visit: Visit) -> Response:
    """Show the newest entries of everything, or those of a recipe or of the rules, page by page."""
    subject, before = visit.asked("recipe"), visit.asked("before")
    if subject and subject != SUBJECT and not RECIPE_ID.fullmatch(subject):
        raise BadInput(f"{subject!r} is not a campaign ID")
    if before and not (before.isdecimal() and len(before) < 10):
        raise BadInput("this page address is broken; start from the newest changes")
    if subject:
        number = int(before) if before else None
        entries = visit.ports.audit.of_recipe(subject, before=number, most=_AT_ONCE)
    else:
        entries = visit.ports.audit.newest(most=_AT_ONCE)
    older = entries[-1].number if subject and len(entries) == _AT_ONCE and entries[-1].number > 1 else None
    shown = [(entry, changes_between(entry.before, entry.after)) for entry in entries]
    return page(visit, "audit.html", subject=subject, rules=SUBJECT, entries=shown, older=older, before=before)


ROUTES = (Route(method="GET", path="/audit", serve=show),)
