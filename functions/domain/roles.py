"""Who may do what, and who calls the functions."""

from dataclasses import dataclass
from enum import StrEnum

from functions.domain.errors import Forbidden


class Service(StrEnum):
    """What calls a function on its own, each by an account of its own."""

    TASKS = "Cloud Tasks"
    SCHEDULER = "Cloud Scheduler"


class Role(StrEnum):
    """What a person or a program may do, the least first; each may do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, least: "Role") -> bool:
        """Say whether who has this role may do what takes at least another."""
        roles = list(Role)
        return roles.index(self) >= roles.index(least)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A person or a program whose name, an e-mail address as a rule, somebody vouches for."""

    name: str
    role: Role

    def require(self, least: Role) -> None:
        """Raise Forbidden where the caller's role is too low."""
        if not self.role.includes(least):
            raise Forbidden(f"this takes the role {least}; the caller's role is {self.role}")
