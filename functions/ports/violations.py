"""Violations of executions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from functions.domain.execution.safeguards import Violation

ViolationPlace = tuple[datetime, str, str]
"""Where a violation stands among others in order of time: its instant, its execution, its id."""


def violation_place(violation: Violation) -> ViolationPlace:
    """Return where a violation stands among others."""
    return violation.at, violation.execution_id, violation.id


class ViolationStore(Protocol):
    """Violations, until somebody has resolved them and ever after."""

    def record(self, violation: Violation) -> bool:
        """Keep a violation; False where the same one is kept already."""
        ...

    def of(self, execution_id: str) -> Sequence[Violation]:
        """Return an execution's violations, oldest first."""
        ...

    def unresolved(
        self, *, most: int, recipe_id: str | None = None, after: ViolationPlace | None = None
    ) -> Sequence[Violation]:
        """Return at most so many unresolved violations, of a recipe or of all, newest first.

        The first, or those that follow the place `after`. Without reading each execution, or those that are resolved.
        """
        ...

    def resolve(self, execution_id: str, violation_id: str, at: datetime, by: str) -> Violation:
        """Mark a violation as resolved, in one transaction, and return it; the first to resolve it stays.

        NotFound where there is none.
        """
        ...
