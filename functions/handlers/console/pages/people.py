"""People: search, and the page of one person."""

from collections.abc import Sequence

from flask import Response

from audience_jobs.errors import AudienceJobError
from functions.domain.access import Subject, SubjectKind
from functions.domain.errors import LedgerUnreadable
from functions.domain.ids import UserIdFormat, canonical_user_id, is_user_id
from functions.domain.roles import Role
from functions.handlers.console.answering import page, part, to
from functions.handlers.console.person_address import token_of, user_of
from functions.handlers.console.visit import Route, Visit
from functions.handlers.console.words import spaced
from functions.usecases.people.look_at_person import (
    MOST_CAMPAIGNS,
    CapOfPerson,
    DevicesOfPerson,
    caps_of,
    devices_of,
    expected,
)
from functions.usecases.people.search_people import MOST_FOUND, FoundPerson, find_person, search_people
from functions.usecases.reports.history import EXAMPLES, MOST_DAYS, notifications_of

_LONGEST = 200
_ADDRESS = "/people/<token>"
_SEVERAL = Subject(kind=SubjectKind.AUDIENCE)


def ask(visit: Visit) -> Response:
    """Show the search."""
    return _page(visit)


def search(visit: Visit) -> Response:
    """Go to the person with an id, or list the people found. No address has what was searched for."""
    text = visit.field("user")[:_LONGEST]
    valid = is_user_id(text, visit.ports.policy.user_id_format)
    try:
        found = search_people(visit.ports, text)
    except AudienceJobError:
        if not valid:
            raise
        return to(visit, f"/people/{token_of(text)}")
    exact = [each for each in found.people if canonical_user_id(each.user_id) == canonical_user_id(text)]
    if exact and len(found.people) == 1:
        return to(visit, f"/people/{token_of(exact[0].user_id)}")
    if valid and not found.people and _is_known(visit, text):
        return to(visit, f"/people/{token_of(text)}")
    tokens = {each.user_id: token_of(each.user_id) for each in found.people}
    wrong = "" if found.people else _nobody(visit, valid)
    return _page(visit, status=422 if wrong else 200, text=text, found=found, tokens=tokens, wrong=wrong)


def _is_known(visit: Visit, user_id: str) -> bool:
    """Return whether a user who is not in the model people may still have a page."""
    if not visit.ports.workspace.has_models:
        return True
    return notifications_of(visit.ports, user_id, until=visit.now, days=MOST_DAYS).known


def show(visit: Visit) -> Response:
    """Show who a person is, the caps in force, and everything that was sent or withheld."""
    user_id = user_of(visit.path["token"])
    person, devices = _asked(visit, user_id)
    found = notifications_of(visit.ports, user_id, until=visit.now, days=MOST_DAYS)
    return page(
        visit,
        "person.html",
        token=visit.path["token"],
        user_id=user_id,
        person=person,
        unknown=person is None and devices is not None and visit.ports.workspace.has_models,
        nothing=person is None and devices is not None and not devices.platforms and not found.known,
        devices=devices,
        caps=_caps(visit, user_id),
        exempt=sorted(visit.ports.workspace.cadence.exempt),
        found=found,
        most_days=MOST_DAYS,
    )


def show_next(visit: Visit) -> Response:
    """Show what the campaigns of the next seven days would do for a person."""
    found = expected(visit.ports, user_of(visit.path["token"]))
    return part(visit, "person_next.html", expected=found, most_campaigns=MOST_CAMPAIGNS)


def _page(visit: Visit, *, status: int = 200, **values: object) -> Response:
    shown = {"text": "", "found": None, "tokens": {}, "wrong": "", **values}
    known = {"searched": visit.ports.workspace.people_search, "most": MOST_FOUND, "most_days": MOST_DAYS}
    return page(visit, "people.html", status=status, example=_example(visit), **known, **shown)


def _nobody(visit: Visit, valid: bool) -> str:
    columns = [spaced(name).lower() for name in visit.ports.workspace.people_search]
    if columns:
        return f"No person has this ID, {' or '.join(columns)}."
    return "No person has this ID." if valid else f"Enter a user ID such as {_example(visit)}"


def _example(visit: Visit) -> str:
    return EXAMPLES[visit.ports.policy.user_id_format]


def _asked(visit: Visit, user_id: str) -> tuple[FoundPerson | None, DevicesOfPerson | None]:
    """Return the person and the devices; None for both if the user data cannot be asked."""
    try:
        return find_person(visit.ports, user_id), devices_of(visit.ports, user_id)
    except AudienceJobError:
        return None, None


def _caps(visit: Visit, user_id: str) -> Sequence[CapOfPerson] | None:
    try:
        return caps_of(visit.ports, user_id)
    except LedgerUnreadable:
        return None


def _searched(visit: Visit) -> Subject | None:
    """Return the person that was searched for by id, or else all people: what was typed may begin several names."""
    text, form = visit.field("user"), visit.ports.policy.user_id_format
    only_ids = form is UserIdFormat.UUID or not visit.ports.workspace.people_search
    return Subject(kind=SubjectKind.USER, name=text) if only_ids and is_user_id(text, form) else _SEVERAL


def _person(visit: Visit) -> Subject:
    return Subject(kind=SubjectKind.USER, name=user_of(visit.path["token"]))


ROUTES = (
    Route(method="GET", path="/people", serve=ask, least=Role.OPERATOR),
    Route(method="POST", path="/people", serve=search, least=Role.OPERATOR, reads=_searched, expensive=True),
    Route(method="GET", path=_ADDRESS, serve=show, least=Role.OPERATOR, reads=_person, expensive=True),
    Route(method="GET", path=f"{_ADDRESS}/next", serve=show_next, least=Role.OPERATOR, reads=_person, expensive=True),
)
