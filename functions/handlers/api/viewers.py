"""What a viewer does not see of an audience: its rows, and its size if it is small enough to ask for one person."""

from functions.domain.access import Subject, SubjectKind
from functions.domain.errors import Forbidden
from functions.domain.roles import Caller, Role
from functions.handlers.api.route import Call

FEWEST_FOR_VIEWERS = 10
"""The smallest audience that a viewer may count: conditions that fit fewer people can tell what one of them did."""


def sees_rows(caller: Caller, count: int) -> bool:
    """Return whether a caller sees rows of an audience of `count` users; Forbidden if not even their number."""
    if caller.role.includes(Role.OPERATOR):
        return True
    if count < FEWEST_FOR_VIEWERS:
        raise Forbidden(
            f"fewer than {FEWEST_FOR_VIEWERS} people fit, and only an operator can look at so few; "
            f"the caller's role is {caller.role}"
        )
    return False


def audience_read(call: Call) -> Subject | None:
    """Return the subject of a call that shows rows of an audience; None for a viewer, who sees none."""
    return Subject(kind=SubjectKind.AUDIENCE) if call.caller.role.includes(Role.OPERATOR) else None


def recipe_read(call: Call) -> Subject | None:
    """Return the subject of a call that shows messages of a recipe to users; None for a viewer, who sees none."""
    sees = call.caller.role.includes(Role.OPERATOR)
    return Subject(kind=SubjectKind.RECIPE, name=call.path["recipeId"]) if sees else None
