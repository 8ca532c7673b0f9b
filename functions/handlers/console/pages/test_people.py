"""The named test people: who they are in the app, and on which platforms."""

from flask import Response

from functions.domain.access import Subject
from functions.domain.errors import BadFields, BadInput, FieldError
from functions.domain.roles import Role
from functions.handlers.console.answering import page, part, to
from functions.handlers.console.visit import Route, Visit
from functions.usecases.people.testers import add_tester, platforms_of, remove_tester, tester_of

_AT = "/test-people"


def show(visit: Visit) -> Response:
    """Show all test people, and a form for another one."""
    return _show(visit)


def _show(visit: Visit, error: BadInput | None = None) -> Response:
    errors = error.errors if isinstance(error, BadFields) else [FieldError("email", str(error))] if error else ()
    return page(
        visit,
        "test_people.html",
        status=422 if error else 200,
        people=visit.ports.testers.all(),
        me=visit.caller.name,
        errors={each.field: each.reason for each in errors},
        sent=visit.request.form,
        outcome=visit.asked("outcome"),
    )


def platforms(visit: Visit) -> Response:
    """Answer the platforms of each test person, for the places of the page; those of the visitor where it has one."""
    people, me = visit.ports.testers.all(), tester_of(visit.ports, visit.caller.name)
    found = platforms_of(visit.ports, [each.user_id for each in people]) if people else {}
    places = {str(place): found.get(each.key, ()) for place, each in enumerate(people)}
    return part(
        visit,
        "test_people_platforms.html",
        places=places | ({"me": found.get(me.key, ())} if me and visit.asked("me") else {}),
    )


def add(visit: Visit) -> Response:
    """Add or replace a test person, or show the form again with what is wrong."""
    given = {"name": visit.field("name"), "user_id": visit.field("userId"), "email": visit.field("email")}
    try:
        add_tester(visit.ports, **given, by=visit.caller.name)
    except BadInput as error:
        return _show(visit, error)
    return to(visit, _AT, outcome="saved")


def remove(visit: Visit) -> Response:
    """Remove a test person."""
    remove_tester(visit.ports, visit.field("user"), by=visit.caller.name)
    return to(visit, _AT, outcome="removed")


def _subject(visit: Visit) -> Subject:
    return Subject.of_users([each.user_id for each in visit.ports.testers.all()])


ROUTES = (
    Route(method="GET", path=_AT, serve=show, least=Role.OPERATOR),
    Route(
        method="GET",
        path=f"{_AT}/platforms",
        serve=platforms,
        least=Role.OPERATOR,
        reads=_subject,
        expensive=True,
    ),
    Route(method="POST", path=_AT, serve=add, least=Role.OPERATOR),
    Route(method="POST", path=f"{_AT}/remove", serve=remove, least=Role.OPERATOR),
)
