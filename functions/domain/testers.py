"""Named test people: colleagues who can get a test push by hand, each with their user id in the app."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.domain.documents import shown
from functions.domain.errors import BadFields, BadInput, FieldCode, FieldError
from functions.domain.ids import UserIdFormat, canonical_user_id, is_user_id, no_user_id

SUBJECT = "test.people"
"""The subject of changes of the test people in the audit log. The id of a recipe cannot contain a dot."""
MOST_TESTERS = 100
_LONGEST = 100


@dataclass(frozen=True, kw_only=True)
class NamedTester:
    """A test person. `email` is the address with which the person signs in to the console, empty if unknown."""

    name: str
    user_id: str
    email: str = ""

    def document(self) -> dict[str, str]:
        """Return the person as JSON has it."""
        return {"name": self.name, "userId": self.user_id, "email": self.email}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "NamedTester":
        """Read a stored person."""
        return cls(name=document["name"], user_id=document["userId"], email=document.get("email", ""))

    @property
    def key(self) -> str:
        """What tells people apart: the user id, a UUID in lower case."""
        return canonical_user_id(self.user_id)


def testers_document(testers: Sequence[NamedTester]) -> dict[str, Any]:
    """Return the test people as the store keeps them."""
    return {"people": [tester.document() for tester in testers]}


def counted(testers: Sequence[NamedTester]) -> dict[str, Any]:
    """Return what the audit log keeps: their number. Viewers read the log, and it names no users."""
    return {"people": len(testers)}


def new_tester(*, name: str, user_id: str, email: str, form: UserIdFormat) -> NamedTester:
    """Return a test person that somebody wrote; BadFields names every field at fault."""
    tester, errors = NamedTester(name=name.strip(), user_id=user_id.strip(), email=email.strip()), list[FieldError]()
    if not 1 <= len(tester.name) <= _LONGEST:
        errors.append(FieldError("name", f"write a name of 1 to {_LONGEST} characters, got {shown(name)}"))
    if not is_user_id(tester.user_id, form):
        errors.append(FieldError("userId", no_user_id(shown(user_id), form), FieldCode.BAD_USER_ID))
    if len(tester.email.split()) > 1 or len(tester.email) > 2 * _LONGEST:
        errors.append(FieldError("email", f"write an e-mail address, or leave it empty, got {shown(email)}"))
    if errors:
        raise BadFields(errors)
    return tester


def with_tester(testers: Sequence[NamedTester], new: NamedTester) -> tuple[NamedTester, ...]:
    """Return the test people with another one, which replaces the one with the same user id.

    BadInput if the e-mail address belongs to another one, or there are too many.
    """
    others = [tester for tester in testers if tester.key != new.key]
    if new.email and any(other.email.casefold() == new.email.casefold() for other in others):
        raise BadInput(f"another test person has the e-mail address {new.email}: remove that one first")
    if len(others) >= MOST_TESTERS:
        raise BadInput(f"there are {len(others)} test people, and at most {MOST_TESTERS}: remove one first")
    return tuple(sorted([*others, new], key=lambda tester: (tester.name.casefold(), tester.key)))
