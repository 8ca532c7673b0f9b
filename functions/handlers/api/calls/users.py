"""One user: export and erase everything that is stored. The id is in the body, so that no log has it."""

from pydantic import Field

from functions.domain.access import Subject, SubjectKind
from functions.domain.roles import Role
from functions.handlers.api.route import Call, Model, Reply, Route
from functions.usecases.people.erase_user import Erased, erase_user
from functions.usecases.people.find_user import HeldOfUser, find_user


class OneUser(Model):
    """The user to export."""

    user_id: str = Field(max_length=200)


class OneUserToErase(OneUser):
    """The user to erase. Without `dryRun: false` the answer is what is stored, as an export has it."""

    dry_run: bool = True


def _user(call: Call) -> Subject:
    return Subject(kind=SubjectKind.USER, name=call.body.user_id)


def post_export_user(call: Call) -> Reply:
    """Answer everything that is stored about a user."""
    return Reply(data=find_user(call.ports, call.body.user_id))


def post_erase_user(call: Call) -> Reply:
    """Erase a user from every store, or answer what is stored."""
    asked: OneUserToErase = call.body
    if asked.dry_run:
        return Reply(data=find_user(call.ports, asked.user_id), message="nothing was erased: this was a dry run")
    erased = erase_user(call.ports, asked.user_id, by=call.caller.name)
    return Reply(data=erased, message="the user is erased")


ROUTES = (
    Route(
        method="POST",
        path="/api/users/export",
        least=Role.ADMIN,
        summary="Export everything that is stored about a user",
        serve=post_export_user,
        reads=_user,
        body=OneUser,
        answer=HeldOfUser,
    ),
    Route(
        method="POST",
        path="/api/users/erase",
        least=Role.ADMIN,
        summary="Erase a user from every store",
        serve=post_erase_user,
        reads=_user,
        body=OneUserToErase,
        answer=Erased | HeldOfUser,
        refusals=(409,),
    ),
)
