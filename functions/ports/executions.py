"""Stores of executions and their logs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from functions.domain.audit import Deed
from functions.domain.execution.execution import Execution, State


@dataclass(frozen=True, kw_only=True)
class ExecutionSearch:
    """A search for executions: of a recipe, in a state, with a send at or after `since` and before `until`."""

    recipe_id: str | None = None
    state: State | None = None
    since: datetime | None = None
    until: datetime | None = None


Place = tuple[datetime, str]
"""A position in a list of executions in order of their sends: send instant and id."""


class ExecutionStore(Protocol):
    """Stores executions, and the instant up to which every send has one."""

    def create(self, execution: Execution, deed: Deed | None = None) -> bool:
        """Create an execution; False if another claim has created it. This is the only dedup authority.

        With a deed, the same transaction adds an entry to the audit log of its recipe.
        """
        ...

    def get(self, execution_id: str) -> Execution | None:
        """Return an execution; None if there is none."""
        ...

    def change(
        self, execution_id: str, change: Callable[[Execution], Execution], deed: Deed | None = None
    ) -> Execution:
        """Replace an execution by the result of `change`, in one transaction.

        If `change` raises, nothing is written. With a deed, the same transaction adds an entry to the audit log of
        the execution's recipe, unless nothing changes.
        """
        ...

    def unfinished(self) -> Sequence[Execution]:
        """Return the executions that have not ended or are not cleaned up, in order of creation.

        The store decides the order: a call after `create` returns every execution that was created before.
        """
        ...

    def search(
        self, wanted: ExecutionSearch, *, most: int, after: Place | None = None, oldest_first: bool = False
    ) -> Sequence[Execution]:
        """Return at most `most` executions in order of their send instants, newest first.

        The page begins after the place `after`, or with the first execution.
        """
        ...

    def count(self, wanted: ExecutionSearch) -> int:
        """Count the executions without reading each of them."""
        ...

    def accounted_until(self) -> datetime | None:
        """Return the latest instant given to `account_until`; None at first."""
        ...

    def account_until(self, at: datetime) -> None:
        """Store the instant up to which every send has an execution or counts as missed.

        An earlier one changes nothing.
        """
        ...


Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """A line of an execution's own log, in words for marketers."""

    at: datetime
    phase: str
    level: Level
    message: str


class ExecutionLog(Protocol):
    """Stores the log of each execution."""

    def add(self, execution_id: str, entry: LogEntry) -> None:
        """Add a line to an execution's log."""
        ...

    def of(self, execution_id: str) -> Sequence[LogEntry]:
        """Return an execution's log, oldest line first."""
        ...
