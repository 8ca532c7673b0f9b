"""Violations of executions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from functions.domain.execution.safeguards import Violation

ViolationPlace = tuple[datetime, str, str]
"""A position in a list of violations in order of time: instant, execution and id."""


def violation_place(violation: Violation) -> ViolationPlace:
    """Return the position of a violation."""
    return violation.at, violation.execution_id, violation.id


class ViolationStore(Protocol):
    """Stores violations, also after they are resolved."""

    def record(self, violation: Violation) -> bool:
        """Store a violation; False if it exists."""
        ...

    def of(self, execution_id: str) -> Sequence[Violation]:
        """Return an execution's violations, oldest first."""
        ...

    def unresolved(
        self, *, most: int, recipe_id: str | None = None, after: ViolationPlace | None = None
    ) -> Sequence[Violation]:
        """Return at most `most` unresolved violations, of a recipe or of all, newest first.

        The page begins after the place `after`, or with the newest. Resolved ones and executions are not read.
        """
        ...

    def resolve(self, execution_id: str, violation_id: str, at: datetime, by: str, note: str = "") -> Violation:
        """Mark a violation as resolved, and return it. The first resolution is kept.

        The same transaction adds an entry to the audit log of its recipe. NotFound if there is none.
        """
        ...

    def reopen(self, execution_id: str, violation_id: str, at: datetime, by: str) -> Violation:
        """Take back the resolution of a violation, and return it.

        An open one is not changed. The same transaction adds an entry to the audit log. NotFound if there is none.
        """
        ...
