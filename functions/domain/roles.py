"""Roles, and the callers of functions."""

from dataclasses import dataclass
from enum import StrEnum

from functions.domain.errors import Forbidden


class Service(StrEnum):
    """A service that calls functions, each with its own account."""

    TASKS = "Cloud Tasks"
    SCHEDULER = "Cloud Scheduler"


class Role(StrEnum):
    """The role of a person or a program, lowest first. Each role includes those before it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, least: "Role") -> bool:
        """Return whether this role includes another one."""
        roles = list(Role)
        return roles.index(self) >= roles.index(least)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """An authenticated person or program. `name` is usually an e-mail address."""

    name: str
    role: Role

    def require(self, least: Role) -> None:
        """Raise Forbidden if the caller's role is too low."""
        if not self.role.includes(least):
            raise Forbidden(f"this requires the role {least}; the caller's role is {self.role}")
