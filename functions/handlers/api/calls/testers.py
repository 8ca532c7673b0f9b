"""Named test people. The id of a user is in the body, so that no log has it."""

from pydantic import Field

from functions.domain.roles import Role
from functions.handlers.api.route import Call, Model, Reply, Route
from functions.usecases.people.testers import TestPeople, add_tester, remove_tester, shown_testers


class NewTestPerson(Model):
    """A test person. One with the same user id is replaced."""

    name: str
    user_id: str
    email: str = Field(default="", description="How the person signs in to the console; an e-mail address.")


class OneTestPerson(Model):
    """The test person to remove."""

    user_id: str


def get_test_people(call: Call) -> Reply:
    """Answer all test people."""
    return Reply(data=shown_testers(call.ports.testers.all()))


def post_test_people(call: Call) -> Reply:
    """Add a test person, or replace the one with this user id."""
    new: NewTestPerson = call.body
    people = add_tester(call.ports, name=new.name, user_id=new.user_id, email=new.email, by=call.caller.name)
    return Reply(data=shown_testers(people), message="the test person is saved")


def post_remove_test_person(call: Call) -> Reply:
    """Remove a test person."""
    people = remove_tester(call.ports, call.body.user_id, by=call.caller.name)
    return Reply(data=shown_testers(people), message="the test person is removed")


_AT = "/api/test-people"

ROUTES = (
    Route(
        method="GET",
        path=_AT,
        least=Role.OPERATOR,
        summary="List the named test people",
        serve=get_test_people,
        answer=TestPeople,
    ),
    Route(
        method="POST",
        path=_AT,
        least=Role.OPERATOR,
        summary="Add or replace a test person",
        serve=post_test_people,
        body=NewTestPerson,
        answer=TestPeople,
    ),
    Route(
        method="POST",
        path=f"{_AT}/remove",
        least=Role.OPERATOR,
        summary="Remove a test person",
        serve=post_remove_test_person,
        body=OneTestPerson,
        answer=TestPeople,
        refusals=(404,),
    ),
)
